"""A real `lethe worker` beside a server: started, waited for, stopped."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from support.server import Server

SECONDS_MAX = 60


@dataclass
class LetheWorker:
    """The process, and the log that it writes."""

    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """Ask it to stop, and assert that it does so in good order."""
        self.process.terminate()
        assert self.process.wait(SECONDS_MAX) == 0, self.log.read_text()


@contextmanager
def lethe_worker(server: Server, environment: Mapping[str, str] | None = None) -> Iterator[LetheWorker]:
    """A worker with the server's settings; stopped at the end, if it still runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
    data = {"LETHE_CONFIG": str(server.directory / "lethe.toml"), "LETHE_DATA_DIR": str(server.directory / "data")}
    url = {} if server.database_url is None else {"LETHE_DATABASE_URL": server.database_url}
    log = server.directory / "worker.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "lethe", "worker"],
            env=kept | data | url | dict(environment or {}),
            stderr=stderr,
            stdin=subprocess.DEVNULL,
        )
    try:
        give_up_at = monotonic() + SECONDS_MAX
        while b'"working"' not in log.read_bytes():
            assert monotonic() < give_up_at, log.read_text()
            assert process.poll() is None, log.read_text()
        worker = LetheWorker(process, log)
        yield worker
        if process.poll() is None:
            worker.stop()
    finally:
        process.kill()
        process.wait()
