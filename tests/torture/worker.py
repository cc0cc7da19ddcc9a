"""The process of a watched worker, and the one from which it is forked: importing everything takes longer than a fork.

    python -m torture.worker

reads a JSON object of environment variables a line and answers with the pid of a new worker, which runs `lethe worker`
under them. Besides Lethe's own settings: LETHE_TORTURE_NAME, LETHE_TORTURE_NOTES (a directory), LETHE_TORTURE_LAKE,
LETHE_TORTURE_ARMS (a JSON object: point → signal name and count), LETHE_TORTURE_LATCH (see `watched.Hand`) and
LETHE_TORTURE_SKEW (seconds).
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1  # from Linux's sys/prctl.h
PREFIX = "LETHE_TORTURE_"


def tell(notes: Path, what: Mapping[str, Any]) -> None:
    """Append a line, in one write, which a kill cannot cut; and neither can a limit of files, which is not of notes."""
    line = json.dumps(what).encode() + b"\n"
    descriptor = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits[1], limits[1]))
        written = os.write(descriptor, line)
        assert written == len(line), "a note was cut"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        os.close(descriptor)


def skew(seconds: float) -> None:
    """Let this process's clock differ; before anything takes the clock by its name."""
    import lethe.clock

    right = lethe.clock.system_now
    lethe.clock.system_now = lambda: right() + timedelta(seconds=seconds)
    for module in list(sys.modules.values()):
        if getattr(module, "system_now", None) is right:
            module.system_now = lethe.clock.system_now


def arm_files(hand: Any) -> None:
    """Let the hand come by a point before every change of a file."""
    from lethe.engines.storage.local import LocalStorage

    for verb in ("put", "create", "replace", "remove"):
        right = getattr(LocalStorage, verb)

        def change(self: Any, *arguments: Any, _right: Any = right, _verb: str = verb, **named: Any) -> Any:
            if hand.claim is not None:
                hand.reach(f"file:{_verb}")
            return _right(self, *arguments, **named)

        setattr(LocalStorage, verb, change)


def run(environment: Mapping[str, str]) -> None:
    """Be a watched worker."""
    torture = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX)}
    os.environ.update({name: value for name, value in environment.items() if not name.startswith(PREFIX)})
    skew(float(torture["SKEW"]))
    from lethe.cli.config import loaded
    from lethe.cli.work import work
    from lethe.wiring.installation import Lethe
    from torture.history import commits_of
    from torture.tables import Lake
    from torture.watched import Hand, watched_shop

    notes, lake = Path(torture["NOTES"]), Lake(Path(torture["LAKE"]))
    name = torture["NAME"]
    hand = Hand(name, lambda what: tell(notes / "points.jsonl", {"worker": name} | dict(what)), Path(torture["LATCH"]))
    for point, (number, count) in json.loads(torture["ARMS"]).items():
        hand.arms[point] = (signal.Signals[number], count)
    arm_files(hand)
    seen: set[Any] = set()

    def look(dataset_id: str, format_name: str) -> None:
        for commit in commits_of(lake, dataset_id, format_name) - seen:
            seen.add(commit)
            tell(notes / "commits.jsonl", asdict(commit))

    make = Lethe.worker

    def watched_worker(self: Lethe) -> Any:
        worker = make(self)
        worker._shop = watched_shop(worker._shop, hand, look)
        do = worker._do

        def do_and_let_go(claim: Any) -> None:
            try:
                do(claim)
            finally:
                hand.claim = None  # of a claim that was lost nothing is left

        worker._do = do_and_let_go
        return worker

    Lethe.worker = watched_worker  # type: ignore[method-assign]
    work(loaded(), 1)


def main() -> None:
    import deltalake  # noqa: F401
    import psycopg  # noqa: F401

    import lethe.cli.main  # noqa: F401
    import torture.watched  # noqa: F401

    die_with_parent = ctypes.CDLL(None).prctl
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    for line in sys.stdin:
        environment = json.loads(line)
        pid = os.fork()
        if pid == 0:
            die_with_parent(PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.dup2(os.open(os.devnull, os.O_RDWR), 0)
            os.dup2(2, 1)
            status = 1
            try:
                run(environment)
                status = 0
            finally:
                os._exit(status)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
