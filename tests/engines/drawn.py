"""Drawn tables of people: types, nesting, nulls and partitions, and who of them is asked for; and the rule, plainly."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
from hypothesis import strategies as st

from engines.asking import CRM, EMAIL, asked, order
from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.namespace import Namespace
from lethe.engines.interface import IdentityMap, Selector, Wanted
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter

PEOPLE = [
    "annegret@example.com",
    "ANNEGRET@example.com",
    "bob",
    "straße-7",
    "STRASSE-7",
    "x",
    "annegret@example.co",
    "ñandú",
    "dee-deegret-77",
    "日本語の人",
]
ENTRY = pa.struct([("id", pa.string()), ("primary", pa.bool_())])
MAP = pa.map_(pa.string(), pa.list_(ENTRY))
person = st.sampled_from(PEOPLE) | st.sampled_from([*PEOPLE, None]) | st.none() | st.text(max_size=6)
digits = st.none() | st.lists(st.none() | st.integers(0, 9), max_size=2)
deep = st.none() | st.fixed_dictionaries({"a": digits})
pair = st.tuples(st.text(max_size=2), st.integers(0, 9))
Sides = Mapping[str, tuple[pa.DataType, st.SearchStrategy[Any]]]
SIDE: Sides = {
    "text": (pa.string(), person),
    "large": (pa.large_string(), person),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), person),
    "number": (pa.int64(), st.none() | st.integers(-(2**63), 2**63 - 1)),
    "real": (pa.float64(), st.none() | st.floats(allow_nan=False)),
    "raw": (pa.binary(), st.none() | st.binary(max_size=5)),
    "decimal": (pa.decimal128(12, 3), st.none() | st.decimals(-999, 999, places=3)),
    "when": (pa.timestamp("us", "UTC"), st.none() | st.integers(-(2**55), 2**55)),
    "list": (pa.list_(pa.string()), st.none() | st.lists(person, max_size=3)),
    "deep": (pa.list_(pa.struct([("a", pa.list_(pa.int32()))])), st.none() | st.lists(deep, max_size=2)),
    "map": (pa.map_(pa.string(), pa.int32()), st.none() | st.lists(pair, max_size=2)),
    "flag": (pa.bool_(), st.none() | st.booleans()),
}
ARROW_ALONE: Final = isinstance(best_rewriter(), PyarrowRewriter)
"""As on a machine without a compiler: Arrow renames the group within a map, and is refused lists in lists."""
_NOT_IN_LAKES: Final = {"large", "dictionary"} | ({"deep"} if ARROW_ALONE else set())
SIDE_OF_LAKES: Final[Sides] = {name: of for name, of in SIDE.items() if name not in _NOT_IN_LAKES} | {
    "map": (SIDE["map"][0], st.none() | st.lists(pair, max_size=2, unique_by=lambda entry: entry[0])),
}
"""Without what only Arrow knows, and with keys that stand once."""
entries = st.none() | st.lists(
    st.tuples(
        st.sampled_from(["CRM", "crm", "Email", "ECID"]),
        st.none()
        | st.lists(st.none() | st.fixed_dictionaries({"id": person, "primary": st.none() | st.booleans()}), max_size=3),
    ),
    max_size=3,
    unique_by=lambda pair: pair[0],
)
ID_TYPES = [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.binary()]
PLACES = ["Zürich", "a b/%2F=", "日本", "", None]
PART = "part"


@dataclass(frozen=True)
class Drawn:
    """A table, and who is asked for."""

    shape: str
    """`flat`, `nested` in a struct, or `map`."""
    files: list[pa.Table]
    """Their rows are numbered by `seq`, through all of them."""
    selector: Selector
    namespace: Namespace
    ids: list[str]

    @property
    def wanted(self) -> Wanted:
        return asked(order(self.namespace, *self.ids))

    @property
    def column(self) -> str:
        """The column that names the person."""
        return self.selector.path[-1] if isinstance(self.selector, PrimaryIdentity) else self.selector.column

    def names(self, row: Mapping[str, Any]) -> list[str]:
        """Whom a row names, in the plainest words."""
        if isinstance(self.selector, PrimaryIdentity):
            value: Any = row
            for name in self.selector.path:
                value = None if value is None else value[name]
            candidates = [value]
        else:
            candidates = [
                entry["id"]
                for code, listed in row[self.column] or []
                if code.casefold() == self.namespace.code.casefold()
                for entry in listed or []
                if entry is not None and entry["primary"]
            ]
        return [c.decode() if isinstance(c, bytes) else c for c in candidates if c is not None]

    def is_named(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is one of the people's."""
        texts = self.names(row)
        if self.namespace.case_insensitive:
            return any(text.casefold() == wanted.casefold() for text in texts for wanted in self.ids)
        return any(text in self.ids for text in texts)


@st.composite
def tables(
    draw: st.DrawFn,
    sides: Sides = SIDE,
    id_types: Sequence[pa.DataType] = ID_TYPES,
    name: str = "wer.?",
    *,
    partitioned: bool = False,
    field_ids: bool = True,
) -> Drawn:
    """Up to three files of one schema; with the column `part` at the end if they are partitioned by it."""
    shape = draw(st.sampled_from(["flat", "nested", "map"]))
    others = draw(st.lists(st.sampled_from(sorted(sides)), max_size=4, unique=True))
    id_type = draw(st.sampled_from(id_types)) if shape != "map" else MAP
    inner = pa.field(name, id_type)
    fields = [pa.field("seq", pa.int64(), nullable=False)]
    fields.append(pa.field("person", pa.struct([inner, pa.field("n", pa.int32())])) if shape == "nested" else inner)
    fields += [
        pa.field(other, sides[other][0], metadata={"PARQUET:field_id": str(n + 50)} if field_ids else None)
        for n, other in enumerate(others)
    ]
    if partitioned:
        fields.append(pa.field(PART, pa.string()))
    schema = pa.schema(fields, metadata={"k": "v"})
    files, seq = [], 0
    for _ in range(draw(st.integers(1, 3))):
        rows = []
        for _ in range(draw(st.integers(0, 12) | st.integers(6, 12))):
            who = draw(entries) if shape == "map" else draw(person)
            if pa.types.is_binary(id_type) and who is not None:
                who = who.encode("utf-8", "replace")
            row: dict[str, Any] = {"seq": seq, **{other: draw(sides[other][1]) for other in others}}
            if shape == "nested":
                row["person"] = draw(st.none() | st.just({name: who, "n": seq}))
            else:
                row[name] = who
            if partitioned:
                row[PART] = draw(st.sampled_from(PLACES))
            rows.append(row)
            seq += 1
        files.append(pa.Table.from_pylist(rows, schema=schema))
    namespace = draw(st.sampled_from([CRM, EMAIL]))
    path = ("person", name) if shape == "nested" else (name,)
    selector: Selector = IdentityMap(name) if shape == "map" else PrimaryIdentity(path, namespace.code)
    ids = draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=6, unique=True))
    if namespace.case_insensitive:
        ids = list({value.casefold(): value for value in ids}.values())
    return Drawn(shape, files, selector, namespace, ids)


def examples(count: int) -> int:
    """How many examples a property is tried with: `make properties` tries many times as many."""
    return count * int(os.environ.get("LETHE_EXAMPLES", "1"))
