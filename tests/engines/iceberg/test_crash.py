"""Every call of a drop is the last of the process; the next drop finishes. Forget and purge: `engines/ordeal`."""

import shutil
from pathlib import Path

import pytest

from engines.asking import CRM, asked, order
from engines.faults import Faults
from engines.iceberg.deletes_by_hand import position_delete
from engines.iceberg.faults import Death, Killed, faulty, hooked
from engines.iceberg.lake import LATER, Lake, lake, people

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))


class Stage:
    """One table, and the way back to how it was."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / "lake"
        self.directory.mkdir()
        made = lake(self.directory, people(ANN, "bob", "cy"), people(ANN, first=10))
        [path] = [f.path for f in made.plan(WANTED).touched if f.rows == 3]
        position_delete(made, [(path, 2)])
        self._kept = directory / "kept"
        shutil.copytree(self.directory, self._kept)

    def again(self) -> Lake:
        shutil.rmtree(self.directory)
        shutil.copytree(self._kept, self.directory)
        return Lake(self.directory, hooked(self.directory))


@pytest.fixture(autouse=True)
def _unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """These processes die, not the machine: what is written is written."""
    monkeypatch.setattr("lethe.engines.storage.local.os.fsync", lambda _: None)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("crash"))


@pytest.mark.parametrize("known", [True, False], ids=["location known", "location in the catalog alone"])
def test_a_drop_killed_at_every_call_is_finished_by_the_next(stage: Stage, known: bool) -> None:
    faults = Faults()
    made = stage.again()
    made.known_location = str(made.location) if known else None
    made.opener = faulty(faults, Death())
    assert made.engine.drop(made.target, LATER).clean
    for number in range(len(faults.names)):
        made = stage.again()
        location, death = made.location, Death()
        last = Path(made.table.metadata_location.removeprefix("file://"))
        made.known_location = str(location) if known else None
        made.opener = faulty(Faults(number, "before", death), death)
        with pytest.raises(Killed):
            made.engine.drop(made.target, LATER)
        other = Lake(made.directory, made.catalog, known_location=made.known_location)
        assert other.engine.drop(other.target, LATER).clean
        left = {path for path in location.rglob("*") if path.is_file()}
        assert left <= (set() if known else {last}), number
        assert not made.catalog.table_exists(made.identifier)
