"""The short run: a few points of every kind, chosen by the seed, on both databases. `make torture` visits them all."""

import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.postgres import Postgres
from torture.points import STEP_POINTS
from torture.run import SEED_VARIABLE, Scale, torment
from torture.troubles import Crowd, FreezeAt, KillAt, KillAtRandom, LockSqlite, NoGrowth, RestartPostgres, Trouble

SCALE = Scale(
    orders_min=24,
    expirations_min=4,
    drops_max=2,
    spare_expirations=16,
    orders_at_once=2,
    tables_of_a_kind=1,
    watched=2,
    lease_seconds=3,
    end_seconds_max=600,
    skews=(0.0, -150.0, 300.0),
)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_work_survives(database: str, tmp_path: Path) -> None:
    seed = int(os.environ.get(SEED_VARIABLE, random.randrange(10**6)))
    dice = random.Random(seed)

    def troubles(data: Path, room: Path, postgres: Postgres | None) -> Sequence[Trouble]:
        killed, frozen = dice.sample(STEP_POINTS, 3), dice.sample(STEP_POINTS, 1)
        database_trouble: Trouble = (
            LockSqlite(data / "lethe.db", 1) if postgres is None else RestartPostgres(postgres, Postgres.kill)
        )
        crowd = Crowd(orders=16, expirations=2, blows=2)
        mixed = [*map(KillAt, killed), *map(FreezeAt, frozen), KillAtRandom(), crowd, database_trouble, NoGrowth(1)]
        return dice.sample(mixed, len(mixed))

    reached = torment(tmp_path, database, SCALE, seed, troubles)
    assert sum(reached.values()) >= 4
