"""Lists, page by page, as one iteration."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Final, TypeVar
from urllib.parse import quote

from lethe.client.errors import InvalidArgument
from lethe.contract.times import format_instant

T = TypeVar("T")
PAGE_SIZE: Final = 100


def pages(fetch: Callable[[int], tuple[Sequence[T], bool]], key: Callable[[T], Hashable]) -> Iterator[T]:
    """Every item of a list once; `fetch` gives a page by its number, and whether another follows.

    What arrives while the pages are read moves others from one page to the next, so that they are answered twice.
    """
    seen = set()
    number, more = 0, True
    while more:
        items, more = fetch(number)
        for item in items:
            name = key(item)
            if name not in seen:
                seen.add(name)
                yield item
        number += 1


def words(given: str | Iterable[str] | None) -> str | None:
    """A comma list of one word or several."""
    return given if given is None or isinstance(given, str) else ",".join(given)


def instant(given: datetime | date | str | None) -> str | None:
    """A time for the wire; a date alone stays one. Raises InvalidArgument for a time that does not say its offset."""
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise InvalidArgument("a datetime without a time zone does not say which instant it is")
        return format_instant(given)
    return given.isoformat() if isinstance(given, date) else given


def segment(text: str) -> str:
    """A text as one segment of a path. Raises InvalidArgument for what would lead to another path."""
    if text in {"", ".", ".."}:
        raise InvalidArgument("an id is required")
    return quote(text, safe="")
