"""What the edge counts. Labels are routes, methods and statuses: never an id, never an identity."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from lethe.storage.interface import StoreUnavailable

_BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class EdgeMetrics:
    """Requests by route, and how long they took."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter(
            "lethe_http_requests", "Requests answered, by route and status.", labels, registry=self.registry
        )
        self._seconds = Histogram(
            "lethe_http_request_seconds",
            "Time to answer, in seconds, by route.",
            ("method", "route"),
            buckets=_BUCKETS_SECONDS,
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class IdentitiesBack(Collector):
    """How many erased identities were found back, as the database knows it: workers of other processes find them."""

    def __init__(self, count: Callable[[], int]) -> None:
        """`count` is asked at every scrape. Raises StoreUnavailable then."""
        self._count = count

    def collect(self) -> Iterator[Metric]:
        """Give the figure; nothing while the database does not answer."""
        found = CounterMetricFamily("lethe_erased_identity_back", "Erased identities that were found back.")
        try:
            found.add_metric([], self._count())
        except StoreUnavailable:
            return
        yield found

    def describe(self) -> Iterator[Metric]:
        """Nothing in advance: the registry need not ask the database to know the names."""
        return iter(())
