"""The verbs that call a server, against a real one: what they do, print, and exit with."""

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from cli.conftest import Lethe
from lethe.cli.main import app
from lethe.client import Lethe as Client
from lethe.client.webhooks import Webhook
from lethe.testing.server import LetheServer
from support.people import MakeTable, people_of, table_maker

ANN, BEN, CAL = "ann@example.com", "ben@example.com", "cal@example.com"
PEOPLE = (ANN, BEN, CAL)
WAIT_SECONDS_MAX = 90


@pytest.fixture
def client(lethe_server: LetheServer) -> Iterator[Client]:
    with lethe_server.client() as opened:
        yield opened


@pytest.fixture
def make_table(client: Client, tmp_path: Path) -> MakeTable:
    return table_maker(client, tmp_path)


@pytest.fixture
def call(lethe: Lethe, lethe_server: LetheServer) -> Callable[..., Result]:
    """Run a verb against the server; no identity may be in what it says."""

    def run(*words: str, status: int = 0, **more: str) -> Result:
        done = lethe(*words, **{**lethe_server.environment, **more})
        assert done.exit_code == status, done.output
        assert not any(person in done.output for person in PEOPLE)
        assert "Traceback" not in done.output
        return done

    return run


def of(done: Result) -> Any:
    return json.loads(done.stdout)


def csv(directory: Path, *people: str) -> str:
    file = directory / "gone.csv"
    file.write_text("id\n" + "".join(f"{person}\n" for person in people))
    return str(file)


def test_people_are_deleted_and_the_others_stay(
    call: Callable[..., Result], make_table: MakeTable, tmp_path: Path
) -> None:
    dataset = make_table([ANN, BEN, None, ANN, CAL])
    asked = ("-d", dataset.dataset_id, "--csv", csv(tmp_path, ANN, CAL), "-n", "Email")
    [preview] = of(call("workorder", "preview", *asked, "-o", "json"))
    assert [each["rowsMatched"] for each in preview["datasets"]] == [3]
    told = call("workorder", "preview", *asked)
    assert dataset.dataset_id in told.stdout
    assert "3 rows of 2 of 2 identities. Nothing is changed yet." in told.stderr

    refused = call("workorder", "create", *asked, status=2)
    assert "--yes" in refused.stderr
    assert people_of(dataset) == [ANN, BEN, None, ANN, CAL]

    done = call("workorder", "create", *asked, "--name", "Left", "--yes", "--wait", "-o", "json")
    order = of(done)
    assert (order["status"], order["operationCount"], order["displayName"]) == ("completed", 2, "Left")
    assert people_of(dataset) == [BEN, None]
    assert f"{order['workorderId']} completed" in done.stderr

    order_id = order["workorderId"]
    assert of(call("workorder", "get", order_id, "-o", "json")) == order
    listed = of(call("workorder", "list", "--status", "completed", "--search", "Left", "-o", "json"))
    assert order_id in [each["workorderId"] for each in listed]
    assert order_id in call("workorder", "list").stdout
    assert of(call("workorder", "watch", order_id, "-o", "json"))["status"] == "completed"
    results = of(call("workorder", "results", order_id, "--identities", "-o", "json"))
    assert sorted(each["rows"] for each in results["results"]) == [1, 2]
    assert "completed: 3 rows, 2 identities\n" in call("workorder", "results", order_id).stderr
    assert "2 identities: 2 deleted" in call("workorder", "results", order_id, "--identities").stderr
    assert of(call("workorder", "plan", order_id, "-o", "json"))["datasets"][0]["rowsMatched"] == 3
    assert "some rows match" in call("workorder", "plan", order_id).stdout
    renamed = of(call("workorder", "update", order_id, "--name", "Gone", "-o", "json"))
    assert (renamed["displayName"], renamed["workorderId"]) == ("Gone", order_id)

    proof = tmp_path / "proof.json"
    call("certificate", "get", order_id, "--file", str(proof))
    assert "Valid: signed by" in call("certificate", "check", str(proof)).stdout
    assert of(call("certificate", "get", order_id)) == json.loads(proof.read_text())
    checked = of(call("certificate", "check", str(proof), "-o", "json"))
    assert (checked["valid"], checked["trusted"]) == (True, False)
    assert checked["certificate"] == json.loads(proof.read_text())["certificate"]
    call("certificate", "check", str(proof), "--key", checked["signedBy"])
    assert not of(call("certificate", "check", str(proof), "--key", "another", "-o", "json", status=1))["valid"]
    for broken in (proof.read_text().replace('"jws": "', '"jws": "x'), "{", "nonsense"):
        proof.write_text(broken)
        assert call("certificate", "check", str(proof), status=1).stdout.startswith("Not valid: ")
    call("certificate", "check", "nowhere.json", status=2)


