"""The workers of a run: started, armed, killed, frozen and thawed."""

import json
import os
import random
import resource
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any, Final, Self

from support.server import Server
from torture.tables import Lake
from torture.worker import PREFIX

TESTS: Final = Path(__file__).resolve().parents[1]
START_SECONDS_MAX: Final = 60
STOP_SECONDS_MAX: Final = 60
UNLIMITED: Final = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


@dataclass
class Member:
    """One worker's process."""

    name: str
    pid: int
    pidfd: int

    @property
    def runs(self) -> bool:
        return not select.select([self.pidfd], [], [], 0)[0]

    @property
    def is_frozen(self) -> bool:
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        except FileNotFoundError:
            return False

    def send(self, number: signal.Signals) -> None:
        if self.runs:
            signal.pidfd_send_signal(self.pidfd, number)

    def has_ended(self, seconds: float) -> bool:
        """Wait for the end."""
        return bool(select.select([self.pidfd], [], [], seconds)[0])

    def limit_files(self, bytes_max: int | None) -> None:
        """Let no file grow beyond this, or beyond all bounds again."""
        limits = UNLIMITED if bytes_max is None else (bytes_max, resource.RLIM_INFINITY)
        if self.runs:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, limits)


class Fleet:
    """Watched workers, forked from one process, and one that is `lethe worker` and nothing else."""

    def __init__(self, server: Server, lake: Lake, watched: int, dice: random.Random, skews: Sequence[float]) -> None:
        """`watched` is how many watched ones there are; `skews` are what their clocks may differ by, in seconds."""
        self._server = server
        self._size = watched
        self._dice = dice
        self._skews = skews
        self.notes = server.directory / "notes"
        self.notes.mkdir()
        self.log = server.directory / "workers.log"
        self.members: list[Member] = []
        self._thawed: list[Member] = []
        self._pidfds: list[int] = []
        self._started = 0
        self._latch = self.notes / "latch"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
        self.environment = {
            "LETHE_CONFIG": str(server.directory / "lethe.toml"),
            "LETHE_DATA_DIR": str(server.directory / "data"),
        }
        if server.database_url is not None:
            self.environment["LETHE_DATABASE_URL"] = server.database_url
        self._torture = {PREFIX + "NOTES": str(self.notes), PREFIX + "LAKE": str(lake.directory)}
        self._whole = kept | self.environment
        # Through a pipe: a worker whose files may not grow must still be able to say so.
        self._mother = subprocess.Popen(
            [sys.executable, "-m", "torture.worker"],
            cwd=server.directory,
            env=kept | {"PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._plain = subprocess.Popen(
            [sys.executable, "-m", "lethe", "worker"], env=self._whole, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self._readers = [Thread(target=self._copy, args=(each.stderr,)) for each in (self._mother, self._plain)]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        """Troubles begin when the plain one works: one that finds no database when it starts says so and ends."""
        if not self.wait_until(lambda: '"working"' in self.words(), START_SECONDS_MAX):
            self.__exit__()
            raise AssertionError(self.words())
        return self

    def __exit__(self, *_: object) -> None:
        for member in (*self.members, *self._thawed):
            member.send(signal.SIGKILL)
        for process in (self._mother, self._plain):
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        for reader in self._readers:
            reader.join()
        for pidfd in self._pidfds:
            os.close(pidfd)

    def fill(self, arms: Mapping[str, tuple[str, int]] | None = None) -> None:
        """Start as many as are missing."""
        self.members = [member for member in self.members if member.runs]
        while len(self.members) < self._size:
            self.start(arms or {})

    def start(self, arms: Mapping[str, tuple[str, int]]) -> Member:
        """Start one, armed; it works after a moment."""
        assert self._mother.stdin is not None
        assert self._mother.stdout is not None
        self._started += 1
        name = f"watched-{self._started}"
        asked = self.environment | self._torture
        asked |= {PREFIX + "NAME": name, PREFIX + "ARMS": json.dumps(arms), PREFIX + "LATCH": str(self._latch)}
        asked |= {PREFIX + "SKEW": str(self._dice.choice(self._skews))}
        self._mother.stdin.write(json.dumps(asked).encode() + b"\n")
        self._mother.stdin.flush()
        pid = int(self._mother.stdout.readline())
        member = Member(name, pid, os.pidfd_open(pid))
        self._pidfds.append(member.pidfd)
        self.members.append(member)
        return member

    def rearm(self, arms: Mapping[str, tuple[str, int]]) -> None:
        """Replace every watched worker by an armed one, to one of which it happens; the old ones die where they are.

        One that was thawed just now lives on for a while: what it still does with a lost claim is to be seen.
        """
        dying = [member for member in self.members if member not in self._thawed]
        for member in dying:
            member.send(signal.SIGKILL)
        for member in dying:
            assert member.has_ended(STOP_SECONDS_MAX), self.words()
        self.members, self._thawed = self._thawed, []
        self._latch = self.notes / f"latch-{self._started}"
        self._latch.touch()
        for _ in range(self._size):
            self.start(arms)

    def thaw(self, member: Member) -> None:
        """Let a frozen one go on."""
        member.send(signal.SIGCONT)
        if member not in self._thawed:
            self._thawed.append(member)

    def thaw_all(self) -> None:
        """Let every frozen one go on: it may hold the one lock that whoever is not answered waits for."""
        self._plain.send_signal(signal.SIGCONT)
        for member in self.members:
            if member.is_frozen:
                self.thaw(member)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """While nobody works: the watched ones are dead, and the plain one is frozen."""
        for member in self.members:
            member.send(signal.SIGKILL)
        for member in self.members:
            assert member.has_ended(STOP_SECONDS_MAX), self.words()
        self._plain.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._plain.send_signal(signal.SIGCONT)

    def limit_files(self, bytes_max: int | None) -> None:
        """Let no worker's files grow beyond this, or beyond all bounds again."""
        for member in self.members:
            member.limit_files(bytes_max)
        limits = UNLIMITED if bytes_max is None else (bytes_max, resource.RLIM_INFINITY)
        resource.prlimit(self._plain.pid, resource.RLIMIT_FSIZE, limits)

    def kill_one(self) -> None:
        running = [member for member in self.members if member.runs]
        if running:
            self._dice.choice(running).send(signal.SIGKILL)

    def reached(self) -> Sequence[Mapping[str, Any]]:
        """The points that were reached, in order."""
        return self.told("points.jsonl")

    def told(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The lines of one of the workers' notes."""
        path = self.notes / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def stop(self) -> None:
        """Ask all of them to stop, and see that they do in good order."""
        for member in self.members:
            member.send(signal.SIGCONT)
            member.send(signal.SIGTERM)
        self._plain.terminate()
        assert self._plain.wait(STOP_SECONDS_MAX) == 0, self.words()
        for member in self.members:
            assert member.has_ended(STOP_SECONDS_MAX), self.words()

    def audit(self) -> subprocess.CompletedProcess[str]:
        """What `lethe audit verify` says."""
        command = [sys.executable, "-m", "lethe", "audit", "verify"]
        return subprocess.run(command, env=self._whole, capture_output=True, text=True, check=False)

    def words(self) -> str:
        """The end of the workers' log."""
        return self.log.read_text()[-6_000:] if self.log.exists() else ""

    def wait_until(self, condition: Any, seconds: float) -> bool:
        """Look again and again; whether it came true in time."""
        give_up_at = monotonic() + seconds
        while not condition():
            if monotonic() > give_up_at:
                return False
            select.select([], [], [], 0.05)
        return True

    def _copy(self, stream: Any) -> None:
        with self.log.open("ab") as log:
            for line in stream:
                log.write(line)
                log.flush()
        stream.close()
