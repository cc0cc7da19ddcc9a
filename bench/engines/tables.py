"""The tables of the benchmark: 12 columns, zstd, scattered by person or clustered, by e-mail or by identityMap."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS_PER_PERSON = 20
ROW_GROUP = 500_000


def email(person: np.ndarray) -> pa.Array:
    return pa.array([f"user{n:08}@example{n % 7}.com" for n in person.tolist()])


def emails_of(people: range) -> list[str]:
    return [f"user{n:08}@example{n % 7}.com" for n in people]


def block(first: int, rows: int, total: int, layout: str) -> pa.Table:
    """Rows `first` to `first + rows` of a table of `total`."""
    random = np.random.default_rng(first)
    people = total // ROWS_PER_PERSON
    sequence = np.arange(first, first + rows)
    person = sequence // ROWS_PER_PERSON if layout == "clustered" else random.integers(0, people, rows)
    who = email(person)
    instant = 1_600_000_000_000_000 + sequence * 1_000 + random.integers(0, 1000, rows)
    columns: dict[str, Any] = {
        "event_id": pa.array(sequence),
        "email": who,
        "ecid": pa.array([f"{n * 2654435761 % 10**18:038}" for n in person.tolist()]),
        "at": pa.array(instant, pa.timestamp("us", "UTC")),
        "received": pa.array(instant + 5_000_000, pa.timestamp("us", "UTC")),
        "device": pa.StructArray.from_arrays(
            [pa.array(np.array(["ios", "android", "web"])[person % 3]), pa.array(random.integers(1, 20, rows))],
            ["kind", "version"],
        ),
        "page": pa.array(np.array([f"/products/{n}" for n in range(500)])[random.integers(0, 500, rows)]),
        "referrer": pa.array(np.array([f"https://site{n}.example/" for n in range(50)])[random.integers(0, 50, rows)]),
        "country": pa.array(np.array(["de", "fr", "es", "it", "pl"])[person % 5]),
        "price": pa.array(random.integers(0, 10**6, rows)).cast(pa.decimal128(20, 0)).cast(pa.decimal128(22, 2)),
        "quantity": pa.array(random.integers(0, 9, rows), pa.int32()),
        "note": pa.array([f"session-{n:016x}" for n in random.integers(0, 2**62, rows).tolist()]),
    }
    if layout == "identityMap":
        columns["identityMap"] = _identity_map(who)
        del columns["email"]
    return pa.table(columns)


def _identity_map(who: pa.Array) -> pa.Array:
    rows = len(who)
    entries = pa.StructArray.from_arrays(
        [who, pa.array(["authenticated"] * rows), pa.array([True] * rows)], ["id", "authenticatedState", "primary"]
    )
    listed = pa.ListArray.from_arrays(pa.array(np.arange(rows + 1), pa.int32()), entries)
    return pa.MapArray.from_arrays(pa.array(np.arange(rows + 1), pa.int32()), pa.array(["Email"] * rows), listed)


def write(directory: Path, rows: int, layout: str, rows_per_file: int) -> None:
    """A plain Parquet directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(range(0, rows, rows_per_file)):
        with pq.ParquetWriter(
            directory / f"part-{number:04}.parquet", block(0, 1, rows, layout).schema, compression="zstd"
        ) as out:
            for start in range(first, min(first + rows_per_file, rows), ROW_GROUP):
                count = min(ROW_GROUP, first + rows_per_file - start, rows - start)
                out.write_table(block(start, count, rows, layout), row_group_size=ROW_GROUP)
