"""What a format of single files must know how to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Protocol

from lethe.domain.dataset import TableFormat
from lethe.engines.matching import Matcher
from lethe.engines.tally import Counts


@dataclass(frozen=True, slots=True)
class Searched:
    """What one file holds."""

    rows: int
    counts: Counts
    identified: bool = True
    """Whether the file has a place for the identity; always true where rows need not say which columns they have."""
    method: str = ""
    """How some of its rows would leave it, for a plan that tells it."""
    fell_back: Mapping[int, str] = field(default_factory=dict)
    """Of a copy: the row groups that did not go that way, each with the reason."""


class FileFormat(Protocol):
    """Searches and copies one file. Pickles."""

    @property
    def format(self) -> TableFormat:
        """The format."""
        ...

    def search(self, source: Any, path: str, matcher: Matcher) -> Searched:
        """Count what matches; `source` is a `pyarrow.NativeFile`. Raises TableRefused."""
        ...

    def copy(self, source: Any, path: str, sink: IO[bytes], matcher: Matcher, *, anew: bool) -> Any:
        """Write the file without the rows that match; with `anew` copy nothing that is encoded already.

        The answer is for `require_same_form` alone.
        """
        ...

    def require_same_form(self, source: Any, result: Any, copied: Any) -> Searched:
        """Compare the copy, read back, with its source; answer what was left out. Raises TableRefused."""
        ...
