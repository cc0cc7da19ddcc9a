"""`client.expirations`: let whole datasets expire."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Final

from pydantic import Field

from lethe.client.answers import Repeat
from lethe.client.errors import StillWorking, WorkFailed
from lethe.client.exchange import Exchange
from lethe.client.expiration import Expiration, HistoryEntry
from lethe.client.paging import PAGE_SIZE, instant, pages, segment, words
from lethe.client.result import Result
from lethe.client.signed import Certificate
from lethe.client.waiting import Pace, wait_until

ROOT: Final = "/data/core/hygiene/ttl"

Expiry = datetime | date | str
"""An instant; a date alone is midnight UTC; a text is ISO 8601."""


class _Page(Result):
    results: tuple[Expiration, ...]
    total_pages: int = Field(alias="total_pages")


class _WithHistory(Result):
    history: tuple[HistoryEntry, ...] = ()


class Expirations:
    """Dataset expirations. A `key` is an expiration's id or its dataset's."""

    def __init__(self, exchange: Exchange, pace: Pace) -> None:
        self._exchange = exchange
        self._pace = pace

    def create(
        self,
        dataset_id: str,
        expiry: Expiry,
        *,
        display_name: str = "",
        description: str = "",
        idempotency_key: str | None = None,
    ) -> Expiration:
        """Let a dataset expire: it is destroyed at that time, unless the expiration is cancelled before."""
        body = {"datasetId": dataset_id, **_changes(expiry, display_name or None, description or None)}
        return self._exchange.create(ROOT, Expiration, body, idempotency_key).bound(self)

    def get(self, key: str) -> Expiration:
        """Look one up. Raises NotFound."""
        return self._exchange.get(_path(key), Expiration).bound(self)

    def list(
        self,
        *,
        status: str | Iterable[str] | None = None,
        dataset_id: str | None = None,
        dataset_name: str | None = None,
        display_name: str | None = None,
        description: str | None = None,
        search: str | None = None,
        author: str | None = None,
        expiry_from: Expiry | None = None,
        expiry_to: Expiry | None = None,
        sandbox: str | None = None,
        order_by: str = "-updatedAt",
    ) -> Iterator[Expiration]:
        """Every expiration that fits, last changed first; further pages are fetched as the iteration comes to them."""
        parameters = {
            "status": words(status),
            "datasetId": dataset_id,
            "datasetName": dataset_name,
            "displayName": display_name,
            "description": description,
            "search": search,
            "author": author,
            "expiryFromDate": instant(expiry_from),
            "expiryToDate": instant(expiry_to),
            "sandboxName": sandbox,
            "orderBy": order_by,
        }

        def fetch(number: int) -> tuple[Sequence[Expiration], bool]:
            page = self._exchange.get(ROOT, _Page, {**parameters, "limit": PAGE_SIZE, "page": number})
            return [each.bound(self) for each in page.results], number + 1 < page.total_pages

        return pages(fetch, lambda expiration: expiration.ttl_id)

    def update(
        self,
        key: str,
        *,
        expiry: Expiry | None = None,
        display_name: str | None = None,
        description: str | None = None,
    ) -> Expiration:
        """Change a pending one; a new expiry opens a cancelled one again."""
        body = _changes(expiry, display_name, description)
        return self._exchange.call("PUT", _path(key), Expiration, body=body).bound(self)

    def cancel(self, key: str) -> Expiration:
        """Call it off; the dataset stays. Raises NotFound unless it is pending."""
        return self._exchange.call("DELETE", _path(key), Expiration, repeat=Repeat.WHEN_NOTHING_HAPPENED).bound(self)

    def history(self, key: str) -> tuple[HistoryEntry, ...]:
        """Everything that happened to it, oldest first."""
        return self._exchange.get(_path(key), _WithHistory, {"include": "history"}).history

    def certificate(self, key: str) -> Certificate:
        """The signed certificate. Raises NotFound until the expiration is completed."""
        return self._exchange.get(f"{_path(key)}/certificate", Certificate)

    def retry(self, key: str) -> Expiration:
        """Take one of which something was given up, up again where it failed."""
        return self._exchange.create(f"{_path(key)}/retry", Expiration).bound(self)

    def restore(self, key: str) -> Expiration:
        """Bring a dataset back whose expiration executes, while `destroy_after` has not come; it is then cancelled."""
        return self._exchange.create(f"{_path(key)}/restore", Expiration).bound(self)

    def wait(
        self,
        key: str,
        timeout: float | None = None,
        on_progress: Callable[[Expiration], object] | None = None,
    ) -> Expiration:
        """Wait until it is completed or cancelled. Raises WorkFailed, StillWorking."""
        expiration = wait_until(
            lambda seen: seen.has_ended or seen.has_failed,
            lambda: self.get(key),
            self._exchange.around,
            timeout_seconds=timeout,
            on_progress=on_progress,
            pace=self._pace,
        )
        if expiration.has_failed:
            raise WorkFailed(expiration, f"expiration {expiration.ttl_id}")
        if not expiration.has_ended:
            raise StillWorking(expiration, f"expiration {expiration.ttl_id}")
        return expiration


def _path(key: str) -> str:
    return f"{ROOT}/{segment(key)}"


def _changes(expiry: Expiry | None, display_name: str | None, description: str | None) -> dict[str, str]:
    given = {"expiry": instant(expiry), "displayName": display_name, "description": description}
    return {name: text for name, text in given.items() if text is not None}
