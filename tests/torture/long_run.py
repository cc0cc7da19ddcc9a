"""The long run, `make torture`: 200 orders and 50 expirations in flight at once, and every point killed and frozen.

Its name keeps it out of `make test`.
"""

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.postgres import Postgres
from torture.points import FILE_POINTS, STEP_POINTS
from torture.run import SEED_VARIABLE, Scale, torment
from torture.troubles import (
    Crowd,
    DiskFull,
    FreezeAt,
    KillAt,
    KillAtRandom,
    LockSqlite,
    NoGrowth,
    RestartPostgres,
    Trouble,
)

SCALE = Scale(
    orders_min=200,
    expirations_min=50,
    drops_max=12,
    spare_expirations=150,
    orders_at_once=2,
    tables_of_a_kind=2,
    watched=2,
    lease_seconds=2,
    end_seconds_max=900,
    skews=(0.0, -150.0, 600.0),
)
OFTEN = 6


@pytest.mark.timeout(3 * 3600)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_work_survives_everything(database: str, tmp_path: Path) -> None:
    seed = int(os.environ.get(SEED_VARIABLE, random.randrange(10**6)))
    dice = random.Random(seed)

    def troubles(data: Path, room: Path, postgres: Postgres | None) -> Sequence[Trouble]:
        of_the_database: Sequence[Trouble] = [
            LockSqlite(data / "lethe.db", 5),
            LockSqlite(data / "products.db", 5),
            LockSqlite(room / "lake" / "catalog.db", 5),
        ]
        if postgres is not None:
            of_the_database = [RestartPostgres(postgres, die) for die in (Postgres.kill, Postgres.stop_immediately)]
        mixed = [
            *map(KillAt, STEP_POINTS),
            *map(FreezeAt, STEP_POINTS),
            *(KillAt(point, dice.randint(1, 12)) for point in FILE_POINTS * 3),
            *[KillAtRandom()] * OFTEN,
            Crowd(orders=200, expirations=50, blows=30),
            *of_the_database * 2,
            *[NoGrowth(3)] * 2,
            *([DiskFull(room, 3)] * 3 if room.is_mount() else []),
        ]
        return dice.sample(mixed, len(mixed))

    reached = torment(tmp_path, database, SCALE, seed, troubles)
    for point in STEP_POINTS:
        assert reached[f"SIGKILL {point}"], point
        assert reached[f"SIGSTOP {point}"], point
