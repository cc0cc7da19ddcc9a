"""How far events and their deliveries are, read from the database when somebody asks: all processes together."""

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lethe.storage.interface import Store, StoreUnavailable


class BacklogMetrics(Collector):
    """Figures of the whole installation; none while the database does not answer."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """Read the figures."""
        try:
            with self._store().read() as tx:
                backlog = tx.deliveries.backlog()
        except StoreUnavailable:
            return
        yield CounterMetricFamily(
            "lethe_events_written", "Events written since the beginning.", value=backlog.events_written
        )
        deliveries = GaugeMetricFamily(
            "lethe_event_deliveries", "Deliveries of events that are kept, by state.", labels=["state"]
        )
        for state, number in backlog.deliveries.items():
            deliveries.add_metric([state.value], number)
        yield deliveries
        yield GaugeMetricFamily(
            "lethe_event_backlog_age_seconds",
            "How long the oldest pending delivery has waited.",
            value=backlog.oldest_pending.total_seconds(),
        )

    def describe(self) -> Iterator[Metric]:
        """Nothing in advance: the registry need not ask the database to know the names."""
        return iter(())
