"""The OpenAPI document: FastAPI's, completed by what the routes were declared with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from lethe import __version__
from lethe.api.gate import SandboxUse
from lethe.api.resource import Public, RouteFacts
from lethe.contract.events import CloudEventOut
from lethe.contract.neighbours import TokenError
from lethe.contract.problem import GatewayError, Problem
from lethe.contract.workorder_request import SCHEMA_RULES

_REF: Final = "#/components/schemas/{model}"
_SECURITY: Final[list[dict[str, list[str]]]] = [{"token": [], "apiKey": []}]
_SCHEMES: Final = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token."},
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The token's client id."},
}
_DESCRIPTION: Final = """\
Deletes people's records from a lakehouse, an identity graph, a profile store and journeys; drops whole datasets when
they expire; keeps quotas; and proves that what it deleted is gone. Compatible with the published Data Hygiene API.
"""


_ERRORS: Final = (GatewayError, TokenError, Problem)
_REQUEST_ID: Final = {
    "description": "The request's id: the client's, or a new one. It is in every log line about the request.",
    "required": True,
    "schema": {"type": "string"},
}


_BY_EXPIRATION: Final = (
    "ID",
    "$response.body#/ttlId",
    (
        "get_dataset_expiration",
        "update_dataset_expiration",
        "reschedule_dataset_expiration",
        "cancel_dataset_expiration",
    ),
)
_LINKS: Final[Mapping[str, tuple[str, str, Sequence[str]]]] = {
    "create_dataset_expiration": _BY_EXPIRATION,
    "update_dataset_expiration": _BY_EXPIRATION,
    "create_workorder": ("WORKORDER_ID", "$response.body#/workorderId", ("get_workorder", "update_workorder")),
}
"""Which calls the answer to a creating one leads to, and by what of it."""


_EVENT: Final = {
    "post": {
        "operationId": "event",
        "summary": "What a webhook is sent",
        "description": "One event, signed after Standard Webhooks; it may come more than once, under the same "
        "`webhook-id`.",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        ],
        "requestBody": {
            "required": True,
            "content": {"application/cloudevents+json": {"schema": {"$ref": _REF.format(model="CloudEventOut")}}},
        },
        "responses": {
            "2XX": {"description": "The receiver has it."},
            "410": {"description": "The receiver wants no more: the webhook is disabled."},
            "default": {"description": "It is tried again."},
        },
    }
}


def _header(name: str, description: str, *, required: bool) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


_ORG: Final = _header("x-gw-ims-org-id", "The organization.", required=True)
_SANDBOX: Final = {
    SandboxUse.REQUIRED: [_header("x-sandbox-name", "The sandbox.", required=True)],
    SandboxUse.OPTIONAL: [_header("x-sandbox-name", "The sandbox; the default one when absent.", required=False)],
    SandboxUse.DEFAULT: [],
    SandboxUse.IGNORED: [],
}


def describe(app: FastAPI, routes: Sequence[RouteFacts]) -> dict[str, Any]:
    """Build the document of the application."""
    document = get_openapi(
        title="Lethe: Data Hygiene API",
        version=__version__,
        openapi_version="3.1.0",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        routes=app.routes,
    )
    components = document.setdefault("components", {})
    schemas: dict[str, Any] = components.setdefault("schemas", {})
    for name, schema in models_json_schema([(CloudEventOut, "serialization")], ref_template=_REF)[1]["$defs"].items():
        schemas.setdefault(name, schema)
    _only_absent(schemas)
    bodies = [shape for facts in routes for shape in (facts.body, facts.form) if shape is not None]
    schemas |= _body_schemas(bodies)
    schemas |= models_json_schema([(shape, "serialization") for shape in _ERRORS], ref_template=_REF)[1]["$defs"]
    _only_absent(schemas, only=("TenantInfo",))
    components["securitySchemes"] = _SCHEMES
    components["headers"] = {"RequestId": _REQUEST_ID}
    document["webhooks"] = {"event": _EVENT}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    by_id = {facts.operation_id: facts for facts in routes}
    for operation in _operations(document):
        _complete(operation, by_id[operation["operationId"]])
    return document


def _complete(operation: dict[str, Any], facts: RouteFacts) -> None:
    """Add to an operation its body, its headers and its permission."""
    if "HTTPValidationError" in str(operation["responses"].get("422")):
        del operation["responses"]["422"]
    for media_type, shape in (("application/json", facts.body), ("application/x-www-form-urlencoded", facts.form)):
        if shape is not None:
            schema = {"$ref": _REF.format(model=shape.__name__)}
            operation["requestBody"] = {"required": True, "content": {media_type: {"schema": schema}}}
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _never_null(parameter["schema"])
    for response in operation["responses"].values():
        response.setdefault("headers", {})["x-request-id"] = {"$ref": "#/components/headers/RequestId"}
    if facts.operation_id in _LINKS:
        parameter_name, expression, targets = _LINKS[facts.operation_id]
        links = {target: {"operationId": target, "parameters": {parameter_name: expression}} for target in targets}
        operation["responses"]["201"]["links"] = links
    if isinstance(facts.permissions, Public):
        operation["security"] = []
        return
    operation["security"] = _SECURITY
    operation["parameters"] = [*operation.get("parameters", []), _ORG, *_SANDBOX[facts.sandbox_use]]
    needs = " or ".join(f"`{permission.value}`" for permission in facts.permissions)
    operation["description"] += f"\n\nNeeds the permission {needs}."


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _body_schemas(bodies: Sequence[type[Any]]) -> dict[str, Any]:
    """The shapes of the request bodies, some of them pydantic's and one msgspec's."""
    models = [body for body in bodies if issubclass(body, BaseModel)]
    structs = [body for body in bodies if not issubclass(body, BaseModel)]
    _, described = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    _, components = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    ruled = {name: {**schema, **SCHEMA_RULES.get(name, {})} for name, schema in components.items()}
    return {**described.get("$defs", {}), **ruled}


def _only_absent(schemas: Mapping[str, Any], only: Sequence[str] | None = None) -> None:
    """Describe the optional fields of answers as what they are: there with their type, or absent; never null."""
    for title, schema in schemas.items():
        if only is not None and title not in only:
            continue
        required = schema.get("required", [])
        properties: dict[str, Any] = schema.get("properties", {})
        for name, described in properties.items():
            if name not in required:
                properties[name] = _never_null(described)


def _never_null(described: dict[str, Any]) -> dict[str, Any]:
    """The schema without null as one of its options, and without the default that null would be."""
    options = [option for option in described.get("anyOf", []) if option.get("type") != "null"]
    if not options or len(options) == len(described["anyOf"]):
        return described
    rest = {key: value for key, value in described.items() if key not in {"anyOf", "default"}}
    return rest | (options[0] if len(options) == 1 else {"anyOf": options})
