"""The permission matrix, tried whole: every declared route by every kind of caller.

What each caller is answered stands in `goldens/permissions.txt`, made from the live behaviour; the diff of that file
is what a review of a permission looks at. `LETHE_WRITE_GOLDENS=1 pytest tests/api/test_permissions.py` writes it anew.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from lethe.api.app import all_routes
from lethe.api.gate import SandboxUse
from lethe.api.resource import Public, RouteFacts
from lethe.auth.roles import PERMISSIONS_BY_ROLE, Role
from support.api import EMAILS, MAPPED, World
from support.values import DEV, ORG, OTHER_ORG

GOLDEN: Final = Path(__file__).parent / "goldens" / "permissions.txt"
WRITE: Final = "LETHE_WRITE_GOLDENS"

IDENTITY: Final = {"namespace": {"code": "email"}, "id": "somebody"}
USER: Final = {"key": "k", "action": ["delete"], "userIDs": [{"namespace": "email", "value": "v", "type": "standard"}]}
ISSUE: Final = {"grant_type": "client_credentials", "client_id": "viewer", "client_secret": "wrong"}
BODIES: Final[dict[str, Any]] = {
    "create_dataset_expiration": {"datasetId": MAPPED, "expiry": "2031-01-01"},
    "update_dataset_expiration": {"displayName": "New"},
    "reschedule_dataset_expiration": {"expiry": "2032-01-01"},
    "create_workorder": {"datasetId": EMAILS, "identities": [IDENTITY]},
    "update_workorder": {"name": "New"},
    "create_jobs": {"companyContexts": [{"namespace": "imsOrgID", "value": ORG}], "users": [USER]},
    "create_data_set": {"name": "New", "table": {"format": "parquet", "location": "/x"}, "schema": {}},
    "create_custom_namespace": {"code": "New", "name": "New"},
    "preview_workorder": {
        "datasetId": "ALL",
        "identities": [IDENTITY],
        "targetServices": ["identity", "profile", "ajo"],
    },
    "look_up_workorder_result": IDENTITY,
    "add_webhook": {"url": "https://hooks.example.com/lethe"},
    "change_webhook": {"description": "New"},
    "receive_callback": {"request_key": "none", "status": "completed"},
    "get_cluster_members": {"compositeXids": [{"nsid": 6, "id": "somebody"}]},
}
"""A good body for every route that takes one."""

NOT_YET: Final = {
    "get_workorder_plan": "HYGN-4010-404",
    "get_workorder_certificate": "HYGN-4011-404",
    "get_expiration_certificate": "HYGN-4011-404",
    "retry_workorder": "HYGN-4012-409",
    "retry_dataset_expiration": "HYGN-3007-409",
    "restore_dataset": "HYGN-3008-409",
}
"""What a caller who is admitted is told of what does not exist yet, or has not happened."""

INVISIBLE: Final = {"get_sandbox": "HYGN-5005-404", "add_webhook": "HYGN-1002-400"}
"""What a caller is told who does not see the sandbox, or not all of them, where that is not said by the gate."""

CALLERS: Final[dict[str, Callable[[World], dict[str, str]]]] = {
    "no token": lambda world: {name: value for name, value in world.headers().items() if name != "Authorization"},
    "wrong key": lambda world: world.headers() | {"x-api-key": "viewer"},
    "wrong org": lambda world: world.headers(org_id=OTHER_ORG),
    "foreign sandbox": lambda world: world.headers("dev-only"),
    "no role": lambda world: world.headers("nobody"),
    **{role.value: lambda world, role=role: world.headers(role.value) for role in Role},  # type: ignore[misc]
}


@pytest.fixture
def stocked(sqlite_world: World) -> World:
    """A world with an expiration and a work order to call about."""
    sqlite_world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2031-01-01"})
    sqlite_world.call("POST", "/workorder", {"datasetId": EMAILS, "identities": [IDENTITY]})
    webhook_id = sqlite_world.call("POST", "/webhooks", BODIES["add_webhook"]).json()["webhookId"]
    sqlite_world.call("POST", f"/webhooks/{webhook_id}/test")
    return sqlite_world


def webhook_of(world: World) -> tuple[str, str]:
    """A webhook with a delivery, and that delivery."""
    for webhook in world.call("GET", "/webhooks").json()["results"]:
        path = f"/webhooks/{webhook['webhookId']}/deliveries"
        if deliveries := world.call("GET", path).json()["results"]:
            return webhook["webhookId"], deliveries[0]["deliveryId"]
    return "WH-1", "1"


def path_of(world: World, facts: RouteFacts, order_id: str) -> str:
    webhook_id, delivery_id = webhook_of(world) if "{WEBHOOK_ID}" in facts.path else ("", "")
    values = {
        "{WEBHOOK_ID}": webhook_id,
        "{DELIVERY_ID}": delivery_id,
        "{PRODUCT}": "profile",
        "{ID}": EMAILS,
        "{WORKORDER_ID}": order_id,
        "{name}": "prod",
        "{dataset_id}": EMAILS,
        "{schema_id:path}": f"https%3A%2F%2Fns.example.com%2F{EMAILS}",
    }
    path = facts.path
    for name, value in values.items():
        path = path.replace(name, value)
    assert "{" not in path, f"{path} holds a parameter that this test does not know"
    return path


def told(response: Any) -> str:
    """What a caller is told: the status, and the code of a refusal by the gate or for want of a permission."""
    if response.status_code < 400:
        return "ok"
    code = str(response.json()["error_code"])
    return "denied" if code == "HYGN-1006-403" else code


def matrix(world: World) -> str:
    order_id = world.orders()[0]["workorderId"]
    width = max(len(facts.path) for facts in all_routes())
    lines = ["# Who is answered what, by route. Made by tests/api/test_permissions.py.", ""]
    lines.append(f"{'':{width + 8}}" + "".join(f"{caller:>23}" for caller in CALLERS))
    for facts in sorted(all_routes(), key=lambda facts: (facts.path, facts.method)):
        answers = []
        for number, make_headers in enumerate(CALLERS.values()):
            body = BODIES.get(facts.operation_id)
            if facts.operation_id == "create_custom_namespace":
                body = {"code": f"New{number}", "name": "New"}
            path = path_of(world, facts, order_id)
            if facts.operation_id == "issue_token":
                response = world.client.post(path, data=ISSUE, headers=make_headers(world))
            else:
                response = world.call(facts.method, path, body, headers=make_headers(world))
            answers.append(told(response))
            if facts.operation_id in ("cancel_dataset_expiration", "create_dataset_expiration"):
                reset(world)
            if facts.operation_id == "remove_webhook" and response.status_code == 200:
                replace_webhook(world)
        line = f"{facts.method:8}{facts.path:{width}}" + "".join(f"{each:>23}" for each in answers)
        lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def reset(world: World) -> None:
    """Undo what the routes about expirations do: one is pending, the other dataset has none or a cancelled one."""
    world.call("PUT", f"/ttl/{EMAILS}", {"expiry": "2031-01-01"})
    world.call("DELETE", f"/ttl/{MAPPED}")


def replace_webhook(world: World) -> None:
    """Undo what the routes about webhooks do: there is one, with a delivery."""
    webhook_id = world.call("POST", "/webhooks", BODIES["add_webhook"]).json()["webhookId"]
    world.call("POST", f"/webhooks/{webhook_id}/test")


def test_the_matrix_is_the_committed_one(stocked: World) -> None:
    shown = matrix(stocked)
    if os.environ.get(WRITE):
        GOLDEN.write_text(shown)
    assert shown == GOLDEN.read_text(), f"the matrix changed; if it is meant to, run with {WRITE}=1 and commit"


def test_the_matrix_says_what_the_declarations_say(stocked: World) -> None:
    """The golden is read again, and compared with the table of roles and the declared permissions."""
    rows = GOLDEN.read_text().splitlines()[3:]
    assert len(rows) == len(all_routes())
    declared = {(facts.method, facts.path): facts for facts in all_routes()}
    callers = list(CALLERS)
    for row in rows:
        method, path, *answers = row.split()
        facts, answer = declared[method, path], dict(zip(callers, answers, strict=True))
        if isinstance(facts.permissions, Public):
            assert len(set(answers)) == 1
            continue
        assert (answer["no token"], answer["wrong key"], answer["wrong org"]) == ("403010", "403003", "403025")
        org_wide = facts.sandbox_use is SandboxUse.IGNORED
        invisible = INVISIBLE.get(facts.operation_id, "HYGN-6001-404" if "{WEBHOOK_ID}" in path else "403027")
        assert answer["foreign sandbox"] in {"ok" if org_wide else "403027", invisible}
        assert answer["no role"] == "denied"
        for role in Role:
            admitted = PERMISSIONS_BY_ROLE[role] & set(facts.permissions)  # type: ignore[arg-type]
            if facts.operation_id in {"create_workorder", "retry_workorder"} and role is Role.DATASET_DELETER:
                admitted = frozenset()  # admitted to delete datasets, while the order here deletes records
            fine = NOT_YET.get(facts.operation_id, "ok")
            assert answer[role.value] == (fine if admitted else "denied"), (row, role)


def test_a_denied_caller_is_told_the_permission(sqlite_world: World) -> None:
    for facts in all_routes():
        if isinstance(facts.permissions, Public):
            continue
        path = path_of(sqlite_world, facts, "DI-1")
        response = sqlite_world.call(facts.method, path, BODIES.get(facts.operation_id), client_id="nobody")
        assert response.status_code == 403
        context = response.json()["report"]["additionalContext"]
        assert context["permissions"] == [permission.value for permission in facts.permissions]


def test_who_is_denied_changes_nothing(stocked: World) -> None:
    def shown() -> tuple[object, ...]:
        return (
            stocked.expirations(),
            stocked.orders(),
            stocked.call("GET", "/quota").json(),
            stocked.call("GET", "/webhooks").json(),
        )

    before = shown()
    orders = stocked.orders()
    records = audit_length(stocked)
    for name, make_headers in CALLERS.items():
        if name in {"no token", "wrong key", "wrong org", "no role", "viewer"}:
            for facts in all_routes():
                if facts.method != "GET" and facts.operation_id != "issue_token":
                    path = path_of(stocked, facts, orders[0]["workorderId"])
                    stocked.call(
                        facts.method,
                        path,
                        BODIES[facts.operation_id] if facts.body else None,
                        headers=make_headers(stocked),
                    )
    assert shown() == before
    assert audit_length(stocked) == records


def audit_length(world: World) -> int:
    with world.store.read() as tx:
        return tx.audit.head()[0]


def test_no_answer_lets_a_caller_see_another_orgs_objects(stocked: World) -> None:
    """Another org's administrator asks for everything of ours by its ids, and finds nothing of it anywhere."""
    theirs = stocked.headers("stranger", org_id=OTHER_ORG)
    order = stocked.orders()[0]
    ours = [order["workorderId"][3:], order["bundleId"][3:], stocked.expirations()[0]["ttlId"][3:], ORG, "somebody"]
    stocked.call("POST", "/data/core/idnamespace/identities", {"code": "OurCard", "name": "Our card"})
    for facts in all_routes():
        body = BODIES.get(facts.operation_id)
        path = path_of(stocked, facts, order["workorderId"])
        if facts.operation_id in ("issue_token", "create_jobs"):
            continue
        response = stocked.call(facts.method, path, body, headers=theirs)
        named = [EMAILS] if facts.method == "GET" and "{" not in facts.path else []
        echoed = ["somebody"] if facts.operation_id == "get_cluster_members" else []
        for secret in (*ours, *named, "OurCard"):
            assert secret in echoed or secret not in response.text, (facts, secret)
        if "{" in facts.path and facts.operation_id != "get_sandbox":
            assert response.status_code == 404, (facts, response.text)
    assert [each["workorderId"] for each in stocked.orders()] == [order["workorderId"]]


