"""The OpenAPI document: it is valid, it is the server's, and it states every error that a route was declared with."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from lethe.api.app import all_routes
from lethe.api.resource import Public, RouteFacts
from lethe.contract.error_codes import GATEWAY_CODES, METHOD_UNKNOWN, PATH_UNKNOWN, PROBLEM_CODES
from support.server import Server

COMMITTED = json.loads((Path(__file__).parents[2] / "docs/reference/openapi.json").read_text(encoding="utf-8"))
ROUTES = all_routes()


def operation(route: RouteFacts) -> dict[str, Any]:
    described: dict[str, Any] = COMMITTED["paths"][route.path.replace(":path", "")][route.method.lower()]
    return described


def stated_codes(response: dict[str, Any]) -> set[str]:
    schemas = [content["schema"] for content in response["content"].values()]
    return {code for schema in schemas for code in schema.get("properties", {}).get("error_code", {}).get("enum", [])}


def test_it_is_valid_openapi_3_1() -> None:
    assert COMMITTED["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(COMMITTED).iter_errors()] == []


def test_the_committed_document_is_the_one_that_is_served(server: Server) -> None:
    assert httpx2.get(f"{server.url}/openapi.json", trust_env=False).json() == COMMITTED


def test_every_route_is_described_and_nothing_else() -> None:
    described = {(method.upper(), path) for path, operations in COMMITTED["paths"].items() for method in operations}
    assert described == {(route.method, route.path.replace(":path", "")) for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_an_operation_states_its_errors_with_their_codes(route: RouteFacts) -> None:
    responses = operation(route)["responses"]
    by_status: dict[str, set[str]] = {}
    for code in route.errors:
        by_status.setdefault(str(code.status), set()).add(code.code)
    assert {status: stated_codes(responses[status]) for status in by_status} == by_status
    for status, expected in by_status.items():
        assert all(code in responses[status]["description"] for code in expected)
    assert {status for status in responses if status >= "400"} == set(by_status)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_an_operation_states_who_may_call_it_and_what_it_takes(route: RouteFacts) -> None:
    described = operation(route)
    assert described["operationId"] == route.operation_id
    assert (described["security"] == []) is isinstance(route.permissions, Public)
    takes_body = route.body is not None or route.form is not None
    assert ("requestBody" in described) is takes_body
    assert all("headers" in response for response in described["responses"].values())


def test_every_error_code_is_stated_somewhere() -> None:
    stated = {code for route in ROUTES for code in (each.code for each in route.errors)}
    # An unknown path or method belongs to no operation.
    elsewhere = {PATH_UNKNOWN.code, METHOD_UNKNOWN.code}
    assert stated | elsewhere == {code.code for code in (*GATEWAY_CODES, *PROBLEM_CODES)}
