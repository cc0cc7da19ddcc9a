"""What became of one identity of a record delete, from what each place held of it and how far that place is.

A place is a dataset or a service. What a place does not hold of an identity is no concern of that identity: it is
neither held nor failed because somebody else's rows are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Protocol


class IdentityOutcome(StrEnum):
    """What became of one identity."""

    DELETED = "deleted"
    """Something of it was deleted, and nothing is left."""
    NOT_FOUND = "notFound"
    """Nothing of it was there."""
    ABSENT = "absent"
    """Nothing of it is left; whether the order deleted anything of it is not known."""
    HELD = "held"
    """Something that holds, or may hold, something of it is still under way."""
    FAILED = "failed"
    """Something that holds, or may hold, something of it was given up."""


class PlaceState(Enum):
    """How far a place is."""

    UNDER_WAY = auto()
    DONE = auto()
    GIVEN_UP = auto()


class Share(Protocol):
    """One place's share in an order."""

    @property
    def state(self) -> PlaceState:
        """How far it is."""
        ...

    def concerns(self, at: int) -> bool:
        """Whether it held, or may have held, something of the identity at this place of the order."""
        ...

    def deleted(self, at: int) -> bool | None:
        """Whether something of that identity was deleted, once it is done; None when nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class DatasetShare:
    """What a dataset held: rows by identity, when it was planned and when they were deleted."""

    state: PlaceState
    planned: Sequence[int]
    rows: Sequence[int]
    """Empty while nothing was deleted."""

    def concerns(self, at: int) -> bool:
        """Whether rows were found, by the plan or since."""
        return self.planned[at] > 0 or self._rows(at) > 0

    def deleted(self, at: int) -> bool | None:
        """Rows that were planned and not deleted went by other means."""
        return True if self._rows(at) else None

    def _rows(self, at: int) -> int:
        return self.rows[at] if self.rows else 0


@dataclass(frozen=True, slots=True)
class ServiceShare:
    """What a service held, as far as it tells."""

    state: PlaceState
    found: Sequence[int] | None
    """Traces by identity; None when it cannot tell them apart, or was not looked at yet."""
    removed: int | None
    """How many traces it says that it removed, of all identities together."""
    is_alone: bool
    """Whether the order has one identity only, so that a count of all is a count of it."""

    def concerns(self, at: int) -> bool:
        """Whether traces were found; of what cannot tell, everybody is concerned."""
        return self.found is None or self.found[at] > 0

    def deleted(self, at: int) -> bool | None:
        """Of a count of several identities nobody knows whose traces they were."""
        if self.found is not None:
            return self.found[at] > 0
        if self.removed is None or (self.removed > 0 and not self.is_alone):
            return None
        return self.removed > 0


def outcome_of(at: int, shares: Sequence[Share]) -> IdentityOutcome:
    """What became of the identity at this place of the order."""
    concerned = [share for share in shares if share.concerns(at)]
    states = {share.state for share in concerned}
    if PlaceState.GIVEN_UP in states:
        return IdentityOutcome.FAILED
    if PlaceState.UNDER_WAY in states:
        return IdentityOutcome.HELD
    deleted = {share.deleted(at) for share in concerned}
    if True in deleted:
        return IdentityOutcome.DELETED
    return IdentityOutcome.ABSENT if None in deleted else IdentityOutcome.NOT_FOUND
