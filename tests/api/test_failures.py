"""When something fails: a 5xx means that nothing was stored, and neither answers nor logs speak of identities."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import pytest
import structlog

from lethe.contract.shape import Answer
from lethe.domain.ids import DatasetId
from lethe.storage.interface import CommitUnknown, StoreUnavailable
from lethe.storage.store import SqlStore
from support.api import EMAILS, MAPPED, World
from support.values import ORG

from .refusals import refused

SECRET: Final = "poul.anderson@example.com"
IDENTITY: Final = {"namespace": {"code": "email"}, "id": SECRET}
USER: Final = {
    "key": "k",
    "action": ["delete"],
    "userIDs": [{"namespace": "email", "value": SECRET, "type": "standard"}],
}
TABLE: Final = {"format": "parquet", "location": "/x"}

WRITES: Final[dict[str, tuple[str, str, Any]]] = {
    "create expiration": ("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2031-01-01"}),
    "put new expiration": ("PUT", f"/ttl/{EMAILS}", {"expiry": "2031-01-01"}),
    "change expiration": ("PUT", f"/ttl/{MAPPED}", {"displayName": "x"}),
    "reschedule expiration": ("PATCH", f"/ttl/{MAPPED}", {"expiry": "2032-01-01"}),
    "cancel expiration": ("DELETE", f"/ttl/{MAPPED}", None),
    "delete records": ("POST", "/workorder", {"datasetId": "ALL", "identities": [IDENTITY]}),
    "delete dataset": ("POST", "/workorder", {"datasetId": EMAILS, "action": "delete_dataset"}),
    "rename order": ("PUT", "/workorder/ORDER", {"name": "x"}),
    "jobs": ("POST", "/jobs", {"companyContexts": [{"namespace": "imsOrgID", "value": ORG}], "users": [USER, USER]}),
    "register dataset": ("POST", "/data/foundation/catalog/dataSets", {"name": "n", "table": TABLE, "schema": {}}),
    "create namespace": ("POST", "/data/core/idnamespace/identities", {"code": "New", "name": "New"}),
}


class Broken(Exception):
    """What a failing repository raises; like a careless library, it speaks of what it was given."""


class FailingRepository:
    """A repository whose calls are counted, and of which one fails."""

    def __init__(self, real: object, calls: "Calls") -> None:
        self._real, self._calls = real, calls

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._calls.count()
            return real(*args, **kwargs)

        return call


class Calls:
    """Counts calls to repositories in writing transactions, and fails at one of them."""

    def __init__(self, fail_at: int | None) -> None:
        self.fail_at, self.made = fail_at, 0

    def count(self) -> None:
        self.made += 1
        if self.made == self.fail_at:
            raise Broken(f"could not store {SECRET}")


class FailingStore:
    """A store whose writing transactions fail at the n-th call of a repository, or at their end."""

    def __init__(self, real: SqlStore, fail_at: int | None = None, at_end: Exception | None = None) -> None:
        self.real, self.calls, self._at_end = real, Calls(fail_at), at_end

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    @contextmanager
    def write(self) -> Iterator[Any]:
        with self.real.write() as tx:
            calls = self.calls

            class Failing:
                now = tx.now

                def __getattr__(self, name: str) -> Any:
                    return FailingRepository(getattr(tx, name), calls)

            yield Failing()
            if self._at_end is not None:
                raise self._at_end


def dump(world: World) -> dict[str, list[Any]]:
    """Everything that is stored."""
    from lethe.storage.schema import metadata

    with world.store._engines.write.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(table.select()).all())) for name, table in metadata.tables.items()
        }


@pytest.fixture
def stocked(world: World) -> World:
    return stock(world)


@pytest.fixture
def sqlite_stocked(sqlite_world: World) -> World:
    return stock(sqlite_world)


def stock(world: World) -> World:
    world.call("POST", "/ttl", {"datasetId": MAPPED, "expiry": "2031-01-01"})
    world.call("POST", "/workorder", {"datasetId": EMAILS, "identities": [IDENTITY]})
    return world


def use(world: World, **changed: Any) -> None:
    """Let the application use other services."""
    world.client.app.state.services = replace(world.services, **changed)  # type: ignore[attr-defined]


def do(world: World, what: str, **headers: str) -> Any:
    method, path, body = WRITES[what]
    if "ORDER" in path:
        path = path.replace("ORDER", world.orders()[0]["workorderId"])
    return world.call(
        method, path, body, headers=world.headers() | {"Idempotency-Key": what.replace(" ", "-")} | headers
    )


@pytest.mark.parametrize("what", WRITES)
def test_whichever_call_of_a_repository_fails_nothing_is_stored(sqlite_stocked: World, what: str) -> None:
    before = dump(sqlite_stocked)
    failed, fail_at = 0, 1
    while True:
        failing = FailingStore(sqlite_stocked.store, fail_at)
        use(sqlite_stocked, store=failing)
        response = do(sqlite_stocked, what)
        if response.is_success:
            break
        refused(response, 500, "9001")
        assert SECRET not in response.text
        assert dump(sqlite_stocked) == before
        failed, fail_at = failed + 1, fail_at + 1
    assert failed == failing.calls.made >= 3
    assert dump(sqlite_stocked) != before


@pytest.mark.parametrize("what", WRITES)
def test_when_rendering_fails_nothing_is_stored(
    sqlite_stocked: World, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lethe.contract.datasets import DatasetCreated

    before = dump(sqlite_stocked)
    order_id = sqlite_stocked.orders()[0]["workorderId"]

    def fail(answer: Any) -> bytes:
        if getattr(answer, "status", None) != 500:
            raise Broken(f"could not render {SECRET}")
        return real(answer)

    real = Answer.to_json
    monkeypatch.setattr(Answer, "to_json", fail)
    monkeypatch.setattr(DatasetCreated, "to_json", fail)
    method, path, body = WRITES[what]
    response = sqlite_stocked.call(method, path.replace("ORDER", order_id), body)
    refused(response, 500, "9001")
    monkeypatch.undo()
    assert dump(sqlite_stocked) == before


@pytest.mark.parametrize("what", WRITES)
def test_a_store_that_does_not_answer_is_503(sqlite_stocked: World, what: str) -> None:
    before = dump(sqlite_stocked)
    use(sqlite_stocked, store=FailingStore(sqlite_stocked.store, at_end=StoreUnavailable("the database is gone")))
    response = do(sqlite_stocked, what)
    refused(response, 503, "9002")
    assert "Nothing was stored" in response.json()["detail"]
    use(sqlite_stocked)
    assert dump(sqlite_stocked) == before


def test_an_unknown_outcome_is_no_5xx(stocked: World) -> None:
    """A client sends a POST again on 5xx; when nobody knows whether it was stored, it must not."""
    use(stocked, store=FailingStore(stocked.store, at_end=CommitUnknown("the connection broke")))
    response = do(stocked, "delete records")
    refused(response, 409, "9003")
    assert "look before you send" in response.json()["detail"]


def test_after_a_5xx_the_same_key_is_still_free(stocked: World) -> None:
    use(stocked, store=FailingStore(stocked.store, at_end=Broken(SECRET)))
    assert do(stocked, "delete records").status_code == 500
    use(stocked)
    assert do(stocked, "delete records").status_code == 201
    assert len(stocked.orders()) == 2


@pytest.mark.parametrize(
    "path", ["/ttl", "/workorder", "/quota", f"/ttl/{MAPPED}", "/data/core/idnamespace/identities"]
)
def test_a_read_of_a_store_that_does_not_answer_is_503(sqlite_stocked: World, path: str) -> None:
    class Gone(FailingStore):
        def read(self) -> Any:
            raise StoreUnavailable("the database is gone")

    use(sqlite_stocked, store=Gone(sqlite_stocked.store))
    refused(sqlite_stocked.call("GET", path), 503, "9002")


# Secrecy

PLACES: Final[dict[str, Callable[[World], Any]]] = {
    "accepted": lambda world: do(world, "delete records"),
    "accepted twice": lambda world: (do(world, "delete records"), do(world, "delete records")),
    "as jobs": lambda world: do(world, "jobs"),
    "in the wrong namespace": lambda world: order(world, identities=[IDENTITY | {"namespace": {"code": "ECID"}}]),
    "as a namespace": lambda world: order(world, identities=[IDENTITY | {"namespace": {"code": SECRET}}]),
    "as a dataset": lambda world: order(world, dataset_id=SECRET, identities=[IDENTITY]),
    "as an action": lambda world: order(world, action=SECRET, identities=[IDENTITY]),
    "as a field": lambda world: order(world, **{SECRET: SECRET}),
    "as a list": lambda world: order(world, identities=SECRET),
    "too long": lambda world: order(world, identities=[IDENTITY | {"id": SECRET * 100}]),
    "with NUL": lambda world: order(world, identities=[IDENTITY | {"id": SECRET + "\0"}]),
    "among services": lambda world: order(world, identities=[IDENTITY], targetServices=[SECRET]),
    "as a job's type": lambda world: job(world, type=SECRET),
    "as a job's namespace": lambda world: job(world, namespace=SECRET),
    "as a job's field": lambda world: job(world, **{SECRET: SECRET}),
    "as an expiry": lambda world: world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": SECRET}),
    "as a key of an expiration": lambda world: world.call("GET", f"/ttl/{SECRET}"),
    "as a key of an order": lambda world: world.call("PUT", f"/workorder/{SECRET}", {"name": "x"}),
    "as a limit": lambda world: world.call("GET", "/ttl", limit=SECRET),
    "as an ordering": lambda world: world.call("GET", "/workorder", orderBy=SECRET),
    "as a date": lambda world: world.call("GET", "/workorder", filterDate=SECRET),
    "as properties": lambda world: world.call("GET", "/workorder", properties=SECRET),
    "as a quota": lambda world: world.call("GET", "/quota", quotaType=SECRET),
    "as a search": lambda world: world.call("GET", "/ttl", search=SECRET),
    "as a path": lambda world: world.call("GET", f"/{SECRET}"),
    "as a header": lambda world: do(
        world, "delete dataset", **{"x-sandbox-name": SECRET, "x-request-id": f"<{SECRET}>"}
    ),
    "as a cluster's namespace": lambda world: world.call(
        "POST", "/data/core/identity/clusters/members", {"compositeXids": [{"ns": SECRET, "id": SECRET}]}
    ),
    "as a tag": lambda world: world.call(
        "POST", "/data/foundation/catalog/dataSets", {"name": "n", "table": TABLE, "schema": {}, "tags": {SECRET: 7}}
    ),
    "as a client": lambda world: world.client.post(
        "/ims/token/v3", data={"client_id": SECRET, "client_secret": SECRET}
    ),
    "where a store fails": lambda world: (
        use(world, store=FailingStore(world.store, at_end=Broken(SECRET))),
        do(world, "delete records"),
    ),
}


def order(world: World, dataset_id: str = EMAILS, **body: Any) -> Any:
    return world.call("POST", "/workorder", {"datasetId": dataset_id, **body})


def job(world: World, **changed: Any) -> Any:
    user = USER | {"userIDs": [{"namespace": "email", "value": SECRET, "type": "standard"} | changed]}
    context = {"namespace": "imsOrgID", "value": ORG}
    return world.call("POST", "/jobs", {"companyContexts": [context], "users": [user]})


@pytest.mark.parametrize("place", PLACES)
def test_no_log_line_and_no_refusal_speaks_of_an_identity(sqlite_world: World, place: str) -> None:
    with structlog.testing.capture_logs() as logged:
        answered = PLACES[place](sqlite_world)
    assert [line["event"] for line in logged][-1] == "request_answered"
    assert SECRET not in repr(logged)
    for response in answered if isinstance(answered, tuple) else (answered,):
        if response is not None and response.status_code >= 400:
            assert SECRET not in response.text
            assert SECRET not in repr(response.headers)


def test_a_log_line_says_who_did_what_and_how_it_ended(sqlite_world: World) -> None:
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as logged:
        do(sqlite_world, "delete records", **{"x-request-id": "mine"})
        sqlite_world.client.get("/nothing")
    line, unknown = logged
    assert line["request_id"] == "mine"
    assert (line["event"], line["method"], line["status"]) == ("request_answered", "POST", 201)
    assert (line["client"], line["org"], line["route"]) == ("administrator", ORG, "/data/core/hygiene/workorder")
    assert (unknown["status"], unknown["route"], unknown["client"]) == (404, "unknown", None)


def test_a_failure_is_logged_by_its_type_and_places(sqlite_world: World) -> None:
    use(sqlite_world, store=FailingStore(sqlite_world.store, at_end=Broken(SECRET)))
    with structlog.testing.capture_logs() as logged:
        do(sqlite_world, "delete records")
    failed = logged[0]
    assert (failed["event"], failed["error"], failed["log_level"]) == ("request_failed", "Broken", "error")
    assert any("test_failures.py" in place for place in failed["places"])


def test_what_is_stored_in_the_clear_holds_no_identity(stocked: World) -> None:
    """Everything that the database holds after an order, an idempotent one and jobs, as its rows read."""
    do(stocked, "delete records")
    do(stocked, "jobs")
    assert SECRET not in repr(dump(stocked))
    assert SECRET.encode().hex() not in repr(dump(stocked))
    with stocked.store.read() as tx:
        assert tx.datasets.find(ORG, stocked.orgs[0].default_sandbox.name, DatasetId(EMAILS)) is not None
