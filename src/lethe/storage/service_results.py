"""What became of record deletes in services. It holds counts; never an identity."""

from collections.abc import Sequence, Set
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.absence import Absence
from lethe.domain.ids import WorkOrderId
from lethe.domain.product import Product
from lethe.domain.service_result import ServiceResult
from lethe.storage.counts import packed, unpacked
from lethe.storage.schema import service_results
from lethe.storage.session import Row, Session


class SqlServiceResults:
    """Implements `interface.ServiceResults`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def looks(self, work_order_ids: Sequence[WorkOrderId], product: Product, round_: int) -> Set[WorkOrderId]:
        """Those of the orders for which it is kept what the service held before this round."""
        order_id = service_results.c.work_order_id
        query = sa.select(order_id).where(service_results.c.product == product, service_results.c.round == round_)
        return {WorkOrderId(row[order_id]) for row in self._session.rows_among(query, order_id, work_order_ids)}

    def look(self, work_order_id: WorkOrderId, product: Product, round_: int, traces: Sequence[int] | None) -> None:
        """Keep what the service held before this round; the first look of a round counts."""
        insert = self._session.insert(service_results).values(
            work_order_id=work_order_id,
            product=product,
            round=round_,
            traces_by_identity=None if traces is None else packed(traces),
        )
        self._session.run(insert.on_conflict_do_nothing())

    def forgot(self, work_order_id: WorkOrderId, product: Product, round_: int, removed: int) -> None:
        """Keep how many traces went; of repetitions within a round the largest count."""
        column = service_results.c
        update = service_results.update().where(*_of(work_order_id, product), column.round == round_)
        self._session.run(
            update.where(sa.or_(column.removed.is_(None), column.removed < removed)).values(removed=removed)
        )

    def prove(self, work_order_id: WorkOrderId, product: Product, absence: Absence) -> None:
        """Keep how it is known that nothing is left."""
        update = service_results.update().where(*_of(work_order_id, product))
        self._session.run(update.values(absence=absence))

    def of(self, work_order_id: WorkOrderId) -> Sequence[ServiceResult]:
        """The order's services, all rounds together."""
        query = sa.select(service_results).where(service_results.c.work_order_id == work_order_id)
        rows = self._session.rows(query.order_by(service_results.c.product, service_results.c.round))
        by_product: dict[Product, list[Row]] = {}
        for row in rows:
            by_product.setdefault(Product(row["product"]), []).append(row)
        return [_result(product, rounds) for product, rounds in by_product.items()]


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


def _of(work_order_id: UUID, product: Product) -> tuple[sa.ColumnElement[bool], ...]:
    return service_results.c.work_order_id == work_order_id, service_results.c.product == product