def test_the_same_ids_in_two_orgs_do_not_meet(world: World) -> None:
    """A dataset id may be known in two orgs; what happens to one does not show at the other."""
    world.register("shared")
    theirs = world.headers("stranger", org_id=OTHER_ORG)
    catalog = "/data/foundation/catalog/dataSets"
    body = {
        "id": "shared",
        "name": "Theirs",
        "table": {"format": "delta", "location": "/t"},
        "schema": {"identityMap": True},
    }
    assert world.call("POST", catalog, body, headers=theirs).status_code == 201
    assert world.call("POST", "/ttl", {"datasetId": "shared", "expiry": "2031-01-01"}).status_code == 201
    for path in (f"{catalog}/shared", catalog):
        shown = world.call("GET", path, headers=theirs).json()["shared"]
        assert shown["name"] == "Theirs"
        assert "adobe/hygiene/ttl" not in shown["tags"]
    assert "adobe/hygiene/ttl" in world.call("GET", f"{catalog}/shared").json()["shared"]["tags"]
    assert world.call("GET", "/ttl/shared", headers=theirs).status_code == 404
    made = world.call("POST", "/ttl", {"datasetId": "shared", "expiry": "2033-01-01"}, headers=theirs)
    assert made.status_code == 201
    assert world.call("DELETE", "/ttl/shared").json()["status"] == "cancelled"
    assert world.call("GET", "/ttl/shared", headers=theirs).json() == made.json()


def test_the_same_id_in_two_sandboxes_does_not_meet(sqlite_world: World) -> None:
    sqlite_world.register("shared")
    sqlite_world.register("shared", sandbox_name=DEV)
    sqlite_world.call("POST", "/ttl", {"datasetId": "shared", "expiry": "2031-01-01"})
    there = sqlite_world.headers(sandbox_name=DEV)
    shown = sqlite_world.call("GET", "/data/foundation/catalog/dataSets/shared", headers=there).json()["shared"]
    assert "adobe/hygiene/ttl" not in shown["tags"]
