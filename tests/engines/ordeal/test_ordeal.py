"""Every I/O call of forget and purge fails, is the process's last, or hangs while another worker takes over.

One loop for every format. `LETHE_FAULTS=all` runs it at every call; `LETHE_FAULTS=17` at the call of that number alone,
which a failure names. Without it, it is done at every few calls that change something, and fails now and then at one
that reads; where that begins is drawn anew each time, so that in many runs every call has its turn.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engines.faults import Faults
from engines.ordeal.subjects import SUBJECTS, WANTED, Subject
from engines.ordeal.work import erase, erase_to_the_end, require_readable, survivors

CHANGES = {"create", "created", "write", "put", "replace", "remove", "remove_empty_directories", "commit_table"}
SAMPLED = {"fails": 7, "is killed": 5, "hangs": 5}
"""Of how many calls that change something one is tried, unless all are."""
READS_SAMPLED = 40
"""Of how many calls that read one fails; a process that is killed or hangs at one does so behind a change, too."""
_RANDOM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}|\d+")


@dataclass
class Zygote:
    """The process from which every trial is forked."""

    process: subprocess.Popen[str]

    def ask(self, **question: Any) -> dict[str, int]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        answer: dict[str, int] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "engines.ordeal.zygote"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Zygote(process)
        assert process.stdin is not None
        process.stdin.close()


@dataclass
class Stage:
    """One table, and the way back to how it was, in the same place: an Iceberg table knows where it is."""

    subject: Subject
    home: Path
    calls: list[str] = field(default_factory=list)
    """What one whole erasure asks of the storage and the catalog, in order."""
    shape: list[str] = field(default_factory=list)
    """The files that are left in the end, but for what is new in a name each time."""

    def again(self) -> Path:
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(f"{self.home}-kept", self.home)
        return self.home

    def files(self) -> list[str]:
        found = (str(p.relative_to(self.home)) for p in self.home.rglob("*") if p.is_file() and p.suffix != ".db")
        return sorted(_RANDOM.sub("#", path) for path in found)

    def numbers(self, blow: str) -> Sequence[int]:
        chosen = os.environ.get("LETHE_FAULTS", "")
        if chosen.isdigit():
            return [int(chosen)]
        if chosen == "all":
            return range(len(self.calls))
        changing = [number for number, name in enumerate(self.calls) if name in CHANGES]
        reading = [number for number, name in enumerate(self.calls) if name not in CHANGES] if blow == "fails" else []
        return _some(changing, SAMPLED[blow]) + _some(reading, READS_SAMPLED)

    def require_end(self) -> None:
        """A worker ends it; then the rows, the files, the counts and the proof are those of an undisturbed one."""
        erase_to_the_end(self.subject, self.home)
        assert self.subject.rows(self.home) == survivors(self.subject)
        assert self.files() == self.shape
        self.require_gone()

    def require_gone(self) -> None:
        evidence = self.subject.engine(self.home, Faults()).verify(self.subject.target(self.home), WANTED)
        assert evidence.gone, evidence.residues


def _some(numbers: list[int], of: int) -> list[int]:
    return numbers[random.randrange(of) :: of]


@pytest.fixture(scope="module", params=SUBJECTS)
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    home = tmp_path_factory.mktemp("ordeal") / "home"
    made = Stage(SUBJECTS[request.param], home)
    home.mkdir()
    made.subject.make(home)
    shutil.copytree(home, f"{home}-kept")
    faults = Faults()
    assert erase(made.subject, made.again(), faults) == "clean"
    made.calls, made.shape = faults.names, made.files()
    made.require_end()
    assert len([name for name in made.calls if name in CHANGES]) > 15
    return made


@pytest.fixture(autouse=True)
def _unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    """These processes die, not the machine: what is written is written."""
    monkeypatch.setattr("lethe.engines.storage.local.os.fsync", lambda _: None)


def trial(zygote: Zygote, stage: Stage, blow: str, number: int, when: str) -> dict[str, int]:
    home = stage.again()
    answer = str(home.parent / "answer")
    return zygote.ask(
        do="run", subject=stage.subject.name, home=str(home), answer=answer, number=number, when=when, blow=blow
    )


@pytest.mark.parametrize("when", ["before", "after"])
def test_every_call_fails(stage: Stage, zygote: Zygote, when: str) -> None:
    """`before`: it did not happen, and says so; `after`: it happened, and the answer is lost."""
    for number in stage.numbers("fails"):
        print(f"LETHE_FAULTS={number}: {stage.calls[number]}")
        assert trial(zygote, stage, "fails", number, when) == {"exit": 0}
        require_readable(stage.subject, stage.home)
        stage.require_end()


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_process_is_killed_at_every_call(stage: Stage, zygote: Zygote, when: str) -> None:
    for number in stage.numbers("is killed"):
        print(f"LETHE_FAULTS={number}: {stage.calls[number]}")
        assert trial(zygote, stage, "is killed", number, when) == {"signal": 9}
        require_readable(stage.subject, stage.home)
        stage.require_end()


@pytest.mark.parametrize("when", ["before", "after"])
def test_every_call_hangs(stage: Stage, zygote: Zygote, when: str) -> None:
    """Another worker finishes what the first began, others write, and then the first goes on with what it knew."""
    subject = stage.subject
    everything = bool(os.environ.get("LETHE_FAULTS"))
    chosen = [(number, written) for number in stage.numbers("hangs") for written in ([], [98, 99])]
    for number, written in chosen if everything else chosen[::3]:
        print(f"LETHE_FAULTS={number}: {stage.calls[number]}; others write {len(written)} times")
        assert "stopped" in trial(zygote, stage, "hangs", number, when)
        require_readable(subject, stage.home)
        stage.require_end()
        for one in written:
            subject.append(stage.home, one)
        assert zygote.ask(do="resume") == {"exit": 0}
        assert subject.rows(stage.home) == survivors(subject) + written
        stage.require_gone()
        erase_to_the_end(subject, stage.home)
        assert subject.rows(stage.home) == survivors(subject) + written
        if not written:
            assert stage.files() == stage.shape
        stage.require_gone()
