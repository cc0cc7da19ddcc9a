"""Pages and orderings, as both lists take them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from lethe.contract.shape import FILTER_LENGTH_MAX, PLAIN_INTEGER, Query
from lethe.contract.times import parse_from, parse_to, parse_window

PAGE_SIZE_DEFAULT: Final = 25
PAGE_SIZE_MAX: Final = 100
PAGE_NUMBER_MAX: Final = 1_000_000_000

AUTHOR: Final = "Who updated it last: the whole text, or an SQL pattern behind LIKE or NOT LIKE."
SEARCH: Final = "The exact id, or contained in author, display name, description or dataset name."
SANDBOX_NAME: Final = "Another sandbox than the header's, or * for all that the caller may see."


def _day(text: str) -> str:
    parse_window(text)
    return text


def _from(text: str) -> str:
    parse_from(text)
    return text


def _to(text: str) -> str:
    parse_to(text)
    return text


_DAY: Final = "A date, which is its UTC day, or a time, which is the 24 hours from it."
_FROM: Final = "Not before this: a date, from its start, or a time."
_TO: Final = "Not after this: a date, to its end, or a time."
DayText = Annotated[str, Field(max_length=64, description=_DAY, examples=["2024-06-12"]), AfterValidator(_day)]
FromText = Annotated[str, Field(max_length=64, description=_FROM, examples=["2024-01-01"]), AfterValidator(_from)]
ToText = Annotated[str, Field(max_length=64, description=_TO, examples=["2099-01-01"]), AfterValidator(_to)]
OrderByText = Annotated[str, Field(max_length=FILTER_LENGTH_MAX)]


class PageQuery(Query):
    """Which page of a list."""

    limit: Annotated[int, Field(ge=1, le=PAGE_SIZE_MAX, description="Results on a page."), PLAIN_INTEGER] = (
        PAGE_SIZE_DEFAULT
    )
    page: Annotated[int, Field(ge=0, le=PAGE_NUMBER_MAX, description="Which page, counting from 0."), PLAIN_INTEGER] = 0


def order_by_help(words: Mapping[str, str]) -> str:
    """Say what an `orderBy` takes."""
    return f"A comma list of {', '.join(words)}, each with + or - before it, or neither."


def order_keys(text: str, words: Mapping[str, str]) -> list[tuple[str, bool]]:
    """The keys of an `orderBy`: our word, and whether descending. Raises ValueError naming what may stand there.

    A `+` that a query string left unescaped arrives as a space.
    """
    keys = []
    for part in text.split(","):
        descending = part.startswith("-")
        word = part.removeprefix("-") if descending else part.lstrip("+ ")
        if word not in words:
            raise ValueError(f"takes a comma-separated list of {', '.join(words)}, each with an optional + or -")
        keys.append((words[word], descending))
    return keys


def window(
    day: str | None, from_text: str | None, to_text: str | None
) -> tuple[datetime | None, datetime | None] | None:
    """What the three filters on one instant leave: start, and end exclusive; None when none is given."""
    starts, ends = [], []
    if day is not None:
        start, end = parse_window(day)
        starts.append(start)
        ends.append(end)
    if from_text is not None:
        starts.append(parse_from(from_text))
    if to_text is not None:
        ends.append(parse_to(to_text))
    return (max(starts, default=None), min(ends, default=None)) if starts or ends else None
