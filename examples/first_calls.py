"""Drives a Lethe of its own through the public API: token, dataset, expiration, record delete, quota, audit.

`make demo` runs it. It starts `lethe serve` on a free loopback port with a fresh data directory, makes every call as a
client would, and exits with status 0 only when each answer was what the contract says.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

ORG = "ACME@LetheOrg"
CLIENT, SECRET = "demo", "a secret for a server that lives for seconds"
SETTINGS = f"""
[[orgs]]
id = "{ORG}"

[[clients]]
id = "{CLIENT}"
secret_sha256 = "{hashlib.sha256(SECRET.encode()).hexdigest()}"
name = "Demo"
email = "demo@localhost"
orgs = ["{ORG}"]
roles = ["administrator"]
"""
HYGIENE = "/data/core/hygiene"


def say(text: str) -> None:
    """Write a line for the person who watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def environment(directory: Path) -> dict[str, str]:
    """What says to `lethe` where its settings and its data are."""
    return os.environ | {"LETHE_CONFIG": str(directory / "lethe.toml"), "LETHE_DATA_DIR": str(directory / "data")}


@contextmanager
def a_lethe(directory: Path) -> Iterator[str]:
    """Run a server with its data in the directory; gives its URL."""
    (directory / "lethe.toml").write_text(SETTINGS)
    environment = os.environ | {
        "LETHE_CONFIG": str(directory / "lethe.toml"),
        "LETHE_DATA_DIR": str(directory / "data"),
    }
    command = [sys.executable, "-m", "lethe", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment(directory), stderr=subprocess.PIPE, text=True) as server:
        try:
            for line in server.stderr or ():
                event = json.loads(line)
                if event["event"] == "serving":
                    yield event["url"]
                    break
            else:
                raise SystemExit("the server did not start")
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)


def expect(response: httpx2.Response, status: int) -> Any:
    """The answer's body, if it came with this status; otherwise stop and show it."""
    if response.status_code != status:
        raise SystemExit(
            f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text}"
        )
    return response.json()


def drive(url: str) -> None:
    """Make the calls."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": "hygiene"}
    token = expect(httpx2.post(f"{url}/ims/token/v3", data=form), 200)
    say(f"A token, good for {token['expires_in'] // 3600} hours.")
    headers = {
        "Authorization": f"Bearer {token['access_token']}",
        "x-api-key": CLIENT,
        "x-gw-ims-org-id": ORG,
        "x-sandbox-name": "prod",
    }
    with httpx2.Client(base_url=url, headers=headers) as api:
        dataset = {
            "name": "Newsletter",
            "schema": {"title": "Subscriber", "primaryIdentity": {"path": ["email"], "namespace": "Email"}},
            "table": {"format": "parquet", "location": "lake/newsletter"},
        }
        created = expect(api.post("/data/foundation/catalog/dataSets", json=dataset), 201)
        dataset_id = created[0].removeprefix("@/dataSets/")
        say(f"The dataset {dataset_id} is registered.")

        expiry = (datetime.now(UTC) + timedelta(days=90)).isoformat()
        body = {"datasetId": dataset_id, "expiry": expiry, "displayName": "Licensed until then"}
        expiration = expect(api.post(f"{HYGIENE}/ttl", json=body), 201)
        say(f"It expires on {expiration['expiry']}: {expiration['ttlId']}, {expiration['status']}.")

        people = [f"person-{number}@example.com" for number in range(1_000)]
        order = {
            "action": "delete_identity",
            "datasetId": dataset_id,
            "displayName": "Unsubscribed",
            "namespacesIdentities": [{"namespace": {"code": "email"}, "IDs": people}],
        }
        accepted = expect(api.post(f"{HYGIENE}/workorder", json=order, headers={"Idempotency-Key": "demo-1"}), 201)
        again = expect(api.post(f"{HYGIENE}/workorder", json=order, headers={"Idempotency-Key": "demo-1"}), 201)
        say(f"Work order {accepted['workorderId']} over {accepted['operationCount']} identities: {accepted['status']}.")
        if again != accepted:
            raise SystemExit("the repeated request was answered otherwise")
        say("The same request again, under the same Idempotency-Key, did nothing more.")

        for quota in expect(api.get(f"{HYGIENE}/quota"), 200)["quotas"]:
            say(f"  {quota['name']}: {quota['consumed']} of {quota['quota']}")
        cancelled = expect(api.delete(f"{HYGIENE}/ttl/{dataset_id}"), 200)
        say(f"{cancelled['message']} ({cancelled['status']})")
        refused = expect(api.get(f"{HYGIENE}/workorder/DI-00000000-0000-4000-8000-000000000000"), 404)
        say(f"An unknown work order: {refused['error_code']} {refused['detail']}")


def verify_audit(directory: Path) -> None:
    """Check the chain of the audit trail, which holds every change above."""
    environment = os.environ | {
        "LETHE_CONFIG": str(directory / "lethe.toml"),
        "LETHE_DATA_DIR": str(directory / "data"),
    }
    subprocess.run([sys.executable, "-m", "lethe", "audit", "verify"], env=environment(directory), check=True)


def main() -> None:
    """Run the demonstration."""
    with tempfile.TemporaryDirectory(prefix="lethe-demo-") as name:
        directory = Path(name)
        with a_lethe(directory) as url:
            say(f"Lethe listens on {url}.")
            drive(url)
        verify_audit(directory)
    say("Everything was as the contract says. Next: `make serve`, then open /docs.")


if __name__ == "__main__":
    main()
