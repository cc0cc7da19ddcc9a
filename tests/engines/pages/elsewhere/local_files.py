"""The writers that the tests install anyway: pyarrow, DuckDB, Polars, delta-rs."""

import json
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import deltalake
import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("real", pa.float64()),
        pa.field("single", pa.float32()),
        pa.field("flag", pa.bool_()),
        pa.field("tiny", pa.int8()),
        pa.field("whole", pa.int32()),
        pa.field("day", pa.date32()),
        pa.field("at", pa.timestamp("us", "UTC")),
        pa.field("price", pa.decimal128(9, 2)),
        pa.field("large", pa.decimal128(30, 5)),
        pa.field("raw", pa.binary()),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("who", pa.struct([("mail", pa.string()), ("age", pa.int64())])),
        pa.field("props", pa.map_(pa.string(), pa.int32())),
        pa.field(
            "identityMap", pa.map_(pa.string(), pa.list_(pa.struct([("id", pa.string()), ("primary", pa.bool_())])))
        ),
    ]
)


def rows(count: int) -> pa.Table:
    """What all of these writers write."""
    start = datetime(2020, 9, 13, tzinfo=UTC)
    made = [
        {
            "id": None if n % 11 == 7 else f"user-{n * 37 % 23:04}@example.com",
            "seq": n,
            "real": None if n % 5 == 0 else n / 8,
            "single": n / 4,
            "flag": n % 3 == 0,
            "tiny": n % 120,
            "whole": n * 1_000_003,
            "day": date(2020, 1, 1) + timedelta(days=n % 400),
            "at": start + timedelta(microseconds=n * 1_234_567),
            "price": Decimal(n) / 4,
            "large": Decimal(n * 7),
            "raw": f"raw{n}".encode(),
            "tags": None if n % 7 == 0 else [None if i == 2 else f"tag{i + n % 3}" for i in range(n % 4)],
            "who": None if n % 13 == 0 else {"mail": f"m{n}@x.org", "age": n % 90},
            "props": [(f"k{n % 4}", n)],
            "identityMap": None if n % 9 == 0 else [("CRM", [{"id": f"crm-{n % 31:06}", "primary": n % 2 == 0}])],
        }
        for n in range(count)
    ]
    return pa.Table.from_pylist(made, SCHEMA)


def write(directory: Path, count: int) -> None:
    """The files and `local.json`."""
    table = rows(count)
    manifest: dict[str, Any] = {}
    for version in ("1.0", "2.0"):
        how: dict[str, Any] = {"data_page_version": version, "max_rows_per_page": 30, "write_page_index": True}
        how |= {
            "write_page_checksum": True,
            "bloom_filter_options": {"id": {"ndv": 30, "fpp": 0.05}},
            "row_group_size": 70,
        }
        name = f"pyarrow_v{version[0]}.parquet"
        pq.write_table(table, directory / name, **how)
        manifest[name] = {"writer": f"pyarrow {pa.__version__}", "options": how}
    for version in ("V1", "V2"):
        options = f"FORMAT parquet, PARQUET_VERSION {version}, COMPRESSION zstd, ROW_GROUP_SIZE 2048"
        name = f"duckdb_{version.lower()}.parquet"
        with duckdb.connect() as connection:
            connection.register("t", table)
            connection.execute(f"COPY t TO '{directory / name}' ({options})")
        manifest[name] = {"writer": f"DuckDB {duckdb.__version__}", "options": options}
    plain = table.drop_columns(["props", "identityMap"])
    frame = polars.from_arrow(plain)
    assert isinstance(frame, polars.DataFrame)
    for codec in ("zstd", "snappy"):
        name = f"polars_{codec}.parquet"
        frame.write_parquet(directory / name, compression=codec, data_page_size=400, row_group_size=70)  # type: ignore[arg-type]
        manifest[name] = {"writer": f"Polars {polars.__version__}", "options": {"compression": codec}}
    with tempfile.TemporaryDirectory() as place:
        deltalake.write_deltalake(place, table)
        (file,) = Path(place).glob("*.parquet")
        shutil.copyfile(file, directory / "deltalake.parquet")
    manifest["deltalake.parquet"] = {"writer": f"deltalake {deltalake.__version__}", "options": {}}
    (directory / "local.json").write_text(json.dumps(manifest, indent=1))
