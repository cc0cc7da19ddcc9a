"""Where a table is, in one spelling: no row may be in two datasets, for destroying one would destroy it in the other.

A place is compared, never opened. Whatever could be the same is the same: a registration that is refused wrongly is
spelled anew, a table that is destroyed wrongly is gone.
"""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from lethe.domain.dataset import TableReference
from lethe.domain.errors import InvalidField

_SAME_SCHEME: Final = {
    "s3a": "s3",
    "s3n": "s3",
    "gcs": "gs",
    "abfs": "az",
    "abfss": "az",
    "azure": "az",
    "adl": "az",
}
"""Schemes by which the same objects are named."""


@dataclass(frozen=True, slots=True)
class TablePlace:
    """A table's place among all others: what begins with its root or name, up to the separator, lies inside it."""

    root: str | None
    """Such as `file:/lake/events/` or `s3://bucket/events/`; it ends in a slash."""
    name: str | None
    """Such as `catalog:db.events.`; it ends in a dot. By default, tables then lie inside each other."""

    def meets(self, other: "TablePlace") -> bool:
        """Whether one is, contains or lies inside the other."""
        return _meet(self.root, other.root) or _meet(self.name, other.name)


def place_of(table: TableReference, real: Callable[[str], str] = posixpath.normpath) -> TablePlace:
    """The place of a table; `real` says where a local path leads. Raises InvalidField for what is no location."""
    root = None if table.location is None else _root(table.location, real)
    # Some catalogs fold the case of names, and a catalog's name may hold a dot.
    name = None if table.identifier is None else f"{table.catalog}:{table.identifier.strip().casefold()}."
    return TablePlace(root, name)


def _root(location: str, real: Callable[[str], str]) -> str:
    try:
        parts = urlsplit(location)
        scheme = parts.scheme.lower()
        if scheme in {"", "file"}:
            path = real(unquote(parts.path) if scheme else location)
            return f"file:{_below_root(path)}"
        host = parts.netloc.rpartition("@")[2].casefold()
        return f"{_SAME_SCHEME.get(scheme, scheme)}://{host}{_below_root(posixpath.normpath(unquote(parts.path)))}"
    except ValueError:
        raise InvalidField("is neither a path nor a URL", field="table.location") from None


def _below_root(path: str) -> str:
    """`/a/b/` for `a/b`, `/` for the root."""
    inside = path.strip("/")
    return f"/{inside}/" if inside not in {"", "."} else "/"


def _meet(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and (one.startswith(other) or other.startswith(one))
