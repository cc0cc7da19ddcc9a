"""Which rows match: the one place that decides, for every format and every phase.

A matcher is compiled once from the orders of a pass and applied to Arrow tables. It answers with a mask and with counts
per order and per identity, in one vectorised pass. A null identity never matches, and neither does a row without the
column: the mask has no nulls, so that its inversion keeps such rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.identity import Hasher, fold
from lethe.domain.namespace import Namespace
from lethe.engines.columns import at_path, folded, identity_map_entries, is_text, plain
from lethe.engines.interface import IdentityMap, Selector, Wanted
from lethe.engines.keys import TypedKeys, spoken, spread, typed
from lethe.engines.tally import Counts, Numbers


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """The distinct ids of one namespace code that are compared alike."""

    folded_code: str
    case_insensitive: bool
    texts: tuple[str, ...]
    first_key: int
    """The position of the group's first id among all keys of the matcher."""

    @property
    def size(self) -> int:
        """How many keys it has."""
        return len(self.texts)

    def __repr__(self) -> str:
        """Counts only: an object in a log or a traceback must not speak."""
        return f"KeyGroup({self.folded_code}, {len(self.texts)})"


@dataclass(frozen=True, slots=True)
class HashGroup:
    """The distinct keyed hashes of one namespace: values are recognised, and cannot be listed."""

    namespace: Namespace
    hasher: Hasher = field(repr=False)
    digests: tuple[bytes, ...] = field(repr=False)
    first_key: int
    """As of a `KeyGroup`."""

    @property
    def folded_code(self) -> str:
        """The namespace's code, folded."""
        return self.namespace.folded_code

    @property
    def size(self) -> int:
        """How many keys it has."""
        return len(self.digests)

    def lookup(self, values: Any) -> tuple[Numbers, Numbers]:
        """Positions in `values` that hold a known id, and which: each distinct value is hashed once."""
        distinct = pc.drop_null(values.unique())
        places, texts = spoken(distinct)
        keys = {digest: key for key, digest in enumerate(self.digests)}
        digests = self.hasher.hashes(self.namespace, texts)
        # Two texts of a value may have one hash: where case is folded, both letter cases of a uuid do.
        known = {(place, keys[digest]) for place, digest in zip(places, digests, strict=True) if digest in keys}
        if not known:
            return _EMPTY, _EMPTY
        places_known, keys_known = np.array(sorted(known), dtype=np.int64).T
        taken, positions = np.unique(places_known, return_inverse=True)
        return _where(values, TypedKeys.of(distinct.take(pa.array(taken)), positions, keys_known))


@dataclass(frozen=True, slots=True)
class Matches:
    """What one table matched."""

    mask: Any
    """`pyarrow.BooleanArray`, one entry a row, without nulls: the row matches."""
    counts: Counts


