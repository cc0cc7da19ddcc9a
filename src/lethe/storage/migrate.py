"""Bringing a database to the newest schema.

Everything happens in one transaction under one lock, so several processes may start at once: one migrates, the
others wait and find nothing to do. A failed migration leaves the database as it was.
"""

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from lethe.storage.engine import Engines, enter_wal

_LOCK: Final = 4_985_281_316  # any number that other users of the database do not lock


def migrate(engines: Engines) -> None:
    """Run the migrations that the database lacks."""
    if not engines.is_postgres:
        enter_wal(engines.write)
    with engines.write.begin() as connection:
        if engines.is_postgres:
            # Building an index takes as long as it takes, and so does waiting for another process to do it.
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            connection.execute(sa.text("SET LOCAL lock_timeout = 0"))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(connection: sa.Connection) -> bool:
    """Whether the database has every migration, and none that this version does not know."""
    heads = ScriptDirectory.from_config(_config()).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
