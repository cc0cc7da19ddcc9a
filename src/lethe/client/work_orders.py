"""`client.work_orders`: delete people's records, or a dataset, and follow the work."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Final

from pydantic import Field

from lethe.client.answers import Repeat
from lethe.client.errors import LetheError, PartlySubmitted, StillWorking, WorkFailed
from lethe.client.exchange import Exchange
from lethe.client.identities import Identities, Part, one_part, parts_of
from lethe.client.paging import PAGE_SIZE, instant, pages, segment, words
from lethe.client.plan import DatasetResult, IdentityResult, LookUp, Plan, Preview, Results
from lethe.client.result import Result
from lethe.client.signed import Certificate
from lethe.client.waiting import Pace, wait_until
from lethe.client.work_order import WorkOrder

ROOT: Final = "/data/core/hygiene/workorder"
PREVIEW_SECONDS_MAX: Final = 600.0
"""How long a preview may take: it searches whole tables."""

Datasets = str | Sequence[str]
"""One dataset id, several, or `ALL`."""
OnAccepted = Callable[[int, int, WorkOrder], object]
"""Told of every accepted order of several: its number from 1, how many there will be, the order."""


class _Links(Result):
    next: dict[str, Any] | None = None


class _Page(Result):
    results: tuple[WorkOrder, ...]
    links: _Links = Field(alias="_links")


class _ResultsPage(Result):
    workorder_id: str
    status: str
    datasets: tuple[DatasetResult, ...]
    results: tuple[IdentityResult, ...]
    total: int


class WorkOrders:
    """Record deletes and immediate dataset deletes."""

    def __init__(self, exchange: Exchange, pace: Pace) -> None:
        self._exchange = exchange
        self._pace = pace

    def create(
        self,
        datasets: Datasets,
        identities: Identities,
        *,
        display_name: str = "",
        description: str = "",
        target_services: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> WorkOrder:
        """Delete these identities from the datasets and every service. This cannot be undone.

        `identities` are ids by namespace code. Raises InvalidArgument for more than one order takes (see `create_all`),
        and LetheError: QuotaExceeded, Invalid, NotFound, PermissionDenied among others.
        """
        part = one_part(identities)
        return self._create(_body(datasets, part, display_name, description, target_services), idempotency_key)

    def create_all(
        self,
        datasets: Datasets,
        identities: Identities,
        *,
        display_name: str = "",
        description: str = "",
        target_services: Sequence[str] | None = None,
        idempotency_key: str | None = None,
        on_accepted: OnAccepted | None = None,
    ) -> tuple[WorkOrder, ...]:
        """Delete any number of identities: one work order, or as many as it takes, each named `… (2 of 3)`.

        The orders are accepted one after the other. When one is not, PartlySubmitted says which were, and under which
        `idempotency_key` the whole can be sent again without asking twice for those.
        """
        parts = list(parts_of(identities))
        key = idempotency_key or self._exchange.around.new_key()
        accepted: list[WorkOrder] = []
        for number, part in enumerate(parts, 1):
            suffix = f" ({number} of {len(parts)})" if len(parts) > 1 else ""
            body = _body(datasets, part, f"{display_name}{suffix}".strip(), description, target_services)
            try:
                order = self._create(body, f"{key}-{number}" if suffix else key)
            except LetheError as error:
                if not accepted:
                    raise
                raise PartlySubmitted(accepted, len(parts), key) from error
            accepted.append(order)
            if on_accepted is not None:
                on_accepted(number, len(parts), order)
        return tuple(accepted)

    def delete_dataset(
        self,
        dataset_id: str,
        *,
        display_name: str = "",
        description: str = "",
        idempotency_key: str | None = None,
    ) -> WorkOrder:
        """Destroy a whole dataset now. This cannot be undone."""
        body = {"action": "delete_dataset", "datasetId": dataset_id, **_names(display_name, description)}
        return self._create(body, idempotency_key)

    def preview(
        self,
        datasets: Datasets,
        identities: Identities,
        *,
        target_services: Sequence[str] | None = None,
        timeout: float = PREVIEW_SECONDS_MAX,
    ) -> Preview:
        """Show what `create` would do, without doing it. Searches the tables; costs no quota.

        `timeout` is how many seconds the search may take.
        """
        body = _body(datasets, one_part(identities), "", "", target_services)
        return self._exchange.call(
            "POST", f"{ROOT}/preview", Preview, body=body, repeat=Repeat.UNLESS_SLOW, timeout=timeout
        )

    def get(self, work_order_id: str) -> WorkOrder:
        """Look one up, by its id with or without its prefix. Raises NotFound."""
        return self._exchange.get(_path(work_order_id), WorkOrder).bound(self)

    def list(
        self,
        *,
        status: str | Iterable[str] | None = None,
        action: str | Iterable[str] | None = None,
        search: str | None = None,
        author: str | None = None,
        display_name: str | None = None,
        description: str | None = None,
        created_from: datetime | date | str | None = None,
        created_to: datetime | date | str | None = None,
        sandbox: str | None = None,
        order_by: str = "-createdAt",
    ) -> Iterator[WorkOrder]:
        """Every work order that fits, newest first; further pages are fetched as the iteration comes to them."""
        parameters = {
            "status": words(status),
            "type": words(action),
            "search": search,
            "author": author,
            "displayName": display_name,
            "description": description,
            "fromDate": instant(created_from) or (None if created_to is None else "1970-01-01"),
            "toDate": instant(created_to) or (None if created_from is None else "9999-12-31"),
            "sandboxName": sandbox,
            "orderBy": order_by,
        }

        def fetch(number: int) -> tuple[Sequence[WorkOrder], bool]:
            page = self._exchange.get(ROOT, _Page, {**parameters, "limit": PAGE_SIZE, "page": number})
            return [order.bound(self) for order in page.results], page.links.next is not None

        return pages(fetch, lambda order: order.workorder_id)

    def plan(self, work_order_id: str) -> Plan:
        """What the order is going to do, or has done, to each file. Raises NotFound before it is validated."""
        return self._exchange.get(f"{_path(work_order_id)}/plan", Plan)

    def results(self, work_order_id: str) -> Results:
        """What became of each dataset and, iterating, of each identity."""
        first = self._results_page(work_order_id, 0, 1)

        def identities() -> Iterator[IdentityResult]:
            number, given = 0, 0
            while given < first.total:
                page = self._results_page(work_order_id, number, PAGE_SIZE)
                yield from page.results
                given += len(page.results)
                number += 1
                if not page.results:
                    return

        return Results(first.workorder_id, first.status, first.datasets, first.total, identities)

    def lookup(self, work_order_id: str, namespace: str, identity: str) -> LookUp:
        """Whether the order asked for this identity, and what became of it."""
        body = {"namespace": {"code": namespace}, "id": identity}
        return self._exchange.call("POST", f"{_path(work_order_id)}/results/lookup", LookUp, body=body)

    def certificate(self, work_order_id: str) -> Certificate:
        """The signed certificate. Raises NotFound until the order is completed."""
        return self._exchange.get(f"{_path(work_order_id)}/certificate", Certificate)

    def update(
        self, work_order_id: str, *, display_name: str | None = None, description: str | None = None
    ) -> WorkOrder:
        """Change the name or the description, in whatever status the order is."""
        body = {name: text for name, text in _texts(display_name, description).items() if text is not None}
        return self._exchange.call("PUT", _path(work_order_id), WorkOrder, body=body).bound(self)

    def retry(self, work_order_id: str) -> WorkOrder:
        """Take a failed order up again where it failed."""
        return self._exchange.create(f"{_path(work_order_id)}/retry", WorkOrder).bound(self)

    def wait(
        self,
        work_order_id: str,
        timeout: float | None = None,
        on_progress: Callable[[WorkOrder], object] | None = None,
    ) -> WorkOrder:
        """Wait until the order is completed. Raises WorkFailed, StillWorking."""
        order = wait_until(
            lambda seen: seen.has_ended,
            lambda: self.get(work_order_id),
            self._exchange.around,
            timeout_seconds=timeout,
            on_progress=on_progress,
            pace=self._pace,
        )
        if not order.has_ended:
            raise StillWorking(order, f"work order {order.workorder_id}")
        if order.status == "failed":
            raise WorkFailed(order, f"work order {order.workorder_id}")
        return order

    def _create(self, body: object, key: str | None) -> WorkOrder:
        return self._exchange.create(ROOT, WorkOrder, body, key).bound(self)

    def _results_page(self, work_order_id: str, number: int, size: int) -> _ResultsPage:
        return self._exchange.get(f"{_path(work_order_id)}/results", _ResultsPage, {"limit": size, "page": number})


def _path(work_order_id: str) -> str:
    return f"{ROOT}/{segment(work_order_id)}"


def _body(
    datasets: Datasets, part: Part, display_name: str, description: str, target_services: Sequence[str] | None
) -> dict[str, object]:
    body: dict[str, object] = {
        "action": "delete_identity",
        "datasetId": datasets if isinstance(datasets, str) else ",".join(datasets),
        "namespacesIdentities": part.to_wire(),
        **_names(display_name, description),
    }
    return body if target_services is None else body | {"targetServices": list(target_services)}


def _names(display_name: str, description: str) -> dict[str, str]:
    return {name: text for name, text in _texts(display_name, description).items() if text}


def _texts(display_name: str | None, description: str | None) -> dict[str, str | None]:
    return {"displayName": display_name, "description": description}