@dataclass(frozen=True, slots=True)
class PlainKeys:
    """Values that are wanted, as a page of a Parquet file holds them."""

    count: int
    plain: bytes = field(repr=False)
    """One behind the other: numbers in their width, strings behind their lengths."""
    folded: bool
    """Whether letter case does not count for some of them: then all have small letters where they are ASCII."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """The compiled question of a pass."""

    selector: Selector
    groups: tuple[KeyGroup | HashGroup, ...]
    key_of_slot: Numbers
    """For each identity of the pass, in the order of the orders, its key; -1 where the selector cannot match it."""
    order_of_slot: Numbers
    order_count: int
    _typed: dict[tuple[int, Any], TypedKeys] = field(default_factory=dict, repr=False, compare=False)
    _sorted: dict[tuple[int, Any], list[Any]] = field(default_factory=dict, repr=False, compare=False)
    _plain: dict[Any, PlainKeys] = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> tuple[Any, ...]:
        """Without the cache: a worker rebuilds what it needs."""
        return (self.selector, self.groups, self.key_of_slot, self.order_of_slot, self.order_count)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        names = ("selector", "groups", "key_of_slot", "order_of_slot", "order_count")
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)
        for cache in ("_typed", "_sorted", "_plain"):
            object.__setattr__(self, cache, {})

    def at(self, selector: Selector) -> "Matcher":
        """The same question for a file that knows the column by another name or path."""
        return replace(self, selector=selector)

    def sorted_keys(self, group: int, column: Any) -> Sequence[Any]:
        """The values of a `pyarrow.DataType` that a group wants, text as UTF-8 bytes, ascending: for bounds."""
        known = self._sorted.get((group, column))
        if known is None:
            values = self._keys(group, column).values.to_pylist()
            known = sorted(value.encode() if isinstance(value, str) else value for value in values)
            self._sorted[group, column] = known
        return known

    def plain_keys(self, column: Any) -> PlainKeys:
        """The values of a `pyarrow.DataType` that all groups want."""
        known = self._plain.get(column)
        if known is None:
            values = [value for group in range(len(self.groups)) for value in self.sorted_keys(group, column)]
            folded = is_text(column) and any(_folds(group) for group in self.groups)
            if folded:
                values = [value.lower() for value in values]
            if pa.types.is_integer(column):
                width, signed = column.bit_width // 8, pa.types.is_signed_integer(column)
                plain = b"".join(value.to_bytes(width, "little", signed=signed) for value in values)
            elif pa.types.is_fixed_size_binary(column):
                plain = b"".join(values)
            else:
                plain = b"".join(len(value).to_bytes(4, "little") + value for value in values)
            known = self._plain[column] = PlainKeys(len(values), plain, folded)
        return known

    def columns(self, schema: Any) -> Sequence[str]:
        """The columns of a file's `pyarrow.Schema` that deciding needs; none when no row of the file can match."""
        match self.selector:
            case PrimaryIdentity(path=path):
                return [".".join(path)] if at_path(schema, path) is not None else []
            case IdentityMap(column=column):
                return [column] if schema.get_field_index(column) >= 0 else []

    def match(self, table: Any, *beside: Any) -> Matches:
        """Which rows of a `pyarrow.Table` match. Raises TableRefused for a column that cannot hold identities.

        Tables `beside` it have the same rows, and name the same person by values of another type.
        """
        rows, keys = self._pairs(table)
        for other in beside:
            more, its = self._pairs(other)
            rows, keys = self._distinct(np.concatenate([rows, more]), np.concatenate([keys, its]))
        if not len(rows):
            return Matches(_mask(np.zeros(table.num_rows, dtype=np.bool_)), Counts())
        mask = np.zeros(table.num_rows, dtype=np.bool_)
        mask[rows] = True
        return Matches(_mask(mask), self._counts(int(mask.sum()), rows, keys))

    def _pairs(self, table: Any) -> tuple[Numbers, Numbers]:
        """Every (row, key) that agree, each once."""
        pairs = [(rows, group.first_key + keys) for group, rows, keys in self._found(table) if len(rows)]
        if not pairs:
            return _EMPTY, _EMPTY
        rows = np.concatenate([r for r, _ in pairs])
        keys = np.concatenate([k for _, k in pairs])
        if isinstance(self.selector, PrimaryIdentity):
            return rows, keys
        return self._distinct(rows, keys)

    def _distinct(self, rows: Numbers, keys: Numbers) -> tuple[Numbers, Numbers]:
        if not len(rows):
            return rows, keys
        distinct = np.unique(rows * self._key_count + keys)
        return distinct // self._key_count, distinct % self._key_count

    def _found(self, table: Any) -> Iterator[tuple[KeyGroup | HashGroup, Numbers, Numbers]]:
        """Per group, rows and the keys (within the group) that they name."""
        if not table.num_rows or not self.groups:
            return
        match self.selector:
            case PrimaryIdentity(path=path):
                values = at_path(table, path)
                if values is None:
                    return
                values = plain(values)
                for position, group in enumerate(self.groups):
                    found, keys = self._lookup(position, group, values)
                    yield group, found, keys
            case IdentityMap(column=column):
                if table.schema.get_field_index(column) < 0:
                    return
                for entries in identity_map_entries(table.column(column)):
                    for position, group in enumerate(self.groups):
                        mine = entries.of_namespace(group.folded_code)
                        found, keys = self._lookup(position, group, plain(mine.ids))
                        yield group, mine.rows[found], keys

    def _lookup(self, position: int, group: KeyGroup | HashGroup, values: Any) -> tuple[Numbers, Numbers]:
        """Positions in `values` that hold a wanted id, and which."""
        if not len(values) or pa.types.is_null(values.type):
            return _EMPTY, _EMPTY
        if isinstance(group, HashGroup):
            return group.lookup(values)
        wanted = self._keys(position, values.type)
        if not len(wanted.values):
            return _EMPTY, _EMPTY
        return _where(folded(values) if group.case_insensitive else values, wanted)

    def _keys(self, position: int, column: Any) -> TypedKeys:
        known = self._typed.get((position, column))
        if known is None:
            group = self.groups[position]
            if isinstance(group, HashGroup):
                raise TypeError("the values behind hashes cannot be listed")
            known = self._typed[position, column] = typed(group.texts, column)
        return known

    @property
    def _key_count(self) -> int:
        return sum(group.size for group in self.groups)

    def _counts(self, matched: int, rows: Numbers, keys: Numbers) -> Counts:
        by_key = np.bincount(keys, minlength=self._key_count)
        wanted = self.key_of_slot >= 0
        by_slot = np.zeros(len(self.key_of_slot), dtype=np.int64)
        by_slot[wanted] = by_key[self.key_of_slot[wanted]]
        if len(rows) == matched:
            by_order = np.bincount(self.order_of_slot, weights=by_slot, minlength=self.order_count).astype(np.int64)
        else:
            by_order = self._rows_per_order(rows, keys)
        return Counts(matched, by_order, by_slot)

    def _rows_per_order(self, rows: Numbers, keys: Numbers) -> Numbers:
        """Rows per order when one row may name several identities of the same order."""
        slots = np.flatnonzero(self.key_of_slot >= 0)
        slots = slots[np.argsort(self.key_of_slot[slots], kind="stable")]
        times = np.bincount(self.key_of_slot[slots], minlength=self._key_count)
        named, orders = spread(rows, keys, times, self.order_of_slot[slots])
        distinct = np.unique(named * self.order_count + orders)
        return np.bincount(distinct % self.order_count, minlength=self.order_count)


