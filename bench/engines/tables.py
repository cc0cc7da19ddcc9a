"""The tables of the benchmark: 12 columns, zstd, scattered by person or clustered, by e-mail or by identityMap.

The files bear field ids, numbered as Iceberg numbers them, so that one and the same file is a file of a plain
directory, of an Iceberg table and of a Delta table.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

LAYOUTS = ("scattered", "clustered", "identityMap")
ROWS_PER_PERSON = 20
ROW_GROUP = 500_000
ROWS_PER_FILE = 2_500_000
"""About 128 MB where people are scattered; less where they are clustered, whose rows compress better."""


def people(rows: int) -> int:
    """How many a table of so many rows speaks of."""
    return rows // ROWS_PER_PERSON


def wanted(rows: int, count: int) -> list[str]:
    """E-mail addresses of people of the table, drawn at random and always the same."""
    drawn = np.random.default_rng(count).choice(people(rows), min(count, people(rows)), replace=False)
    return emails(drawn).to_pylist()


def emails(person: np.ndarray) -> pa.Array:
    number = pa.array(person.astype(np.int64))
    padded = pc.utf8_lpad(number.cast(pa.string()), 8, "0")
    return pc.binary_join_element_wise("user", padded, "@example", pa.array(person % 7).cast(pa.string()), ".com", "")


def block(first: int, rows: int, total: int, layout: str) -> pa.Table:
    """Rows `first` to `first + rows` of a table of `total`."""
    random = np.random.default_rng(first)
    sequence = np.arange(first, first + rows)
    person = sequence // ROWS_PER_PERSON if layout == "clustered" else random.integers(0, people(total), rows)
    who = emails(person)
    instant = 1_600_000_000_000_000 + sequence * 1_000 + random.integers(0, 1000, rows)
    columns: dict[str, Any] = {
        "event_id": pa.array(sequence),
        "email": who,
        "ecid": _ecid(person),
        "at": pa.array(instant, pa.timestamp("us", "UTC")),
        "received": pa.array(instant + 5_000_000, pa.timestamp("us", "UTC")),
        "device": pa.StructArray.from_arrays(
            [_one_of(["ios", "android", "web"], person % 3), pa.array(random.integers(1, 20, rows))],
            ["kind", "version"],
        ),
        "page": _one_of([f"/products/{n}" for n in range(500)], random.integers(0, 500, rows)),
        "referrer": _one_of([f"https://site{n}.example/" for n in range(50)], random.integers(0, 50, rows)),
        "country": _one_of(["de", "fr", "es", "it", "pl"], person % 5),
        "price": pa.array(random.integers(0, 10**6, rows)).cast(pa.decimal128(20, 0)).cast(pa.decimal128(22, 2)),
        "quantity": pa.array(random.integers(0, 9, rows), pa.int32()),
        "note": pc.binary_join_element_wise("session-", _hexadecimal(random.bytes(16 * rows), 32), ""),
    }
    if layout == "identityMap":
        columns["identityMap"] = _identity_map(who)
        del columns["email"]
    table = pa.table(columns)
    return table.cast(_numbered(table.schema))


def _ecid(person: np.ndarray) -> pa.Array:
    """38 digits that follow no order, as real ones."""
    halves = [person.astype(np.uint64) * np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xD1342543DE82EF95)]
    digits = [pc.utf8_lpad(pa.array(half ^ (half >> np.uint64(29))).cast(pa.string()), 20, "0") for half in halves]
    return pc.utf8_slice_codeunits(pc.binary_join_element_wise(*digits, ""), 2)


def _one_of(texts: list[str], which: np.ndarray) -> pa.Array:
    return pa.array(texts).take(pa.array(which))


def _hexadecimal(data: bytes, digits: int) -> pa.Array:
    text = data.hex().encode()
    offsets = np.arange(0, len(text) + 1, digits, dtype=np.int32)
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(text))


def _identity_map(who: pa.Array) -> pa.Array:
    rows = len(who)
    entries = pa.StructArray.from_arrays(
        [who, pa.array(["authenticated"] * rows), pa.array([True] * rows)], ["id", "authenticatedState", "primary"]
    )
    listed = pa.ListArray.from_arrays(pa.array(np.arange(rows + 1), pa.int32()), entries)
    return pa.MapArray.from_arrays(pa.array(np.arange(rows + 1), pa.int32()), pa.array(["Email"] * rows), listed)


def _numbered(schema: Any) -> Any:
    """With field ids as Iceberg gives them to a new table."""
    from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids, schema_to_pyarrow
    from pyiceberg.schema import assign_fresh_schema_ids

    fresh = assign_fresh_schema_ids(_pyarrow_to_schema_without_ids(schema))
    return _narrow(schema_to_pyarrow(fresh))


def _narrow(schema: Any) -> Any:
    """With the strings of most writers: pyiceberg names large ones."""

    def narrowed(field: Any) -> Any:
        kind = field.type
        if pa.types.is_large_string(kind):
            kind = pa.string()
        elif pa.types.is_struct(kind):
            kind = pa.struct([narrowed(kind.field(i)) for i in range(kind.num_fields)])
        elif pa.types.is_map(kind):
            kind = pa.map_(narrowed(kind.key_field), narrowed(kind.item_field))
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            kind = pa.list_(narrowed(kind.value_field))
        return field.with_type(kind)

    return pa.schema([narrowed(field) for field in schema])


def write(directory: Path, rows: int, layout: str) -> None:
    """A plain Parquet directory."""
    directory.mkdir(parents=True, exist_ok=True)
    schema = block(0, 1, rows, layout).schema
    for number, first in enumerate(range(0, rows, ROWS_PER_FILE)):
        with pq.ParquetWriter(directory / f"part-{number:04}.parquet", schema, compression="zstd") as out:
            for start in range(first, min(first + ROWS_PER_FILE, rows), ROW_GROUP):
                count = min(ROW_GROUP, first + ROWS_PER_FILE - start, rows - start)
                out.write_table(block(start, count, rows, layout), row_group_size=ROW_GROUP)
