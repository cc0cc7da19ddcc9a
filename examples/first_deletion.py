"""Deletes people from a real table through the public API, and checks that they are gone.

`make demo` runs it. It starts `lethe serve` on a free loopback port with a fresh data directory, writes a Parquet table
of 100,000 rows, previews and submits a record delete, follows it to the end, counts rows before and after, searches the
files for the deleted people byte by byte, checks the certificate and the audit trail offline, and lets a dataset expire
on paper. It exits with status 0 only when each of these was as it should be.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq

ORG = "ACME@LetheOrg"
CLIENT, SECRET = "demo", "a secret for a server that lives for seconds"
SETTINGS = f"""
[work]
writers_grace_seconds = 0

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
ROWS, FILES = 100_000, 4
FOLLOW_SECONDS_MAX = 120


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


def require(holds: bool, fact: str) -> None:
    """Say a fact that holds; stop with status 1 at one that does not."""
    if not holds:
        raise SystemExit(f"This does not hold: {fact}.")
    say(f"✓ {fact}")


def expect(response: httpx2.Response, status: int) -> Any:
    """The answer's body, if it came with this status; otherwise stop and show it."""
    if response.status_code != status:
        raise SystemExit(
            f"{response.request.method} {response.request.url.path}: {response.status_code} {response.text}"
        )
    return response.json()


