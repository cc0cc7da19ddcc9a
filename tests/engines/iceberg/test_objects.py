"""The same on an object store: S3, as moto plays it."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from engines.asking import CRM, asked, order
from engines.iceberg.lake import IDENTIFIER, SCHEMA, Lake, QuietCatalog, people
from lethe.engines.storage.opening import storage_opener

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def made(tmp_path: Path, endpoint: str) -> Lake:

    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    client.create_bucket(Bucket="lake")
    catalog = QuietCatalog(
        "lake",
        **{
            "uri": f"sqlite:///{tmp_path}/catalog.db",
            "warehouse": "s3://lake/wäre house",
            "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
            "s3.endpoint": endpoint,
            "s3.access-key-id": "k",
            "s3.secret-access-key": "s",
            "s3.region": "us-east-1",
        },
    )
    catalog.create_namespace("db")
    catalog.create_table(IDENTIFIER, SCHEMA)
    options = {
        "endpoint": endpoint, "access_key_id": "k", "secret_access_key": "s", "region": "us-east-1",
        "client_options": {"allow_http": True},
    }  # fmt: skip
    return Lake(tmp_path, catalog, opener=storage_opener({"s3": options}))


def test_the_whole_way_on_an_object_store(made: Lake) -> None:
    made.append(people(ANN, "bob", None))
    made.append(people(ANN, first=10))
    made.append(people("cy", first=20))
    assert made.erase(WANTED).tally.rows_matched == 2
    assert made.rows() == [1, 2, 20]
    assert len(made.table.snapshots()) == 1
