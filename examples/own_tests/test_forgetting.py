"""How a project tests that it can forget: its tables are made as in production, and a real Lethe deletes from them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lethe.client import Dataset, Lethe

SECONDS_MAX = 60


@pytest.fixture
def orders(lethe: Lethe, tmp_path: Path) -> Dataset:
    """The project's own table, registered with the run's Lethe."""
    table = pa.table({"email": ["ann@example.com", "ben@example.com", "ann@example.com"], "total": [10, 20, 30]})
    pq.write_table(table, tmp_path / "orders.parquet")
    return lethe.datasets.register(
        "Orders", format="parquet", location=str(tmp_path), identity="email", namespace="Email"
    )


def test_a_customer_is_forgotten_and_the_others_are_not(lethe: Lethe, orders: Dataset, tmp_path: Path) -> None:
    """Exactly the customer's rows go."""
    done = lethe.work_orders.create(orders.dataset_id, {"Email": ["ann@example.com"]}).wait(SECONDS_MAX)
    assert done.status == "completed"
    assert pq.read_table(tmp_path).to_pylist() == [{"email": "ben@example.com", "total": 20}]


def test_the_table_goes_when_its_licence_ends(lethe: Lethe, orders: Dataset, tmp_path: Path) -> None:
    """This Lethe takes an expiry that is near."""
    lethe.expirations.create(orders.dataset_id, datetime.now(UTC) + timedelta(seconds=1)).wait(SECONDS_MAX)
    assert not list(tmp_path.glob("*.parquet"))
