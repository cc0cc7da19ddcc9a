"""What became of record deletes in services. It holds counts; never an identity."""

from collections.abc import Mapping, Sequence, Set
from typing import Final

import sqlalchemy as sa

from lethe.domain.absence import Absence
from lethe.domain.ids import WorkOrderId
from lethe.domain.product import Product
from lethe.domain.service_result import ServiceResult
from lethe.storage.counts import packed, unpacked
from lethe.storage.schema import service_results
from lethe.storage.session import Row, Session

_IN_A_PRODUCT: Final = service_results.update().where(
    service_results.c.work_order_id == sa.bindparam("of_order"),
    service_results.c.product == sa.bindparam("of_product"),
)
_FORGOT: Final = _IN_A_PRODUCT.where(
    service_results.c.round == sa.bindparam("of_round"),
    sa.or_(service_results.c.removed.is_(None), service_results.c.removed < sa.bindparam("count")),
).values(removed=sa.bindparam("count"))


class SqlServiceResults:
    """Implements `result_interface.ServiceResults`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def looks(self, work_order_ids: Sequence[WorkOrderId], product: Product, round_: int) -> Set[WorkOrderId]:
        """Those of the orders for which it is kept what the service held before this round."""
        order_id = service_results.c.work_order_id
        query = sa.select(order_id).where(service_results.c.product == product, service_results.c.round == round_)
        return {WorkOrderId(row[order_id]) for row in self._session.rows_among(query, order_id, work_order_ids)}

    def look(self, product: Product, round_: int, traces: Mapping[WorkOrderId, Sequence[int] | None]) -> None:
        """Keep what the service held of these orders before this round; the first look of a round counts."""
        rows = [
            {
                "work_order_id": work_order_id,
                "product": product,
                "round": round_,
                "traces_by_identity": None if counts is None else packed(counts),
            }
            for work_order_id, counts in traces.items()
        ]
        self._session.run_each(self._session.insert(service_results).on_conflict_do_nothing(), rows)

    def forgot(self, product: Product, round_: int, removed: Mapping[WorkOrderId, int]) -> None:
        """Keep how many traces went; of repetitions within a round the largest count."""
        rows = [
            {"of_order": work_order_id, "of_product": product, "of_round": round_, "count": count}
            for work_order_id, count in removed.items()
        ]
        self._session.run_each(_FORGOT, rows)

    def prove(self, work_order_ids: Sequence[WorkOrderId], product: Product, absence: Absence) -> None:
        """Keep how it is known that nothing of these orders is left."""
        rows = [{"of_order": each, "of_product": product, "absence": absence} for each in work_order_ids]
        self._session.run_each(_IN_A_PRODUCT, rows)

    def of(self, work_order_id: WorkOrderId) -> Sequence[ServiceResult]:
        """The order's services, all rounds together."""
        return self.of_each([work_order_id]).get(work_order_id, ())

    def of_each(self, work_order_ids: Sequence[WorkOrderId]) -> Mapping[WorkOrderId, Sequence[ServiceResult]]:
        """The same of several orders; those without a service are missing."""
        query = sa.select(service_results).order_by(service_results.c.product, service_results.c.round)
        found: dict[WorkOrderId, dict[Product, list[Row]]] = {}
        for row in self._session.rows_among(query, service_results.c.work_order_id, work_order_ids):
            rounds = found.setdefault(WorkOrderId(row["work_order_id"]), {})
            rounds.setdefault(Product(row["product"]), []).append(row)
        return {each: [_result(*one) for one in rounds.items()] for each, rounds in found.items()}


def _result(product: Product, rounds: Sequence[Row]) -> ServiceResult:
    looks = [each["traces_by_identity"] for each in rounds]
    removed = [each["removed"] for each in rounds if each["removed"] is not None]
    absence = rounds[-1]["absence"]
    return ServiceResult(
        product,
        # A later round meets again what an earlier one left, or what came since.
        None if None in looks else [max(each) for each in zip(*map(unpacked, looks), strict=True)],
        sum(removed) if removed else None,
        None if absence is None else Absence(absence),
    )
