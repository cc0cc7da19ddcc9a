"""The identity as a partition column: then it stands in paths and in the log alone, and metadata decides.

Such a file matches whole or not at all, and is never opened, except for its footer when nothing else says how many rows
it has.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.delta.actions import AddFile, Metadata
from lethe.engines.delta.column_mapping import ColumnMapping, selector_path
from lethe.engines.interface import Selector, TableRefused
from lethe.engines.matching import Matcher
from lethe.engines.tally import Counts

_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
_DECIMAL: Final = re.compile(r"decimal\((\d+),\s*(-?\d+)\)\Z")
_TYPES: Final[Mapping[str, Any]] = {
    "string": pa.string(),
    "long": pa.int64(),
    "integer": pa.int32(),
    "short": pa.int16(),
    "byte": pa.int8(),
}


@dataclass(frozen=True, slots=True)
class PartitionIdentity:
    """The partition column that names the person."""

    column: str
    """The table's name of it."""
    physical_name: str
    """Its key in a file's partition values."""
    kind: Any
    """`pyarrow.DataType`."""

    @classmethod
    def of(cls, metadata: Metadata, mapping: ColumnMapping, selector: Selector) -> "PartitionIdentity | None":
        """The column, or None when the identity is an ordinary one. Raises TableRefused for an unreadable type."""
        if not isinstance(selector, PrimaryIdentity) or len(selector.path) != 1:
            return None
        column = selector.path[0]
        if column not in metadata.partition_columns:
            return None
        return cls(column, mapping.physical_name(column), _type(mapping.field((column,))["type"]))

    def matches(self, adds: Iterable[AddFile], matcher: Matcher) -> Mapping[str, Counts]:
        """For each wanted value of the files, as the log spells it, what a single row of it counts."""
        texts = list(dict.fromkeys(text for add in adds if (text := self._text(add)) is not None))
        found = matcher.match(self._table(texts))
        return {
            text: matcher.match(self._table([text])).counts
            for text, matched in zip(texts, found.mask.to_pylist(), strict=True)
            if matched
        }

    def of_a_row(self, add: AddFile, matches: Mapping[str, Counts]) -> Counts:
        """What each row of a file counts, live or hidden; nothing where its partition does not match."""
        return matches.get(self._text(add) or "", Counts())

    def _text(self, add: AddFile) -> str | None:
        """The protocol reads the empty text as null."""
        text = add.partition_values.get(self.physical_name)
        return None if text in {None, "", _NULL} else text

    def _table(self, texts: list[str]) -> Any:
        return pa.table({self.column: pa.array([self._value(text) for text in texts], type=self.kind)})

    def _value(self, text: str) -> str | int | Decimal:
        try:
            if pa.types.is_integer(self.kind):
                return int(text)
            if pa.types.is_decimal(self.kind):
                return Decimal(text)
        except (ValueError, InvalidOperation):
            raise TableRefused("a partition value is not of its column's type") from None
        return text


def may_be_in_paths(metadata: Metadata, selector: Selector) -> bool:
    """Whether directories may be named by identities, so that reports must not name them."""
    return selector_path(selector)[0] in metadata.partition_columns


def _type(declared: Any) -> Any:
    if declared in _TYPES:
        return _TYPES[declared]
    found = _DECIMAL.match(declared) if isinstance(declared, str) else None
    if found is None:
        raise TableRefused("the identity is a partition column of a type that cannot hold identities")
    return pa.decimal128(int(found[1]), int(found[2]))
