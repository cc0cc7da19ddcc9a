"""`lethe serve` as a process: what it finishes before it stops, two at once, and why it does not start."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import httpx2

from support.server import EMAILS, Server, a_dataset, settings, toml

ROOT = "/data/core/hygiene"
ORDER = {"datasetId": EMAILS, "identities": [{"namespace": {"code": "Email"}, "id": "ann@example.com"}]}
WAIT_SECONDS_MAX = 30


def test_a_request_under_way_is_answered_before_it_stops(tmp_path: Path) -> None:
    body = json.dumps(ORDER).encode()
    with Server(tmp_path) as server:
        url = httpx2.URL(server.url)
        headers = server.headers() | {"Host": "x", "Content-Type": "application/json", "Content-Length": str(len(body))}
        head = f"POST {ROOT}/workorder HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in headers.items()
        )
        with socket.create_connection((url.host, url.port or 80), WAIT_SECONDS_MAX) as caller:
            caller.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
            # The server asks for the body once the request is under way.
            assert caller.recv(65_536).startswith(b"HTTP/1.1 100")
            caller.sendall(body[:10])
            assert server._process is not None
            server._process.send_signal(signal.SIGTERM)
            wait_until_refused(url.host, url.port or 80)
            caller.sendall(body[10:])
            answer = b"".join(iter(lambda: caller.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 201"), answer
        stored = answer.partition(b'"workorderId":"')[2][:39].decode()
    with Server(tmp_path) as server, server.client() as client:
        assert client.get(f"{ROOT}/workorder/{stored}").status_code == 200


def wait_until_refused(host: str, port: int) -> None:
    give_up_at = monotonic() + WAIT_SECONDS_MAX
    while monotonic() < give_up_at:
        try:
            socket.create_connection((host, port), 1).close()
        except ConnectionRefusedError:
            return
        except (ConnectionResetError, TimeoutError):
            continue  # it stood in the queue of a listener that was just closed
    raise AssertionError("the server still takes connections")


def test_two_that_start_at_once_on_one_directory_are_one_installation(tmp_path: Path) -> None:
    one, other = Server(tmp_path), Server(tmp_path)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Server.start, (one, other)))
    try:
        headers = one.headers() | {"Idempotency-Key": "once"}
        # The second checks a token that the first signed, and opens an answer that the first sealed.
        first = httpx2.post(f"{one.url}{ROOT}/workorder", json=ORDER, headers=headers, trust_env=False, timeout=30)
        again = httpx2.post(f"{other.url}{ROOT}/workorder", json=ORDER, headers=headers, trust_env=False, timeout=30)
        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()
    finally:
        one.stop()
        other.stop()
    keys = tmp_path / "data" / "keys"
    assert [path.name for path in keys.iterdir() if path.is_file()] == ["secret.key"]
    for made in (path for path in keys.iterdir() if path.is_dir()):
        assert [path.name for path in made.rglob("*.jwk")] == ["000001.jwk"]
    private = [tmp_path / "data", keys, keys / "issuer", *keys.rglob("*.*"), *(tmp_path / "data").glob("*.db*")]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in private} == {0}


def refused(tmp_path: Path, *options: str, verb: str = "serve", **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LETHE_")}
    done = subprocess.run(
        [sys.executable, "-m", "lethe", verb, *options],
        cwd=tmp_path,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_a_taken_port_is_said_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(tmp_path, "--port", str(port))
    assert said == f"Lethe cannot listen on 127.0.0.1 port {port}: Address already in use."
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_does_not_answer_is_said_without_its_password(tmp_path: Path) -> None:
    nowhere = {"LETHE_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/d"}
    expected = "Lethe cannot start: the database did not answer (OperationalError)."
    assert refused(tmp_path, "--port", "0", **nowhere) == expected
    assert refused(tmp_path, verb="worker", **nowhere) == expected


def test_a_table_that_two_datasets_of_the_settings_name_is_said_by_both_verbs(tmp_path: Path) -> None:
    twins = [
        a_dataset("one", location="/lake/events", primary_identity_path=["a"], primary_identity_namespace="Email"),
        a_dataset("two", location="/lake/events/2026/", identity_map=True),
    ]
    config = tmp_path / "lethe.toml"
    config.write_text("".join(f"{name} = {toml(value)}\n" for name, value in settings(datasets=twins).items()))
    expected = (
        "Lethe cannot start: datasets: two: table: The table is that of a registered dataset, contains it, or lies "
        "inside it."
    )
    assert refused(tmp_path, "--port", "0", LETHE_CONFIG=str(config)) == expected
    assert refused(tmp_path, verb="worker", LETHE_CONFIG=str(config)) == expected
