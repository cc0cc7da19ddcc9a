"""What the client does when answers fail: what it sends again, when, and what it raises."""

import json
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from client.conftest import ORDER, Script, problem
from lethe.client import (
    Lethe,
    LetheError,
    NotAuthenticated,
    NotConfigured,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    StillWorking,
    Unavailable,
    UnexpectedAnswer,
    WorkFailed,
)

SECRET = "ann@example.com"
EMPTY = {"quotas": []}
EXPIRED = {"error_code": "401013", "message": "Oauth token is not valid"}


def ok(body: object = EMPTY) -> httpx2.Response:
    return httpx2.Response(200, json=body)


def test_a_lookup_is_repeated_with_growing_waits() -> None:
    script = Script(
        problem("HYGN-9002-503", 503), httpx2.ConnectError("no"), httpx2.ReadTimeout("slow"), httpx2.Response(502), ok()
    )
    assert script.client().quota() == ()
    assert script.slept == [0.25, 0.5, 1, 2]
    script.done()


def test_patience_ends() -> None:
    script = Script(*[httpx2.ConnectError(f"no {SECRET}") for _ in range(6)])
    with pytest.raises(Unavailable, match="cannot be reached") as given_up:
        script.client().quota()
    assert isinstance(given_up.value.__cause__, httpx2.ConnectError)
    assert SECRET not in str(given_up.value)
    assert script.slept == [0.25, 0.5, 1, 2, 4]
    script.done()


def test_retry_after_is_kept_to_unless_it_is_long() -> None:
    script = Script(problem("HYGN-2002-429", 429, retry_after="7"), ok())
    script.client().quota()
    assert script.slept == [7]
    script = Script(problem("HYGN-2002-429", 429, retry_after="3600"))
    with pytest.raises(RateLimited):
        script.client().quota()
    assert script.slept == []


def test_what_creates_carries_one_key_through_every_attempt() -> None:
    answers = [httpx2.ReadTimeout("lost"), problem("HYGN-9003-409", 409), problem("HYGN-9001-500", 500)]
    script = Script(*answers, httpx2.Response(201, json=ORDER), httpx2.Response(201, json=ORDER))
    client = script.client()
    client.work_orders.create("d", {"Email": [SECRET]})
    client.work_orders.create("d", {"Email": [SECRET]})
    keys = [request.headers["Idempotency-Key"] for request in script.requests]
    assert keys == ["key-1"] * 4 + ["key-2"]
    assert len({request.content for request in script.requests}) == 1
    assert json.loads(script.requests[0].content)["namespacesIdentities"] == [
        {"namespace": {"code": "Email"}, "IDs": [SECRET]}
    ]


EXPIRATION = {
    "ttlId": "SD-1",
    "datasetId": "d",
    "datasetName": "D",
    "sandboxName": "prod",
    "imsOrg": "ORG",
    "status": "executing",
    "expiry": "2026-01-01T00:00:00.000000Z",
    "updatedAt": "2026-01-01T00:00:00.000000Z",
    "updatedBy": "x",
    "displayName": "",
    "description": "",
    "destroyAfter": "2026-01-08T00:00:00.000000Z",
    "productStatusDetails": [
        {"productName": "Data Management", "productStatus": "failure", "createdAt": "2026-01-01T00:00:00.000000Z"}
    ],
    "heldBy": [{"step": "drop", "productStatus": "failure", "reason": "object lock", "attempts": 3}],
}
"""An expiration of which something was given up."""


def test_an_expiration_of_which_something_was_given_up_has_failed() -> None:
    script = Script(ok(EXPIRATION), ok(EXPIRATION), ok({**EXPIRATION, "status": "cancelled"}))
    client = script.client()
    with pytest.raises(WorkFailed) as failed:
        client.expirations.wait("d")
    assert failed.value.subject.held_by[0].reason == "object lock"
    assert client.expirations.retry("d").destroy_after == datetime(2026, 1, 8, tzinfo=UTC)
    assert client.expirations.restore("d").status == "cancelled"
    assert [request.url.path.rpartition("/")[2] for request in script.requests] == ["d", "retry", "restore"]
    assert all("Idempotency-Key" in request.headers for request in script.requests[1:])


def test_what_cannot_be_repeated_is_not() -> None:
    lost = Script(httpx2.ReadError("lost"))
    with pytest.raises(OutcomeUnknown, match="the answer was lost"):
        lost.client().expirations.cancel("d")
    proxied = Script(httpx2.Response(504, text="<html>"))
    with pytest.raises(OutcomeUnknown):
        proxied.client().expirations.cancel("d")
    for again in (problem("HYGN-9002-503", 503), httpx2.ConnectTimeout("no")):
        script = Script(again, problem("HYGN-3005-404", 404))
        with pytest.raises(NotFound):
            script.client().expirations.cancel("d")
        script.done()
    slow = Script(httpx2.ReadTimeout("a large table"))
    with pytest.raises(Unavailable):
        slow.client().work_orders.preview("d", {"Email": [SECRET]})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx2.Response(403, json={"error_code": "403010", "message": "Oauth token is missing."}), NotAuthenticated),
        (httpx2.Response(403, json={"error_code": "403027", "message": "Sandbox is not valid"}), PermissionDenied),
        (httpx2.Response(401, json=EXPIRED), NotAuthenticated),
        (httpx2.Response(418, text="<html>"), LetheError),
        (httpx2.Response(200, text="<html>"), UnexpectedAnswer),
        (httpx2.Response(200, json={"quotas": [{"name": SECRET, "quota": SECRET}]}), UnexpectedAnswer),
    ],
)
def test_what_is_refused_is_not_repeated(answer: httpx2.Response, kind: type[LetheError]) -> None:
    script = Script(answer)
    with pytest.raises(kind) as raised:
        script.client().quota()
    assert SECRET not in str(raised.value)
    script.done()


