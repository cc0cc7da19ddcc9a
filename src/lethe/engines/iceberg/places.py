"""Where files are: one spelling of every location, and the storage that holds it."""

import re
from collections.abc import Sequence
from posixpath import dirname
from typing import Final

from lethe.engines.interface import TableRefused
from lethe.engines.storage.interface import Storage
from lethe.engines.storage.opening import StorageOpener

_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)\Z", re.DOTALL)
_SAME_SCHEME: Final = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}


def canonical(location: str) -> str:
    """A path for a local file, whatever its spelling, and otherwise the URL; without a slash at the end.

    Raises TableRefused for a location with a step upwards: a manifest must not name files by it.
    """
    if ".." in location.split("/"):
        raise TableRefused("a location of the table leads upwards")
    match = _URL.match(location)
    if match is None or match["scheme"] == "file":
        rest = location if match is None else match["rest"]
        return "/" + rest.strip("/")
    scheme = match["scheme"].lower()
    return f"{_SAME_SCHEME.get(scheme, scheme)}:{match['rest']}".rstrip("/")


def below(root: str, location: str) -> str | None:
    """The path of a location relative to a root, both canonical; None when it lies elsewhere."""
    return location[len(root) + 1 :] if location.startswith(f"{root}/") else None


class Places:
    """The table's location, and the directories outside of it in which files of the table lie."""

    def __init__(self, location: str, open_storage: StorageOpener) -> None:
        self.root: Final = canonical(location)
        self._open = open_storage
        self._opened: dict[str, Storage] = {}

    @property
    def storage(self) -> Storage:
        """What holds the table's location."""
        return self._at(self.root)

    def of(self, location: str) -> tuple[Storage, str]:
        """The storage of a file, and its path there."""
        spelled = canonical(location)
        inside = below(self.root, spelled)
        if inside is not None:
            return self.storage, inside
        directory = dirname(spelled)
        return self._at(directory), spelled[len(directory) + 1 :]

    def beside(self, root: str) -> Storage:
        """The storage of another directory, such as the one to which a property sends data files."""
        return self._at(canonical(root))

    @property
    def opened(self) -> Sequence[Storage]:
        """Every storage that was asked for: of the location, and of the directories outside that hold files."""
        return [self.storage, *self._opened.values()]

    def _at(self, root: str) -> Storage:
        if root not in self._opened:
            self._opened[root] = self._open(root)
        return self._opened[root]