def test_lookup_reads_the_identity_from_standard_input(
    directory: Path, lethe_server: LetheServer, client: Client, make_table: MakeTable
) -> None:
    order = client.work_orders.create(make_table([ANN]).dataset_id, {"Email": [BEN]}).wait(WAIT_SECONDS_MAX)
    words = ("workorder", "lookup", order.workorder_id, "-n", "Email", "-o", "json")
    for person, requested in ((BEN, True), (ANN, False)):
        done = CliRunner().invoke(app, words, input=f"{person}\n", env=dict(lethe_server.environment))
        assert json.loads(done.stdout)["requested"] is requested
        assert person not in done.output


def test_verify_looks_again(call: Callable[..., Result], client: Client, make_table: MakeTable, tmp_path: Path) -> None:
    dataset = make_table([ANN, BEN, ANN])
    order = client.work_orders.create(dataset.dataset_id, {"Email": [ANN, CAL]})
    asked = ("verify", order.workorder_id, "-n", "Email", "-o", "json", "--csv")
    order.wait(WAIT_SECONDS_MAX)
    found = of(call(*asked, csv(tmp_path, ANN, CAL)))
    assert (found["absent"], found["rowsMatched"], found["lookedUp"]) == (True, {dataset.dataset_id: 0}, 2)
    assert "1 of the order's 2 identities were given" in call(*asked, csv(tmp_path, ANN)).stderr
    stranger = of(call(*asked, csv(tmp_path, ANN, BEN), status=1))
    assert (stranger["absent"], stranger["notRequested"], stranger["rowsMatched"]) == (
        False,
        1,
        {dataset.dataset_id: 1},
    )
    late = pa.table({"email": pa.array([CAL], pa.string()), "n": [9]})
    pq.write_table(late, Path(dataset.table.location or "") / "late.parquet")
    assert of(call(*asked, csv(tmp_path, ANN, CAL), status=1))["rowsMatched"] == {dataset.dataset_id: 1}
    gone = client.work_orders.delete_dataset(make_table([ANN]).dataset_id)
    assert (
        "its certificate" in call("verify", gone.workorder_id, "-n", "E", "--csv", csv(tmp_path, ANN), status=2).stderr
    )


