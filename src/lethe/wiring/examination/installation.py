"""The settings, the data directory and the database."""

import os
import stat
from collections.abc import Iterator
from datetime import timedelta

from lethe.settings import Settings
from lethe.wiring.examination.finding import Finding, failed, ok, warning
from lethe.wiring.store import database_file, open_store


def examine_installation(settings: Settings) -> Iterator[Finding]:
    """Look at what every process of the installation needs."""
    yield from _settings(settings)
    yield from _data_dir(settings)
    yield from _database(settings)


def is_started(settings: Settings) -> bool:
    """Whether there is a database to look into: nothing here makes one."""
    file = database_file(settings)
    return settings.data_dir.is_dir() and (file is None or file.is_file())


def _settings(settings: Settings) -> Iterator[Finding]:
    if settings.orgs:
        yield ok("settings", "orgs", f"{len(settings.orgs)} configured")
    else:
        yield failed("settings", "orgs", "none, so nobody can call", "add [[orgs]]; `lethe config init` starts a file")
    if not settings.clients and not settings.trusted_issuers:
        yield failed("settings", "clients", "none, so nobody gets a token", "add [[clients]] or [[trusted_issuers]]")
    if settings.work.writers_grace_seconds == 0:
        yield warning(
            "settings",
            "work.writers_grace_seconds",
            "0: a file of a commit on its way is removed like any other that no table refers to",
            "set it to longer than your longest write takes, unless nobody else writes",
        )


def _data_dir(settings: Settings) -> Iterator[Finding]:
    path = settings.data_dir
    if not path.is_dir():
        yield warning("data directory", str(path), "is not there", "`lethe serve` makes it at its first start")
        return
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        yield failed("data directory", str(path), "others may look into it", f"chmod 700 {path}")
    elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield failed("data directory", str(path), "this user may not write it", "run as its owner")
    else:
        yield ok("data directory", str(path), "private and writable")


def _database(settings: Settings) -> Iterator[Finding]:
    subject = "sqlite" if database_file(settings) is not None else "postgresql"
    if not is_started(settings):
        yield warning("database", subject, "is not looked at before the first start", "`lethe serve` sets it up")
        return
    store = open_store(settings)
    try:
        health = store.health()
    finally:
        store.close()
    skew_max = timedelta(seconds=settings.limits.clock_skew_seconds)
    if not health.reachable:
        yield failed("database", subject, health.problem or "not reachable", "check `database_url` and the server")
    elif not health.migrations_current:
        yield failed("database", subject, health.problem or "not current", "start `lethe serve`, which migrates it")
    elif abs(health.clock_skew) > skew_max:
        seconds = health.clock_skew.total_seconds()
        yield failed("database", subject, f"the clocks differ by {seconds:.1f} s", "synchronise this machine's clock")
    else:
        yield ok("database", subject, "answers, its schema is current, the clocks agree")
