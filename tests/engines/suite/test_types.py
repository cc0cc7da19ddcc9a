"""Identities of every type that a format stores, at the top and nested: the whole way, and who is left."""

from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import pyarrow as pa
import pytest

from engines.asking import CRM, asked, order
from engines.plug import Trait
from engines.plugs import having
from engines.suite.conftest import Make
from lethe.domain.dataset import PrimaryIdentity

ONE = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
OTHER = UUID("0f8fad5b-d9cb-469f-a165-70867728950f")


class Kind(NamedTuple):
    """A type of identity; the first of its values is the person's, none of the others is."""

    type: pa.DataType
    asked: tuple[str, ...]
    """Texts of which the first alone names the person."""
    person: Any
    others: tuple[Any, ...]
    needs: tuple[Trait, ...] = ()


KINDS = {
    "string": Kind(
        pa.string(),
        ("ännegret-1", "ännegret"),
        "ännegret-1",
        ("Ännegret-1", "ännegret-1 ", "ännegret-12", "a\u0308nnegret-1", ""),
    ),
    "bytes": Kind(
        pa.binary(),
        ("ännegret-1", "0xff"),
        "ännegret-1".encode(),
        (b"annegret-1", "ännegret-1".encode("latin-1"), "ännegret-1".encode() + b"\0", b"\xff\xfe", b""),
        (Trait.BYTES,),
    ),
    "uuid": Kind(
        pa.uuid(),
        (str(ONE).upper(), ONE.hex, "{" + str(ONE) + "}"),
        ONE.bytes,
        (OTHER.bytes, UUID(int=0).bytes, ONE.bytes_le),
        (Trait.UUIDS,),
    ),
    "int32": Kind(
        pa.int32(), ("70000001", "070000001", "70000001.0"), 70_000_001, (-70_000_001, 70_000_002, 7_000_000, 0)
    ),
    "int64": Kind(
        pa.int64(),
        ("-9007199254740993", "-9007199254740993.0"),
        -9_007_199_254_740_993,
        (9_007_199_254_740_993, -9_007_199_254_740_992, -9_007_199_254_740_994, 2**63 - 1),
    ),
    "decimal": Kind(
        pa.decimal128(12, 2),
        ("70000001.5", "70000001.501"),
        Decimal("70000001.50"),
        (Decimal("-70000001.50"), Decimal("70000001.05"), Decimal("70000001.51"), Decimal("0.00")),
    ),
    "wide decimal": Kind(
        pa.decimal128(38, 0),
        ("70000001000000000000000000000000000009",),
        Decimal(70000001000000000000000000000000000009),
        (Decimal(70000001000000000000000000000000000008), Decimal(9)),
    ),
}
CASES = [
    pytest.param(plug, kind, nested, id=f"{name} {'nested' if nested else 'at the top'} {plug}")
    for name, kind in KINDS.items()
    for plug in having(*kind.needs)
    for nested in (False, True)
]


@pytest.mark.parametrize(("plug", "kind", "nested"), CASES)
def test_the_person_goes_and_nobody_else(make: Make, kind: Kind, nested: bool) -> None:
    values = [kind.person, *kind.others, None, kind.person]
    who = pa.struct([pa.field("the.id", kind.type), pa.field("n", pa.int32())]) if nested else kind.type
    schema = pa.schema(
        [pa.field("seq", pa.int64(), nullable=False), pa.field("who", who), pa.field("note", pa.string())]
    )
    table = make(*(_data(schema, values, first, nested=nested) for first in (0, 100)), schema=schema)
    table.append(_data(schema, list(kind.others), 200, nested=nested))
    before, form = {row["seq"]: row for row in table.rows()}, table.schema()
    selector = PrimaryIdentity(("who", "the.id") if nested else ("who",), "CRM")
    outcome, evidence = table.erase(asked(order(CRM, *kind.asked)), selector)
    assert table.rows() == [row for seq, row in before.items() if seq % 100 not in {0, len(values) - 1} or seq >= 200]
    assert outcome.tally is not None
    assert outcome.tally.orders[0].rows_by_identity == (4, *(0 for _ in kind.asked[1:]))
    assert table.schema() == form
    assert evidence.gone, evidence.residues


def _data(schema: pa.Schema, values: list[Any], first: int, *, nested: bool) -> pa.Table:
    kind = schema.field("who").type
    ids = pa.array(values, (kind.field(0).type if nested else kind))
    if nested:
        numbers = pa.array(range(len(values)), pa.int32())
        # A null struct names nobody, as a null within one does.
        absent = pa.array([n == len(values) - 3 and value is None for n, value in enumerate(values)])
        ids = pa.StructArray.from_arrays([ids, numbers], fields=list(kind), mask=absent)
    numbers = pa.array([first + n for n in range(len(values))], pa.int64())
    return pa.Table.from_arrays([numbers, ids, pa.array([f"note {n}" for n in range(len(values))])], schema=schema)