def test_many_identities_become_several_orders_and_it_says_so(
    call: Callable[..., Result], make_table: MakeTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lethe.client import identities

    parts_of = identities.parts_of
    few = lambda given: parts_of(given, count_max=2)  # noqa: E731
    for place in ("lethe.client.work_orders", "lethe.cli.previewing", "lethe.client.identities"):
        monkeypatch.setattr(f"{place}.parts_of", few)
    dataset = make_table([ANN, BEN, None, CAL])
    asked = ("-d", dataset.dataset_id, "--csv", csv(tmp_path, *PEOPLE), "-n", "Email")
    previews = of(call("workorder", "preview", *asked, "-o", "json"))
    assert [each["operationCount"] for each in previews] == [2, 1]
    done = call("workorder", "create", *asked, "--yes", "--wait", "-o", "json", "--idempotency-key", "all-of-them")
    assert [each["operationCount"] for each in of(done)] == [2, 1]
    assert "Work order 1 of 2 is accepted: DI-" in done.stderr
    assert people_of(dataset) == [None]
    again = of(call("workorder", "create", *asked, "--yes", "-o", "json", "--idempotency-key", "all-of-them"))
    assert [each["workorderId"] for each in again] == [each["workorderId"] for each in of(done)]


def test_datasets_namespaces_quota(call: Callable[..., Result], tmp_path: Path) -> None:
    registered = of(
        call(
            *("dataset", "register", "Orders", "--format", "parquet", "--location", str(tmp_path)),
            *("--identity", "customer.email", "--namespace", "Email", "--id", "orders-1", "-o", "json"),
        )
    )
    assert registered["datasetId"] == "orders-1"
    assert of(call("dataset", "show", "orders-1", "-o", "json")) == registered
    assert registered in of(call("dataset", "list", "-o", "json"))
    assert str(tmp_path) in call("dataset", "list").stdout
    assert "orders-1" not in call("--sandbox", "dev", "dataset", "list").output
    made = of(call("namespace", "create", "Loyalty", "--name", "Card", "--case-insensitive", "-o", "json"))
    assert (made["code"], made["name"], made["caseInsensitive"]) == ("Loyalty", "Card", True)
    assert "Loyalty" in call("namespace", "list").stdout
    assert {"Email", "Loyalty"} <= {each["code"] for each in of(call("namespace", "list", "-o", "json"))}
    assert len(of(call("quota", "-o", "json"))) == 4
    assert "datasetExpirationQuota" in call("quota").stdout


def test_a_dataset_is_destroyed(call: Callable[..., Result], make_table: MakeTable) -> None:
    dataset = make_table([ANN, BEN])
    call("dataset", "delete", dataset.dataset_id, status=2)
    assert people_of(dataset) == [ANN, BEN]
    done = of(call("dataset", "delete", dataset.dataset_id, "--yes", "--wait", "-o", "json"))
    assert (done["action"], done["status"]) == ("dataset-delete", "completed")
    assert people_of(dataset) == []


def test_an_expiration_comes_and_goes(call: Callable[..., Result], make_table: MakeTable) -> None:
    dataset = make_table([ANN]).dataset_id
    call("ttl", "create", dataset, "--expiry", "2090-01-01", status=2)
    made = of(call("ttl", "create", dataset, "--expiry", "2090-01-01", "--name", "Licence", "--yes", "-o", "json"))
    assert (made["status"], made["displayName"], made["expiry"][:10]) == ("pending", "Licence", "2090-01-01")
    assert of(call("ttl", "get", made["ttlId"], "-o", "json")) == of(call("ttl", "get", dataset, "-o", "json")) == made
    call("ttl", "update", dataset, "--expiry", "2091-01-01", status=2)
    changed = of(call("ttl", "update", dataset, "--description", "why", "-o", "json"))
    assert (changed["description"], changed["expiry"]) == ("why", made["expiry"])
    assert changed in of(call("ttl", "list", "--status", "pending", "-o", "json"))
    assert made["ttlId"] in call("ttl", "list").stdout
    assert of(call("ttl", "cancel", dataset, "-o", "json"))["status"] == "cancelled"
    assert [each["status"] for each in of(call("ttl", "history", dataset, "-o", "json"))] == [
        "created",
        "updated",
        "cancelled",
    ]


def test_the_exit_status_says_what_became_of_it(
    call: Callable[..., Result], make_table: MakeTable, tmp_path: Path
) -> None:
    unknown = "DI-00000000-0000-4000-8000-000000000000"
    assert "HYGN-4001-404" in call("workorder", "get", unknown, status=3).stderr
    assert call("workorder", "get", unknown, status=3).stdout == ""
    assert "HYGN-4006-400" in call(
        *("workorder", "create", "-d", make_table([ANN]).dataset_id, "--csv", csv(tmp_path, ANN), "-n", "ECID", "-y"),
        status=4,
    ).stderr  # fmt: skip
    call("ttl", "create", "unknown", "--expiry", "2090-01-01", "--yes", status=3)
    call("workorder", "list", status=4, LETHE_CLIENT_SECRET="wrong")
    call("workorder", "list", status=2, LETHE_ORG="")
    call("workorder", "list", "--order-by", "age", status=4)
    call("workorder", "nonsense", status=2)
    call("--env-file", "none.env", "quota", status=2)
    slow = make_table([ANN])
    order = of(
        call(
            "workorder", "create", "-d", slow.dataset_id, "--csv", csv(tmp_path, ANN), "-n", "Email", "-y", "-o", "json"
        )
    )
    call("workorder", "watch", order["workorderId"], "--timeout", "0", status=6)


def test_what_failed_is_taken_up_again(call: Callable[..., Result], make_table: MakeTable, tmp_path: Path) -> None:
    dataset = make_table([ANN, BEN])
    files = {path: path.read_bytes() for path in Path(dataset.table.location or "").iterdir()}
    for path in files:
        path.write_bytes(b"not Parquet")
    asked = ("-d", dataset.dataset_id, "--csv", csv(tmp_path, BEN), "-n", "Email", "--yes", "--wait", "-o", "json")
    failed = of(call("workorder", "create", *asked, status=1))
    assert failed["status"] == "failed"
    assert "failure" in call("workorder", "get", failed["workorderId"]).stdout
    for path, content in files.items():
        path.write_bytes(content)
    done = of(call("workorder", "retry", failed["workorderId"], "--wait", "-o", "json"))
    assert (done["workorderId"], done["status"]) == (failed["workorderId"], "completed")
    assert people_of(dataset) == [ANN]
    assert "HYGN-" in call("workorder", "retry", failed["workorderId"], status=4).stderr


def test_webhooks(call: Callable[..., Result]) -> None:
    url = "https://hooks.example.com/lethe"
    words = ("webhook", "create", url, "-t", "org.lethe.workorder.completed", "--description", "ops", "-o", "json")
    made = of(call(*words))
    assert (made["url"], made["types"], made["enabled"]) == (url, ["org.lethe.workorder.completed"], True)
    assert made["secret"].startswith("whsec_")
    [listed] = of(call("webhook", "list", "-o", "json"))
    assert (listed["webhookId"], "secret" in listed) == (made["webhookId"], False)
    assert url in call("webhook", "list").stdout
    sent = of(call("webhook", "test", made["webhookId"], "-o", "json"))
    assert (sent["type"], sent["status"]) == ("org.lethe.webhook.ping", "pending")
    again = of(call("webhook", "redeliver", made["webhookId"], sent["deliveryId"], "-o", "json"))
    assert again["eventId"] == sent["eventId"]
    listed = of(call("webhook", "deliveries", made["webhookId"], "-o", "json"))
    assert {each["eventId"] for each in listed} == {sent["eventId"]}
    assert sent["deliveryId"] in call("webhook", "deliveries", made["webhookId"]).stdout
    call("webhook", "delete", made["webhookId"], status=2)
    assert of(call("webhook", "delete", made["webhookId"], "--yes", "-o", "json"))["webhookId"] == made["webhookId"]
    call("webhook", "test", made["webhookId"], status=3)
    assert "whsec_" not in repr(Webhook.model_validate(made))


def test_a_server_that_is_not_there(lethe: Lethe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lethe.client.retrying.Patience.delay", lambda *_: 0)
    variables = {"LETHE_URL": "http://127.0.0.1:1", "LETHE_ORG": "o", "LETHE_API_KEY": "k", "LETHE_TOKEN": "t"}
    done = lethe("quota", **variables)
    assert done.exit_code == 5
    assert "Lethe cannot be reached" in done.stderr


def test_an_env_file_says_where_to_call(lethe: Lethe, lethe_server: LetheServer, directory: Path) -> None:
    file = directory / "lethe.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in lethe_server.environment.items()))
    assert lethe("--env-file", "lethe.env", "quota").exit_code == 0
    assert lethe("quota", LETHE_ENV_FILE="lethe.env").exit_code == 0
    assert "Warning" not in lethe("config", "check", LETHE_URL="x", LETHE_ENV_FILE="y").output.replace(
        "Warning: no", ""
    ).replace("Warning: neither", "")


class Terminal:
    """A command on a terminal of its own: what it asks is answered."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lethe", *words], stdin=slave, stdout=slave, stderr=slave, env=environment
        )
        os.close(slave)
        self.output = ""

    def until(self, text: str) -> None:
        give_up_at = monotonic() + WAIT_SECONDS_MAX
        while text not in self.output:
            assert monotonic() < give_up_at, self.output
            if not self._read():
                assert text in self.output, self.output

    def answer(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> int:
        while self._read():
            pass
        os.close(self._master)
        return self._process.wait(WAIT_SECONDS_MAX)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], WAIT_SECONDS_MAX)
        try:
            data = os.read(self._master, 65_536) if ready else b""
        except OSError:
            return False
        self.output += data.decode(errors="replace")
        return bool(data)


@pytest.mark.parametrize(("answer", "status"), [("n", 4), ("y", 0)])
def test_on_a_terminal_it_shows_the_preview_and_asks(
    lethe_server: LetheServer, make_table: MakeTable, tmp_path: Path, answer: str, status: int
) -> None:
    dataset = make_table([ANN, BEN])
    words = ["workorder", "create", "-d", dataset.dataset_id, "--csv", csv(tmp_path, ANN), "-n", "Email", "--wait"]
    environment = {**os.environ, **lethe_server.environment, "TERM": "xterm", "COLUMNS": "140"}
    terminal = Terminal(words, environment)
    terminal.until("Delete these records for good?")
    assert "1 rows of 1 of 1 identities. Nothing is changed yet." in terminal.output
    assert people_of(dataset) == [ANN, BEN]
    terminal.answer(f"{answer}\n")
    assert terminal.end() == status
    assert people_of(dataset) == ([BEN] if answer == "y" else [ANN, BEN])
    assert ("Nothing was done." in terminal.output) == (answer == "n")
    assert ANN not in terminal.output