def test_tokens_are_fetched_kept_renewed_and_renewed_early() -> None:
    def token(text: str) -> httpx2.Response:
        return ok({"access_token": text, "token_type": "bearer", "expires_in": 600})

    script = Script(
        token("one"), ok(), ok(), httpx2.Response(401, json=EXPIRED), token("two"), ok(), token("three"), ok()
    )
    client = script.client(client_secret=SECRET)
    for _ in range(3):
        client.quota()
    script.now += 545
    client.quota()
    script.done()
    sent = [request.headers.get("Authorization") for request in script.requests if request.method == "GET"]
    assert sent == ["Bearer one", "Bearer one", "Bearer one", "Bearer two", "Bearer three"]


def test_waiting_looks_often_after_a_change_and_seldom_without() -> None:
    statuses = ["received", "received", "received", "validated", "validated", "completed"]
    script = Script(*[ok({**ORDER, "status": status}) for status in statuses])
    seen: list[str] = []
    script.client().work_orders.wait("DI-1", on_progress=lambda order: seen.append(order.status))
    assert seen == ["received", "validated", "completed"]
    assert script.slept == pytest.approx([0.1, 0.15, 0.225, 0.1, 0.15])
    script = Script(*[ok(ORDER) for _ in range(40)])
    with pytest.raises(StillWorking, match="work order DI-1 is still received"):
        script.client().work_orders.wait("DI-1", timeout=60)
    assert max(script.slept) == 5
    assert sum(script.slept) == pytest.approx(60)


def test_a_fresh_token_that_is_refused_is_not_asked_for_for_ever() -> None:
    issued = ok({"access_token": "t", "expires_in": 600})
    script = Script(issued, httpx2.Response(401, json=EXPIRED), ok({"access_token": "u", "expires_in": 600}),
                    httpx2.Response(401, json=EXPIRED))  # fmt: skip
    with pytest.raises(NotAuthenticated):
        script.client(client_secret=SECRET).quota()
    script.done()


def test_wrong_credentials_are_said_so() -> None:
    said = {"error": "invalid_client", "error_code": "401001", "message": "Client credentials are not valid"}
    with pytest.raises(NotAuthenticated, match="Client credentials are not valid") as wrong:
        Script(httpx2.Response(401, json=said)).client(client_secret=SECRET).quota()
    assert SECRET not in str(wrong.value)


def test_ids_stay_within_their_path() -> None:
    script = Script(ok(ORDER))
    script.client().work_orders.get("../quota?x=1#y")
    assert script.requests[0].url.raw_path == b"/data/core/hygiene/workorder/..%2Fquota%3Fx%3D1%23y"
    for wrong in ("", ".."):
        with pytest.raises(ValueError, match="an id is required"):
            script.client().work_orders.get(wrong)


VARIABLES = {"LETHE_URL": "http://h:1/", "LETHE_ORG": "O", "LETHE_API_KEY": "k"}


def test_the_environment_and_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("URL", "ORG", "API_KEY", "CLIENT_SECRET", "TOKEN", "SANDBOX"):
        monkeypatch.delenv(f"LETHE_{name}", raising=False)
    with pytest.raises(NotConfigured, match="LETHE_URL, LETHE_ORG, LETHE_API_KEY, LETHE_CLIENT_SECRET or LETHE_TOKEN"):
        Lethe.from_environment()
    file = tmp_path / "lethe.env"
    lines = ["# made by a server", "", "export LETHE_SANDBOX='dev'", f'LETHE_TOKEN="{SECRET}"']
    file.write_text("\n".join([*lines, *(f"{name}={value}" for name, value in VARIABLES.items())]))
    monkeypatch.setenv("LETHE_ORG", "Other")
    with Lethe.from_environment(file) as client:
        known = client.connection
        assert (known.url, known.org, known.api_key, known.token, known.sandbox) == (
            "http://h:1",
            "Other",
            "k",
            SECRET,
            "dev",
        )
        assert SECRET not in repr(client) + repr(known) + str(vars(known) if hasattr(known, "__dict__") else "")
    file.write_text(f"LETHE_URL=http://h\n{SECRET}\n")
    with pytest.raises(NotConfigured, match="line 2 is not NAME=value") as wrong:
        Lethe.from_environment(file)
    assert SECRET not in str(wrong.value)
    with pytest.raises(NotConfigured, match="cannot be read"):
        Lethe.from_environment(tmp_path / "none.env")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("h:8080", "O", "k", "s"), "url: begins with"),
        (("http://u:p@h", "O", "k", "s"), "url: must not carry credentials"),
        (("http://h", "", "k", "s"), "org: is required"),
        (("http://h", "O", "k"), "client_secret or token"),
    ],
)
def test_a_connection_that_cannot_be(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(NotConfigured, match=said):
        Lethe(*arguments)
