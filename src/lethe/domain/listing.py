"""What a list can be asked for: pages, orders, windows of time, ways to match text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

Item = TypeVar("Item")
Key = TypeVar("Key", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the list, counting pages from 0."""

    number: int = 0
    size: int = 25

    @property
    def offset(self) -> int:
        """Items before this page."""
        return self.number * self.size


@dataclass(frozen=True, slots=True)
class By(Generic[Key]):
    """One key of an ordering."""

    key: Key
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """Instants from `from_at` on, and before `before_at`; None is open."""

    from_at: datetime | None = None
    before_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Exactly:
    """The whole text, letter for letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Like:
    """An SQL LIKE pattern: `%` any run, `_` any one character, case-sensitive; `negated` for NOT LIKE."""

    pattern: str
    negated: bool = False


AuthorMatch = Exactly | Like


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """One page of results, and how many there are on all pages."""

    items: Sequence[Item]
    total: int
    page: Page

    @property
    def page_count(self) -> int:
        """At least 1, for a client that counts pages up to this number would otherwise never stop."""
        return max(1, -(-self.total // self.page.size))
