"""Which tables are refused, and by what name; nothing is changed in them."""

from pathlib import Path
from typing import Any

import pytest

from engines.asking import CRM, asked, order
from engines.delta.lake import (
    AT_ONCE,
    MARKER,
    NOW,
    commit,
    data_files,
    engine,
    metadata,
    people,
    protocol,
    target,
    write,
)
from lethe.domain.ids import DatasetId
from lethe.domain.plan import TablePlan
from lethe.engines.interface import NeverWill, TableRefused

WANTED = asked(order(CRM, "ann"))

REFUSED: dict[str, Any] = {
    "append-only": {"delta__appendOnly": "true"},
    "change data feed": {"delta__enableChangeDataFeed": "true"},
    "row tracking": {"delta__enableRowTracking": "true"},
    "enableIcebergCompatV2": {"delta__enableIcebergCompatV2": "true"},
    "universalFormat": {"delta__universalFormat__enabledFormats": "iceberg"},
    "coordinatedCommits": {"delta__coordinatedCommits__commitCoordinator-preview": "dynamodb"},
    "column mapping mode": {"delta__columnMapping__mode": "other"},
}


def refused(root: Path, reason: str) -> None:
    before = data_files(root)
    table, plan = target(root), TablePlan(DatasetId("d1"), "0", [])
    with pytest.raises(TableRefused, match=reason):
        engine().find(table, WANTED)
    outcome = engine().forget(table, WANTED, plan, MARKER)
    assert isinstance(outcome, NeverWill)
    assert reason in outcome.reason
    if reason != "column mapping mode":
        with pytest.raises(TableRefused, match=reason):
            engine().purge(table, AT_ONCE, NOW)
    assert data_files(root) == before


@pytest.mark.parametrize("reason", REFUSED)
def test_settings(tmp_path: Path, reason: str) -> None:
    root = write(tmp_path, people("ann", "bob"))
    commit(root, 1, metadata(root, **REFUSED[reason]))
    refused(root, reason)


@pytest.mark.parametrize(
    "feature", ["rowTracking", "icebergCompatV1", "catalogManaged", "checkpointProtection", "somethingNew"]
)
def test_features(tmp_path: Path, feature: str) -> None:
    root = write(tmp_path, people("ann", "bob"))
    commit(root, 1, protocol("appendOnly", feature))
    refused(root, feature)


def test_unknown_protocols_and_forms(tmp_path: Path) -> None:
    root = write(tmp_path / "a", people("ann"))
    commit(root, 1, {"protocol": {"minReaderVersion": 4, "minWriterVersion": 7}})
    refused(root, "protocol")
    root = write(tmp_path / "b", people("ann"))
    line = metadata(root)
    line["metaData"]["format"]["provider"] = "orc"
    commit(root, 1, line)
    refused(root, "not Parquet")


def test_an_identity_that_the_table_lacks_is_refused(tmp_path: Path) -> None:
    """A renamed column must not pass for a table without matches."""
    from lethe.domain.dataset import PrimaryIdentity
    from lethe.engines.interface import IdentityMap

    root = write(tmp_path, people("ann"))
    for selector in (PrimaryIdentity(("mail",), "CRM"), PrimaryIdentity(("id", "x"), "CRM"), IdentityMap()):
        with pytest.raises(TableRefused, match="no column"):
            engine().find(target(root, selector), WANTED)