_EMPTY: Numbers = np.zeros(0, dtype=np.int64)


def _folds(group: KeyGroup | HashGroup) -> bool:
    return isinstance(group, KeyGroup) and group.case_insensitive


def _where(values: Any, wanted: TypedKeys) -> tuple[Numbers, Numbers]:
    """Positions in `values` that hold one of the wanted, each with every key that names it."""
    index = pc.index_in(values, value_set=wanted.values)
    where = pc.indices_nonzero(pc.is_valid(index)).to_numpy(zero_copy_only=False).astype(np.int64)
    which = index.drop_null().to_numpy(zero_copy_only=False).astype(np.int64)
    return wanted.named(where, which)


def _mask(values: Any) -> Any:
    return pa.array(values, type=pa.bool_())


_Kind = tuple[str, bool] | tuple[Namespace, Hasher]
"""What the identities of a group have in common."""


class _Run(NamedTuple):
    """The identities of one order in one namespace."""

    order: int
    kind: _Kind | None
    """None where the selector cannot match them."""
    places: Sequence[int]
    """Of each among the keys of its group."""


def compile_matcher(selector: Selector, wanted: Wanted) -> Matcher:
    """The question that a pass asks of every row.

    Namespaces meet by their folded code. Ids of a case-insensitive namespace are compared by their folded form.
    A primary identity is asked for its own namespace alone.
    """
    only = selector.namespace_code.casefold() if isinstance(selector, PrimaryIdentity) else None

    def passed_by(namespace: Namespace) -> bool:
        return only is not None and namespace.folded_code != only

    texts: dict[tuple[str, bool], dict[str, int]] = {}
    runs: list[_Run] = []
    for position, order in enumerate(wanted.orders):
        for namespace, values in order.identities.by_namespace.items():
            if passed_by(namespace):
                runs.append(_Run(position, None, [-1] * len(values)))
                continue
            kind = (namespace.folded_code, namespace.case_insensitive)
            known = texts.setdefault(kind, {})
            compared = map(fold, values) if namespace.case_insensitive else values
            runs.append(_Run(position, kind, [known.setdefault(text, len(known)) for text in compared]))
    hashed: dict[tuple[Namespace, Hasher], dict[bytes, int]] = {}
    for position, recognised in enumerate(wanted.hashed, len(wanted.orders)):
        for namespace, digests in recognised.identities.by_namespace.items():
            if passed_by(namespace):
                runs.append(_Run(position, None, [-1] * len(digests)))
                continue
            mine = namespace, recognised.identities.hasher
            digests_known = hashed.setdefault(mine, {})
            places = [digests_known.setdefault(digest, len(digests_known)) for digest in digests]
            runs.append(_Run(position, mine, places))
    groups: dict[_Kind, KeyGroup | HashGroup] = {}
    first = 0
    for (code, case_insensitive), known in texts.items():
        groups[code, case_insensitive] = KeyGroup(code, case_insensitive, tuple(known), first)
        first += len(known)
    for (namespace, hasher), digests_known in hashed.items():
        groups[namespace, hasher] = HashGroup(namespace, hasher, tuple(digests_known), first)
        first += len(digests_known)
    firsts = (0 if run.kind is None else groups[run.kind].first_key for run in runs)
    keys = [np.array(run.places, dtype=np.int64) + first for run, first in zip(runs, firsts, strict=True)]
    orders = [np.full(len(run.places), run.order, dtype=np.int64) for run in runs]
    return Matcher(
        selector,
        tuple(groups.values()),
        np.concatenate([_EMPTY, *keys]),
        np.concatenate([_EMPTY, *orders]),
        len(wanted.orders) + len(wanted.hashed),
    )
