"""What became of one record delete in one service: counts, by identity where the service can tell them apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lethe.domain.absence import Absence
from lethe.domain.product import Product


@dataclass(frozen=True, slots=True)
class ServiceResult:
    """The rounds of one order in one service, taken together."""

    product: Product
    traces_by_identity: Sequence[int] | None
    """How many traces of each identity it held before it was asked to forget; None when it cannot tell."""
    removed: int | None
    """How many traces it says that it removed, at least; None until it has said so."""
    absence: Absence | None
    """None until it was looked at or asked."""

    @property
    def counts(self) -> Mapping[str, int]:
        """The counts, by the names that a certificate gives them."""
        known: Mapping[str, int | None] = {
            "tracesFound": None if self.traces_by_identity is None else sum(self.traces_by_identity),
            "tracesRemoved": self.removed,
            "tracesLeft": 0 if self.absence is Absence.VERIFIED else None,
        }
        return {name: count for name, count in known.items() if count is not None}
