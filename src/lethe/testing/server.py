"""A real `lethe serve` in a process of its own, with everything that it keeps in one directory."""

import hashlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import IO, Any, Final, Self

from lethe.client import Lethe

ORG: Final = "TEST@LetheOrg"
API_KEY: Final = "lethe-testing"
PROD, DEV = "prod", "dev"
_STOP_SECONDS_MAX: Final = 30

_SETTINGS: Final = """\
[work]
writers_grace_seconds = 0
processes = 1

[limits]
small_orders_per_second = 1000000
burst = 1000000

[[orgs]]
id = {org}
min_expiry_lead_hours = 0
bundle_window_seconds = 0

[[orgs.sandboxes]]
name = "prod"
title = "Production"
type = "production"
is_default = true

[[orgs.sandboxes]]
name = "dev"
title = "Development"

[[clients]]
id = {api_key}
secret_sha256 = {digest}
name = "Tests"
email = "tests@localhost"
orgs = [{org}]
roles = ["administrator"]
"""


class DidNotStart(Exception):
    """The server ended, or did not begin to serve in time; the message is the end of its log."""


@dataclass
class LetheServer:
    """A server that works at once, for tests; a context manager.

    `directory` is made when it is missing. `settings` is more TOML, put after the server's own, such as
    `[catalogs.lake]`.
    """

    directory: Path
    settings: str = ""
    start_seconds_max: float = 120
    org: str = field(default=ORG, init=False)
    api_key: str = field(default=API_KEY, init=False)
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), init=False, repr=False)
    sandbox: str = field(default=PROD, init=False)
    url: str = field(default="", init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _reader: Thread | None = field(default=None, init=False, repr=False)

    @property
    def log_path(self) -> Path:
        """Where its log is, a JSON object a line."""
        return self.directory / "lethe.log"

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which any client finds it: `Lethe.from_environment`, the command `lethe`."""
        return {
            "LETHE_URL": self.url,
            "LETHE_ORG": self.org,
            "LETHE_API_KEY": self.api_key,
            "LETHE_CLIENT_SECRET": self.client_secret,
            "LETHE_SANDBOX": self.sandbox,
        }

    def client(self, sandbox: str | None = None) -> Lethe:
        """A client that may do everything; to be closed."""
        return Lethe(self.url, self.org, self.api_key, self.client_secret, sandbox=sandbox or self.sandbox)

    def start(self) -> None:
        """Start, and wait until it serves. Raises DidNotStart."""
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "lethe.toml"
        digest = hashlib.sha256(self.client_secret.encode()).hexdigest()
        words = {"org": self.org, "api_key": self.api_key, "digest": digest}
        # A JSON string is a TOML string.
        config.write_text(_SETTINGS.format(**{name: json.dumps(word) for name, word in words.items()}) + self.settings)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
        environment |= {"LETHE_CONFIG": str(config), "LETHE_DATA_DIR": str(self.directory / "data")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lethe", "serve", "--port", "0"],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = Thread(target=self._read, args=(self._process.stderr, lines), daemon=True)
        self._reader.start()
        self.url = self._served_url(lines)

    def stop(self) -> None:
        """Ask it to stop, and wait; end it when it does not."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._reader is not None:
            self._reader.join(_STOP_SECONDS_MAX)
            self._reader = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _read(self, stream: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
        """Copy the log to its file until the process ends; an empty line says so."""
        with stream, self.log_path.open("ab") as file:
            for line in stream:
                file.write(line)
                file.flush()
                lines.put(line)
        lines.put(b"")

    def _served_url(self, lines: "queue.SimpleQueue[bytes]") -> str:
        for line in _until(lines, self.start_seconds_max):
            event: dict[str, Any] = json.loads(line) if line.startswith(b"{") else {}
            if event.get("event") == "serving":
                return str(event["url"])
        self.stop()
        raise DidNotStart(f"lethe serve did not start:\n{self.log_path.read_text()[-4_000:]}")


def _until(lines: "queue.SimpleQueue[bytes]", seconds: float) -> Iterator[bytes]:
    """The lines that come within the time, up to an empty one."""
    give_up_at = monotonic() + seconds
    while (left := give_up_at - monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            return
        if not line:
            return
        yield line
