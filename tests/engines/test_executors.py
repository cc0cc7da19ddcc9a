"""Mapping a task over files: results, budgets, failures, deaths."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.executors.interface import Executor, Job
from lethe.engines.executors.pool import PoolExecutor


def square(number: int) -> int:
    return number * number


def niceness(_: int) -> int:
    return os.nice(0)


def refuse(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


def die(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


class Overlap:
    """Writes when it began and ended."""

    def __init__(self, directory: str) -> None:
        self.directory = directory

    def __call__(self, number: int) -> None:
        directory = Path(self.directory)
        (directory / f"running-{number}").touch()
        deadline = time.monotonic() + 0.3
        most = 0
        while time.monotonic() < deadline:
            most = max(most, len(list(directory.glob("running-*"))))
        (directory / f"most-{number}-{most}").touch()
        (directory / f"running-{number}").unlink()


@pytest.mark.parametrize("executor", [InlineExecutor(), PoolExecutor(2, 100), PoolExecutor(1, 100)], ids=repr)
class TestEvery:
    def test_each_item_gets_its_result(self, executor: Executor) -> None:
        assert dict(executor.map(square, [Job(n, 40) for n in range(20)])) == {n: n * n for n in range(20)}
        assert list(executor.map(square, [])) == []

    def test_a_failure_is_raised(self, executor: Executor) -> None:
        with pytest.raises(ValueError, match="three"):
            list(executor.map(refuse, [Job(n) for n in range(6)]))


def test_a_worker_that_dies_breaks_the_pool() -> None:
    with pytest.raises(BrokenProcessPool):
        list(PoolExecutor(2, 100).map(die, [Job(n) for n in range(6)]))


@pytest.mark.parametrize(("memory", "together"), [(40, 2), (60, 1), (1000, 1)])
def test_the_budget_bounds_what_runs_at_once(tmp_path: Path, memory: int, together: int) -> None:
    list(PoolExecutor(2, 100).map(Overlap(str(tmp_path)), [Job(n, memory) for n in range(4)]))
    seen = {int(path.name.rsplit("-", 1)[1]) for path in tmp_path.glob("most-*")}
    assert max(seen) == together


def environment(name: str) -> str | None:
    return os.environ.get(name)


def test_workers_keep_freed_memory_and_the_caller_is_left_as_it_was() -> None:
    name = "MIMALLOC_PURGE_DELAY"
    before = os.environ.get(name)
    seen = dict(PoolExecutor(2, 100).map(environment, [Job(name), Job(f"{name}_")]))
    assert seen == {name: before or "10000", f"{name}_": None}
    assert os.environ.get(name) == before


def test_a_temporary_directory_whose_path_is_too_long_for_a_socket_is_borne(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, tempfile\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from lethe.engines.executors.interface import Job\n"
        "from lethe.engines.executors.pool import PoolExecutor\n"
        "from engines.test_executors import square\n"
        "if __name__ == '__main__':\n"
        "    print(sorted(PoolExecutor(2, 100).map(square, [Job(n) for n in range(3)])), tempfile.gettempdir())\n"
    )
    environment = os.environ | {"TMPDIR": str(deep)}
    done = subprocess.run([sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split("] ") == ["[(0, 0), (1, 1), (2, 4)", f"{deep}\n"], done.stderr


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """A parent that is killed leaves no process that holds identities."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, sys, time\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from lethe.engines.executors.interface import Job\n"
        "from lethe.engines.executors.pool import PoolExecutor\n"
        "from engines.test_executors import linger\n"
        "if __name__ == '__main__':\n"
        f"    list(PoolExecutor(2, 100).map(linger, [Job({str(tmp_path)!r} + '/' + str(n)) for n in range(2)]))\n"
    )
    parent = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL)
    pids: list[int] = []
    deadline = time.monotonic() + 30
    while len(pids) < 2 and time.monotonic() < deadline:
        pids = [int(path.read_text()) for n in range(2) if (path := tmp_path / str(n)).exists() and path.read_text()]
    assert len(pids) == 2
    parent.kill()
    parent.wait()
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_alive(pid) for pid in pids)


def linger(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_workers_give_way_to_whoever_answers_requests() -> None:
    answers = PoolExecutor(2, 100).map(niceness, [Job(n) for n in range(4)])
    assert {value for _, value in answers} == {min(os.nice(0) + 10, 19)}
