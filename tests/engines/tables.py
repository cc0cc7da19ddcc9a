"""Tables for tests: one of every type that Parquet knows, with field ids, nulls and nesting."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pyarrow as pa


def field(name: str, kind: pa.DataType, number: int, *, nullable: bool = True) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={b"PARQUET:field_id": str(number).encode()})


ENTRY = pa.struct([("id", pa.string()), ("authenticatedState", pa.string()), ("primary", pa.bool_())])
IDENTITY_MAP = pa.map_(pa.string(), pa.list_(pa.field("element", ENTRY)))

WIDE = pa.schema(
    [
        field("id", pa.string(), 1),
        field("seq", pa.int64(), 2, nullable=False),
        field("small", pa.uint8(), 3),
        field("half", pa.float16(), 4),
        field("real", pa.float64(), 5),
        field("day", pa.date32(), 6),
        field("clock", pa.time64("us"), 7),
        field("local", pa.timestamp("us"), 8),
        field("instant", pa.timestamp("ns", "UTC"), 9),
        field("millis", pa.timestamp("ms", "UTC"), 10),
        field("price", pa.decimal128(9, 2), 11),
        field("big", pa.decimal128(30, 5), 12),
        field("fixed", pa.binary(5), 13),
        field("uid", pa.uuid(), 14),
        field("raw", pa.binary(), 15),
        field("flag", pa.bool_(), 16),
        field("tags", pa.list_(field("element", pa.string(), 18)), 17),
        field("who", pa.struct([field("e.mail", pa.string(), 20), field("n", pa.int32(), 21, nullable=False)]), 19),
        field("attributes", pa.map_(pa.string(), pa.int32()), 22),
        field("identityMap", IDENTITY_MAP, 23),
        field("größe / ' \" . x", pa.large_string(), 24),
    ],
    metadata={b"owner": b"tests", "schlüssel".encode(): "größe".encode()},
)


def row(n: int, person: str | None) -> dict[str, object]:
    """One row, every seventh mostly null."""
    if n % 7 == 6:
        return {"id": person, "seq": n}
    return {
        "id": person,
        "seq": n,
        "small": n % 256,
        "half": np.float16(n / 4),
        "real": float("nan") if n % 5 == 0 else -0.0 if n % 5 == 1 else n / 3,
        "day": date(1969, 12, 30) + timedelta(days=n),
        "clock": time(n % 24, n % 60, 1, n),
        "local": datetime(2020, 1, 1) + timedelta(microseconds=n),  # noqa: DTZ001 - a local time has no zone
        "instant": datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=n),
        "millis": datetime(1960, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n),
        "price": Decimal(n).scaleb(-2),
        "big": Decimal(-n * 10**15).scaleb(-5),
        "fixed": f"{n:05}".encode()[:5],
        "uid": UUID(int=n).bytes,
        "raw": bytes([n % 256, 255, 0]),
        "flag": n % 3 == 0,
        "tags": None if n % 4 == 0 else [f"t{n}", None][: n % 3],
        "who": None if n % 4 == 1 else {"e.mail": person, "n": n},
        "attributes": [("a", n), ("b", None)][: n % 3],
        "identityMap": [("CRM", [{"id": person, "authenticatedState": "ambiguous", "primary": n % 2 == 0}])],
        "größe / ' \" . x": "ß" * (n % 3),
    }


def wide(people: list[str | None], first: int = 0) -> pa.Table:
    """A row for each, numbered from `first`."""
    return pa.Table.from_pylist([row(first + n, person) for n, person in enumerate(people)], schema=WIDE)
