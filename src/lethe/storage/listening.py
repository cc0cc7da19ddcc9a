"""Hearing what other processes store: PostgreSQL's LISTEN, on a connection of its own.

A lost connection is opened again, after a growing wait. What was notified meanwhile is missed, so the bell rings once
when it is back; until then `Bell.hears_others` is False and workers look by themselves.
"""

from threading import Event, Thread
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
import structlog

from lethe.storage.bell import Bell

if TYPE_CHECKING:
    import psycopg

CHANNEL: Final = "lethe_work"
_LOOK_UP_SECONDS: Final = 1.0
"""How often a quiet listener looks whether it is to stop."""
_WAIT_SECONDS_MAX: Final = 15.0

log = structlog.get_logger("lethe.listening")


class Listener:
    """Rings the bell for every notification, from a thread of its own."""

    def __init__(self, url: sa.URL, bell: Bell) -> None:
        self._url = url.set(drivername="postgresql")
        self._bell = bell
        self._stop = Event()
        self._thread = Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        import psycopg  # noqa: PLC0415 - an installation on SQLite has none

        failures = 0
        while not self._stop.is_set():
            try:
                with psycopg.connect(
                    self._url.render_as_string(hide_password=False),
                    autocommit=True,
                    connect_timeout=5,
                    application_name="lethe listener",
                    keepalives_idle=15,
                    keepalives_interval=5,
                    keepalives_count=3,
                ) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    failures = 0
                    self._hear(connection)
            except psycopg.Error as error:
                failures += 1
                log.warning("listening_failed", error=type(error).__name__)
            finally:
                self._bell.hears_others = False
            self._stop.wait(min(_WAIT_SECONDS_MAX, 0.25 * 2**failures) if failures else 0)

    def _hear(self, connection: "psycopg.Connection") -> None:
        """Ring for every notification, until told to stop. Raises psycopg.Error when the connection is lost."""
        self._bell.hears_others = True
        self._bell.ring()
        while not self._stop.is_set():
            for _ in connection.notifies(timeout=_LOOK_UP_SECONDS, stop_after=1):
                self._bell.ring()


def notify(connection: sa.Connection) -> None:
    """Tell the listeners of all processes, once this transaction is committed."""
    connection.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))