def write_table(directory: Path) -> None:
    """Write 100,000 subscribers into a Parquet table of four files."""
    directory.mkdir(parents=True)
    for number in range(FILES):
        rows = range(number * ROWS // FILES, (number + 1) * ROWS // FILES)
        columns = {"email": [person(row) for row in rows], "issue": list(rows)}
        pq.write_table(pa.table(columns), directory / f"part-{number}.parquet", compression="zstd")


def person(row: int) -> str:
    """Name the subscriber of a row; each has four."""
    return f"person-{row % (ROWS // 4)}@example.com"


def rows_by_person(directory: Path) -> Counter[str]:
    """Count every subscriber's rows, as any reader of the table sees them."""
    return Counter(pq.read_table(directory, columns=["email"])["email"].to_pylist())


def drive(url: str, directory: Path) -> None:
    """Make the calls."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET, "scope": "hygiene"}
    token = expect(httpx2.post(f"{url}/ims/token/v3", data=form), 200)
    headers = {
        "Authorization": f"Bearer {token['access_token']}",
        "x-api-key": CLIENT,
        "x-gw-ims-org-id": ORG,
        "x-sandbox-name": "prod",
    }
    with httpx2.Client(base_url=url, headers=headers, timeout=60) as api:
        table = directory / "lake" / "newsletter"
        write_table(table)
        dataset = {
            "name": "Newsletter",
            "schema": {"title": "Subscriber", "primaryIdentity": {"path": ["email"], "namespace": "Email"}},
            "table": {"format": "parquet", "location": str(table)},
        }
        created = expect(api.post("/data/foundation/catalog/dataSets", json=dataset), 201)
        dataset_id = created[0].removeprefix("@/dataSets/")
        say(f"A table of {ROWS:,} rows in {FILES} Parquet files is registered as dataset {dataset_id}.")
        delete_people(api, dataset_id, table, directory)
        let_expire(api, dataset_id)
        for quota in expect(api.get(f"{HYGIENE}/quota"), 200)["quotas"][:2]:
            say(f"{quota['name']}: {quota['consumed']:,} of {quota['quota']:,}.")


def delete_people(api: httpx2.Client, dataset_id: str, table: Path, directory: Path) -> None:
    """Preview, delete, follow, and check what is left."""
    gone = [person(row) for row in range(0, ROWS // 4, 50)]
    order = {
        "action": "delete_identity",
        "datasetId": dataset_id,
        "displayName": "Unsubscribed",
        "namespacesIdentities": [{"namespace": {"code": "email"}, "IDs": [*gone, "nobody@example.com"]}],
    }
    before = rows_by_person(table)
    preview = expect(api.post(f"{HYGIENE}/workorder/preview", json=order), 200)
    [planned] = preview["datasets"]
    say(f"Preview: {planned['rowsMatched']:,} rows of {preview['operationCount']} people; nothing is changed yet.")
    accepted = expect(api.post(f"{HYGIENE}/workorder", json=order, headers={"Idempotency-Key": "demo-1"}), 201)
    again = expect(api.post(f"{HYGIENE}/workorder", json=order, headers={"Idempotency-Key": "demo-1"}), 201)
    require(again == accepted, "the same request again, under the same Idempotency-Key, does nothing more")
    order_id = accepted["workorderId"]
    say(f"Work order {order_id}: " + " → ".join(followed(api, order_id)) + ".")
    for product in expect(api.get(f"{HYGIENE}/workorder/{order_id}"), 200)["productStatusDetails"]:
        say(f"  {product['productName']}: {product['productStatus']}")

    after = rows_by_person(table)
    say(f"Rows before {before.total():,}, after {after.total():,}.")
    require(after == before - Counter({each: before[each] for each in gone}), "exactly the others' rows are left")
    content = b"".join(path.read_bytes() for path in sorted((directory / "lake").rglob("*")) if path.is_file())
    require(not any(each.encode() in content for each in gone), "no file holds a deleted person's address")
    database = b"".join(path.read_bytes() for path in sorted((directory / "data").glob("*.db*")))
    require(not any(each.encode() in database for each in gone), "nor does Lethe's own database")

    certificate = directory / "certificate.json"
    certificate.write_bytes(api.get(f"{HYGIENE}/workorder/{order_id}/certificate").content)
    command = [sys.executable, "-m", "lethe", "certificate", "check", str(certificate)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    require(checked.returncode == 0, "the signed certificate is valid, checked offline")


def followed(api: httpx2.Client, order_id: str) -> list[str]:
    """Follow an order to its end; the statuses that were seen."""
    seen: list[str] = []
    give_up_at = time.monotonic() + FOLLOW_SECONDS_MAX
    while not seen or seen[-1] not in {"completed", "failed"}:
        if time.monotonic() > give_up_at:
            raise SystemExit(f"the work order is still {seen[-1]}")
        status = expect(api.get(f"{HYGIENE}/workorder/{order_id}"), 200)["status"]
        if not seen or seen[-1] != status:
            seen.append(status)
        time.sleep(0.05)
    require(seen[-1] == "completed", "the work order completes")
    return seen


def let_expire(api: httpx2.Client, dataset_id: str) -> None:
    """Schedule an expiration, and call it off."""
    expiry = (datetime.now(UTC) + timedelta(days=90)).isoformat()
    body = {"datasetId": dataset_id, "expiry": expiry, "displayName": "Licensed until then"}
    expiration = expect(api.post(f"{HYGIENE}/ttl", json=body), 201)
    say(f"The dataset expires on {expiration['expiry'][:10]}: {expiration['ttlId']}, {expiration['status']}.")
    cancelled = expect(api.delete(f"{HYGIENE}/ttl/{dataset_id}"), 200)
    require(cancelled["status"] == "cancelled", "an expiration can be called off until its time has come")


def verify_audit(directory: Path) -> None:
    """Check the chain of the audit trail, which holds every change above."""
    subprocess.run([sys.executable, "-m", "lethe", "audit", "verify"], env=environment(directory), check=True)


def main() -> None:
    """Run the demonstration."""
    with tempfile.TemporaryDirectory(prefix="lethe-demo-") as name:
        directory = Path(name)
        with a_lethe(directory) as url:
            say(f"Lethe listens on {url}.")
            drive(url, directory)
        verify_audit(directory)
    say("Everything holds. Next: `make serve`, then open /docs.")


if __name__ == "__main__":
    main()
