"""What happens to the workers and to what they work with, one trouble at a time."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from support.postgres import Postgres
from torture.fleet import Fleet, Member

REACH_SECONDS_MAX: Final = (*[10] * 8, 30, 60, 120, 240)
"""How long to wait until a point is reached, before more work is given. Often, because a worker that is not armed may
take the work; in the end long, because a machine's clock that is set back by minutes, as happens, delays all that is
due by as much."""
FILE_ROUNDS_MAX: Final = 4
"""Rounds of waiting for a file's point, which need not be reached: which files are changed how depends on what else
happens."""
FILE_BYTES_MAX: Final = 1_000


class Scene(Protocol):
    """What troubles are made with."""

    @property
    def fleet(self) -> Fleet: ...
    @property
    def lease_seconds(self) -> float: ...

    def give_work(self, *, expiring: bool) -> None:
        """Ask for some record deletes; and let a dataset expire, or be dropped, if the trouble needs it."""
        ...

    def give_crowd(self, orders: int, expirations: int) -> None:
        """Ask for so many record deletes and expirations, of which none begins before all are accepted."""
        ...

    def wait(self, seconds: float) -> None: ...


class Trouble(Protocol):
    def __call__(self, scene: Scene) -> None: ...


def _needs_expiration(point: str) -> bool:
    return point.startswith(("drop", "confirm", "begin"))


@dataclass(frozen=True, slots=True)
class At:
    """Armed workers, and the work that leads one of them to the point."""

    point: str
    signal_name: str
    count: int = 1

    @property
    def is_of_a_file(self) -> bool:
        return self.point.startswith("file:")

    def reached_by(self, scene: Scene) -> Member | None:
        """Give work until a worker has come by the point; which one."""
        fleet = scene.fleet
        before = len(fleet.reached())
        fleet.rearm({self.point: (self.signal_name, self.count)})
        for seconds in REACH_SECONDS_MAX[: FILE_ROUNDS_MAX if self.is_of_a_file else None]:
            scene.give_work(expiring=_needs_expiration(self.point))
            if fleet.wait_until(lambda: len(fleet.reached()) > before, seconds):
                name = fleet.reached()[before]["worker"]
                return next((member for member in fleet.members if member.name == name), None)
        return None


@dataclass(frozen=True, slots=True)
class KillAt:
    """SIGKILL at a named point."""

    point: str
    count: int = 1

    def __call__(self, scene: Scene) -> None:
        at = At(self.point, "SIGKILL", self.count)
        assert at.reached_by(scene) is not None or at.is_of_a_file, f"nobody came by {self.point}"
        scene.fleet.fill()


@dataclass(frozen=True, slots=True)
class FreezeAt:
    """SIGSTOP at a named point, past the lease, and SIGCONT."""

    point: str

    def __call__(self, scene: Scene) -> None:
        member = At(self.point, "SIGSTOP").reached_by(scene)
        assert member is not None, f"nobody came by {self.point}"
        scene.wait(scene.lease_seconds * 2)
        scene.fleet.thaw(member)
        scene.fleet.fill()


@dataclass(frozen=True, slots=True)
class KillAtRandom:
    """SIGKILL at any moment."""

    def __call__(self, scene: Scene) -> None:
        scene.fleet.fill()
        scene.give_work(expiring=False)
        scene.wait(0.5)
        scene.fleet.kill_one()
        scene.fleet.fill()


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many orders and expirations under way at once, and workers that die among them."""

    orders: int
    expirations: int
    blows: int

    def __call__(self, scene: Scene) -> None:
        scene.give_crowd(self.orders, self.expirations)
        for _ in range(self.blows):
            scene.fleet.fill()
            scene.wait(1)
            scene.fleet.kill_one()
        scene.fleet.fill()


@dataclass(frozen=True, slots=True)
class RestartPostgres:
    """PostgreSQL dies at once, as by `pg_ctl stop -m immediate` or a power cut, and is started again."""

    postgres: Postgres
    die: Callable[[Postgres], None]

    def __call__(self, scene: Scene) -> None:
        scene.fleet.fill()
        scene.give_work(expiring=True)
        scene.wait(0.5)
        self.die(self.postgres)
        scene.wait(1)
        self.postgres.start()


@dataclass(frozen=True, slots=True)
class LockSqlite:
    """Somebody holds the one lock of an SQLite file."""

    path: Path
    seconds: float

    def __call__(self, scene: Scene) -> None:
        scene.fleet.fill()
        scene.give_work(expiring=True)
        with closing(sqlite3.connect(self.path, timeout=60, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            scene.wait(self.seconds)
            connection.execute("ROLLBACK")


@dataclass(frozen=True, slots=True)
class NoGrowth:
    """Files of workers may not grow beyond a kilobyte (RLIMIT_FSIZE): writes fail with EFBIG."""

    seconds: float

    def __call__(self, scene: Scene) -> None:
        scene.fleet.fill()
        scene.give_work(expiring=True)
        scene.fleet.limit_files(FILE_BYTES_MAX)
        scene.wait(self.seconds)
        scene.fleet.limit_files(None)


@dataclass(frozen=True, slots=True)
class DiskFull:
    """The file system of tables and data directory has no byte left: writes fail with ENOSPC."""

    room: Path
    seconds: float

    def __call__(self, scene: Scene) -> None:
        scene.fleet.fill()
        scene.give_work(expiring=True)
        ballast = self.room / "ballast"
        descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        try:
            self._fill(descriptor)
            scene.wait(self.seconds)
        finally:
            os.close(descriptor)
            ballast.unlink()

    def _fill(self, descriptor: int) -> None:
        size, step = 0, 1 << 26
        while step >= 1 << 10:
            try:
                os.posix_fallocate(descriptor, size, step)
                size += step
            except OSError:
                step >>= 1
