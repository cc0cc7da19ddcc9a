"""The walk through the demo's world, and that it would notice if what it claims were not so."""

import json
import os
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from lethe.demo.datasets import DATASETS, NEWSLETTER, STORE_VISITS, WEB_EVENTS
from lethe.demo.people import PEOPLE, person, those_who_leave
from lethe.demo.reading import read, whose
from lethe.demo.rows import rows_of
from lethe.demo.searching import files_that_name
from lethe.demo.telling import DoesNotHold, Teller
from lethe.demo.tour import VALUES, Seen, check
from lethe.demo.world import World
from lethe.demo.writing import write

MINUTES_MAX = 4 * 60
TRACES = {"Identity graph": 1275, "Profiles": 850, "Journeys": 425}


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, str]:
    """A world through which `lethe demo` has walked, and what it printed."""
    directory = tmp_path_factory.mktemp("demo") / "with a space"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
    command = [sys.executable, "-m", "lethe", "demo", "--directory", str(directory)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=MINUTES_MAX)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return World(directory), ended.stdout


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The world as it was: its rows are the same at every run."""
    lake = tmp_path_factory.mktemp("lake")
    for dataset in DATASETS:
        write(dataset, rows_of(dataset), lake)
    return Seen({dataset: read(dataset, lake) for dataset in DATASETS}, TRACES)


@pytest.fixture
def quiet() -> Teller:
    return Teller(Console(file=StringIO()))


def test_the_walk_says_what_it_verified(walked: tuple[World, str]) -> None:
    _, printed = walked
    for said in (
        "exactly the others' rows are left",
        "no byte of any file names them",
        "the expired dataset is gone",
        "checked offline",
        "the chain of the audit trail is whole",
        "Everything holds.",
    ):
        assert said in printed
    assert "\x1b" not in printed
    assert not any(value in printed for value in VALUES)


def test_the_world_is_what_is_promised(before: Seen) -> None:
    assert sum(len(rows) for rows in before.tables.values()) == 200_000
    assert {dataset.stored.value for dataset in DATASETS} == {"iceberg", "delta", "parquet", "ndjson"}
    assert len(set(map(person, range(PEOPLE)))) == PEOPLE
    for dataset, rows in before.tables.items():
        assert [row["row"] for row in rows] == list(range(dataset.rows))
        named = [whose(dataset, row) for row in rows]
        assert any(named) == dataset.names_people
        assert None in named


def test_a_second_look_agrees(walked: tuple[World, str], before: Seen, quiet: Teller) -> None:
    world, _ = walked
    check(world, before, quiet)


def test_a_deleted_person_in_any_file_is_noticed(walked: tuple[World, str], before: Seen, quiet: Teller) -> None:
    world, _ = walked
    stray = world.directory / "lake" / "stray.bak"
    stray.write_bytes(b"\0" + those_who_leave()[3].ecid.encode() + b"\0")
    assert files_that_name(VALUES, world.directory) == {stray: 1}
    with pytest.raises(DoesNotHold, match="no byte of any file"):
        check(world, before, quiet)
    stray.unlink()


def test_one_row_too_few_is_noticed(walked: tuple[World, str], before: Seen, quiet: Teller) -> None:
    world, _ = walked
    [*others, last] = before.tables[WEB_EVENTS]
    with pytest.raises(DoesNotHold, match="Web events: exactly the others' rows"):
        check(
            world, Seen({**before.tables, WEB_EVENTS: [*others, last, last | {"row": last["row"] + 1}]}, TRACES), quiet
        )


def test_a_changed_value_is_noticed(walked: tuple[World, str], before: Seen, quiet: Teller) -> None:
    world, _ = walked
    [first, *others] = before.tables[NEWSLETTER]
    with pytest.raises(DoesNotHold, match="Newsletter: exactly the others' rows"):
        check(world, Seen({**before.tables, NEWSLETTER: [first | {"topics": ["else"]}, *others]}, TRACES), quiet)


def test_a_dataset_that_is_still_there_is_noticed(walked: tuple[World, str], before: Seen, quiet: Teller) -> None:
    world, _ = walked
    left = world.lake / STORE_VISITS.slug
    left.mkdir(exist_ok=True)
    write_back = left / "part-9.parquet"
    write(STORE_VISITS, rows_of(STORE_VISITS).slice(0, 1), world.directory / "elsewhere")
    (world.directory / "elsewhere" / STORE_VISITS.slug / "part-0.parquet").rename(write_back)
    with pytest.raises(DoesNotHold, match="the expired dataset is gone"):
        check(world, before, quiet)
    write_back.unlink()


def test_the_variables_are_for_their_owner_alone(walked: tuple[World, str]) -> None:
    world, _ = walked
    assert stat.S_IMODE(world.env_file.stat().st_mode) == 0o600
    variables = world.variables()
    assert variables["LETHE_DATASET_WEB_EVENTS"] == WEB_EVENTS.dataset_id
    assert json.dumps(variables["LETHE_CLIENT_SECRET"]) not in world.config.read_text()


def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    command = [sys.executable, "-m", "lethe", "init-demo", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=MINUTES_MAX)
    assert ended.returncode == 2
    assert "not empty" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]
