"""A route says who may call it, or there is no route."""

import pytest
from fastapi import FastAPI

from lethe.api import app
from lethe.api.app import all_routes
from lethe.api.gate import SandboxUse
from lethe.api.resource import PUBLIC, SIGNED, Resource
from lethe.contract.health import HealthOut
from support.api import World


def test_a_route_without_a_permission_cannot_be_declared() -> None:
    resource = Resource("/things", "Things")
    with pytest.raises(TypeError, match="permission"):
        resource.route("GET", "", answer=HealthOut)  # type: ignore[call-arg]


def test_an_undeclared_route_of_a_resource_keeps_the_application_from_starting(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = Resource("/things", "Things")
    things.router.add_api_route("/back-door", lambda: None, methods=["DELETE"])
    monkeypatch.setattr(app, "RESOURCES", (*app.RESOURCES, things))
    with pytest.raises(RuntimeError, match="DELETE /things/back-door has no permission"):
        app.create_app(sqlite_world.services)


def test_a_mounted_application_keeps_the_application_from_starting(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = Resource("/things", "Things")
    things.router.mount("/inside", FastAPI())
    monkeypatch.setattr(app, "RESOURCES", (*app.RESOURCES, things))
    with pytest.raises(RuntimeError, match="/inside has no permission"):
        app.create_app(sqlite_world.services)


def test_the_application_serves_what_is_declared(sqlite_world: World) -> None:
    app.create_app(sqlite_world.services)
    declared = [(facts.method, facts.path) for facts in all_routes()]
    assert len(set(declared)) == len(declared) == 46


def test_only_these_routes_are_public() -> None:
    public = {(facts.method, facts.path) for facts in all_routes() if facts.permissions is PUBLIC}
    assert public == {
        ("POST", "/ims/token/v3"),
        ("GET", "/ims/keys"),
        ("GET", "/data/core/hygiene/certificate/keys"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
    }


def test_only_callbacks_are_admitted_by_a_signature_instead_of_a_token() -> None:
    signed = {(facts.method, facts.path) for facts in all_routes() if facts.permissions is SIGNED}
    assert signed == {("POST", "/data/core/hygiene/callbacks/{PRODUCT}")}


def test_every_expiration_and_work_order_route_needs_the_sandbox() -> None:
    needing = {facts.path for facts in all_routes() if facts.sandbox_use is SandboxUse.REQUIRED}
    assert needing == {
        "/data/core/hygiene/ttl",
        "/data/core/hygiene/ttl/{ID}",
        "/data/core/hygiene/workorder",
        "/data/core/hygiene/ttl/{ID}/certificate",
        "/data/core/hygiene/ttl/{ID}/restore",
        "/data/core/hygiene/ttl/{ID}/retry",
        "/data/core/hygiene/workorder/{WORKORDER_ID}",
        "/data/core/hygiene/workorder/{WORKORDER_ID}/certificate",
        "/data/core/hygiene/workorder/{WORKORDER_ID}/plan",
        "/data/core/hygiene/workorder/{WORKORDER_ID}/results",
        "/data/core/hygiene/workorder/{WORKORDER_ID}/results/lookup",
        "/data/core/hygiene/workorder/{WORKORDER_ID}/retry",
        "/data/core/hygiene/workorder/preview",
    }
