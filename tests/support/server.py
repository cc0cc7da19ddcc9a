"""A real `lethe serve` in a process of its own: started, waited for, stopped, its exit looked at.

Everything that it needs is in one directory: the settings file, the embedded databases and keys, the log. Its name is
what it says of itself in the `serving` line of its log, so that no port is chosen twice.
"""

import hashlib
import json
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import monotonic
from types import TracebackType
from typing import IO, Any, Self

import httpx2

START_SECONDS_MAX = 180
STOP_SECONDS_MAX = 30
SECRET = "a secret that every client of the tests shares"
ORG = "0123ABCD@LetheOrg"
PROD, DEV = "prod", "dev"
ROLES = ("viewer", "expiration-manager", "record-delete-manager", "dataset-deleter", "administrator", "service")
EMAILS, CARDS, MAPPED = "5b020a27e7040801dedbf46e", "62b3925ff20f8e1b990a7434", "66043e214ac58a2c9f9eb99f"


def an_org(org_id: str = ORG, **more: Any) -> dict[str, Any]:
    """An organization with a default sandbox and another."""
    prod = {"name": PROD, "title": "Production", "type": "production", "is_default": True}
    return {"id": org_id, "sandboxes": [prod, {"name": DEV, "title": "Development"}], **more}


def a_client(client_id: str, role: str, org_ids: Sequence[str] = (ORG,)) -> dict[str, Any]:
    """A client of the built-in issuer."""
    digest = hashlib.sha256(SECRET.encode()).hexdigest()
    name, email = f"Client {client_id}", f"{client_id}@example.com"
    return {"id": client_id, "secret_sha256": digest, "name": name, "email": email, "orgs": org_ids, "roles": [role]}


def a_dataset(dataset_id: str, org_id: str = ORG, **more: Any) -> dict[str, Any]:
    """A dataset whose rows name a person by e-mail address, unless said otherwise."""
    if not more:
        more = {"primary_identity_path": ["person", "email"], "primary_identity_namespace": "Email"}
    table = {"format": "parquet", "location": f"/lake/{org_id}/{dataset_id}"}
    return {"id": dataset_id, "org": org_id, "sandbox": PROD, "name": f"Dataset {dataset_id}", **table, **more}


def settings(org_ids: Sequence[str] = (ORG,), **more: Any) -> dict[str, Any]:
    """Orgs with three datasets each, and a client of every role that may act for all of them."""
    quotas = {"expirations": 10_000, "daily_deletes": 10**9, "monthly_deletes": 10**9}
    return {
        "orgs": [an_org(org_id, quotas=quotas) for org_id in org_ids],
        "clients": [a_client(role, role, org_ids) for role in ROLES],
        "datasets": [
            dataset
            for org_id in org_ids
            for dataset in (
                a_dataset(EMAILS, org_id),
                a_dataset(CARDS, org_id, primary_identity_path=["ecid"], primary_identity_namespace="ECID"),
                a_dataset(MAPPED, org_id, identity_map=True),
            )
        ],
        "limits": {"small_orders_per_second": 1_000_000, "burst": 1_000_000},
        "work": {"workers": 0},
        **more,
    }


@dataclass
class Server:
    """`lethe serve` on a free port of the loopback interface, on SQLite unless a database is given."""

    directory: Path
    settings: Mapping[str, Any] = field(default_factory=settings)
    database_url: str | None = None
    url: str = ""
    log: list[dict[str, Any]] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None
    _reader: Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, places: TracebackType | None
    ) -> None:
        if error is None:
            self.stop()
        else:
            self.kill()

    @property
    def log_path(self) -> Path:
        return self.directory / "lethe.log"

    def start(self) -> None:
        """Start, and wait until it is ready. Raises AssertionError with the log when it does not become so."""
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "lethe.toml"
        config.write_text("".join(f"{name} = {toml(value)}\n" for name, value in self.settings.items()))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
        environment |= {"LETHE_CONFIG": str(config), "LETHE_DATA_DIR": str(self.directory / "data")}
        if self.database_url is not None:
            environment["LETHE_DATABASE_URL"] = self.database_url
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lethe", "serve", "--port", "0"],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert self._process.stderr is not None
        lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = Thread(target=self._read, args=(self._process.stderr, lines), daemon=True)
        self._reader.start()
        self.url = self._served_url(lines)
        ready = httpx2.get(f"{self.url}/readyz", timeout=START_SECONDS_MAX, trust_env=False)
        assert ready.status_code == 200, self.log_path.read_text()

    def stop(self) -> None:
        """Ask it to stop, and assert that it did so in good order."""
        process = self._process
        assert process is not None
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_SECONDS_MAX)
        finally:
            self.kill()
        assert status == 0, self.log_path.read_text()
        assert self.log[-1]["event"] == "stopped", self.log_path.read_text()

    def kill(self) -> None:
        """End it as a power cut would, if it still runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._reader is not None:
            self._reader.join(STOP_SECONDS_MAX)
            self._reader = None

    def token(self, client_id: str = "administrator") -> str:
        """A token of its built-in issuer."""
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": SECRET, "scope": "openid"}
        answered = httpx2.post(f"{self.url}/ims/token/v3", data=form, timeout=30, trust_env=False)
        assert answered.status_code == 200, answered.text
        token: str = answered.json()["access_token"]
        return token

    def headers(
        self, client_id: str = "administrator", org_id: str = ORG, sandbox_name: str | None = PROD
    ) -> dict[str, str]:
        """The headers of a good call."""
        headers = {
            "Authorization": f"Bearer {self.token(client_id)}",
            "x-api-key": client_id,
            "x-gw-ims-org-id": org_id,
        }
        return headers if sandbox_name is None else headers | {"x-sandbox-name": sandbox_name}

    def client(self, client_id: str = "administrator", org_id: str = ORG) -> httpx2.Client:
        """A client that sends the headers of a good call; to be closed."""
        headers = self.headers(client_id, org_id)
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)

    def _read(self, stream: IO[bytes], lines: "queue.SimpleQueue[dict[str, Any] | None]") -> None:
        """Copy the log to its file; runs until the process closes it."""
        with self.log_path.open("ab") as file:
            for line in stream:
                file.write(line)
                file.flush()
                if line.startswith(b"{"):
                    self.log.append(json.loads(line))
                    lines.put(self.log[-1])
        stream.close()
        lines.put(None)

    def _served_url(self, lines: "queue.SimpleQueue[dict[str, Any] | None]") -> str:
        give_up_at = monotonic() + START_SECONDS_MAX
        while True:
            try:
                line = lines.get(timeout=max(0, give_up_at - monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                self.kill()
                raise AssertionError(f"lethe serve did not start:\n{self.log_path.read_text()}")
            if line["event"] == "serving":
                url: str = line["url"]
                return url


def toml(value: object) -> str:
    """A value as TOML writes it; a JSON string is a TOML string."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{name} = {toml(each)}" for name, each in value.items()) + "}"
        case str() | bool() | int() | float():
            return json.dumps(value)
        case Sequence():
            return "[" + ", ".join(map(toml, value)) + "]"
        case _:
            raise TypeError(type(value))
