"""The rows of the suite: a person each, by one column, and by a field of another whose name no format likes."""

import pyarrow as pa

from engines.plug import Table
from lethe.domain.dataset import PrimaryIdentity

SCHEMA = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("id", pa.string()),
        pa.field("note", pa.string()),
        pa.field("größe \"'. x", pa.struct([pa.field("e.mail", pa.string()), pa.field("n", pa.int32())])),
    ]
)
TRICKY = PrimaryIdentity(("größe \"'. x", "e.mail"), "Email")


def people(*ids: str | None, first: int = 0, notes: dict[int, str] | None = None) -> pa.Table:
    rows = [
        {
            "seq": first + n,
            "id": value,
            "note": (notes or {}).get(n, f"note {n}"),
            "größe \"'. x": None if value is None else {"e.mail": f"{value}@EXAMPLE.com", "n": n},
        }
        for n, value in enumerate(ids)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def left(table: Table) -> list[int]:
    return [row["seq"] for row in table.rows()]
