"""Orders for tests, in a line each."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from lethe.domain.identity import Identities
from lethe.domain.ids import NamespaceId, WorkOrderId
from lethe.domain.namespace import Namespace
from lethe.domain.plan import PlannedFile
from lethe.engines.interface import Engine, Finding, Order, Target, Wanted

EMAIL = Namespace(NamespaceId(6), "Email", "Email", "Email", case_insensitive=True)
CRM = Namespace(NamespaceId(10_000_001), "CRM", "CRM", "CROSS_DEVICE", custom=True)


def order(namespace: Namespace | Mapping[Namespace, tuple[str, ...]], *ids: str) -> Order:
    by_namespace = {namespace: tuple(ids)} if isinstance(namespace, Namespace) else dict(namespace)
    return Order(WorkOrderId(UUID(int=0)), Identities(by_namespace))


def asked(*orders: Order) -> Wanted:
    return Wanted(tuple(Order(WorkOrderId(UUID(int=n + 1)), o.identities) for n, o in enumerate(orders)))


def found_each(engine: Engine, target: Target, *orders: Order) -> Sequence[Finding]:
    """What the orders find together; it must be what each finds alone."""
    numbered = asked(*orders).orders
    together = engine.find_each(target, numbered)
    for one, finding in zip(numbered, together, strict=True):
        alone = engine.find(target, Wanted((one,)))
        assert finding.tally == alone.tally
        assert (finding.plan.hash, finding.plan.snapshot) == (alone.plan.hash, alone.plan.snapshot)
        assert [_fate(each) for each in finding.plan.files] == [_fate(each) for each in alone.plan.files]
    return together


def _fate(file: PlannedFile) -> tuple[object, ...]:
    return file.path, file.action, file.rows, file.rows_matched, file.size_bytes
