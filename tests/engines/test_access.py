"""The probe of a table's location: whatever is not allowed is named, and what could be removed is not left behind."""

from pathlib import Path

import pytest

from engines.faults import Faults, FaultyStorage, fail
from lethe.engines.access import NoAccess, probe
from lethe.engines.interface import TableRefused
from lethe.engines.storage.local import LocalStorage


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    (tmp_path / "part-0.parquet").write_bytes(b"rows")
    return LocalStorage(str(tmp_path))


def test_a_location_that_allows_everything_is_left_as_it_was(storage: LocalStorage, tmp_path: Path) -> None:
    probe(storage, "1")
    assert [path.name for path in tmp_path.iterdir()] == ["part-0.parquet"]


def test_without_a_name_nothing_is_written(storage: LocalStorage) -> None:
    faults = Faults()
    probe(FaultyStorage(storage, faults), None)
    assert faults.names == ["list", "open"]


@pytest.mark.parametrize(
    ("at", "said"),
    [(0, "cannot be listed"), (1, "cannot be read"), (2, "cannot be written"), (3, "cannot be removed from")],
)
def test_what_is_not_allowed_is_named(storage: LocalStorage, tmp_path: Path, at: int, said: str) -> None:
    faults = Faults(at=at, blow=fail)
    with pytest.raises(NoAccess, match=said) as denied:
        probe(FaultyStorage(storage, faults), "1")
    assert faults.names == ["list", "open", "put", "remove"][: at + 1]
    assert denied.value.remedy
    left = {path.name for path in tmp_path.iterdir()} - {"part-0.parquet"}
    assert left == ({"_lethe-probe-1"} if said == "cannot be removed from" else set())
    assert all(name in denied.value.remedy for name in left)


def test_an_empty_location_and_one_that_leads_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(NoAccess, match="no files"):
        probe(LocalStorage(str(tmp_path / "nowhere")), "1")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(TableRefused, match="symbolic link"):
        probe(LocalStorage(str(tmp_path)), "1")
