"""The schema registry, as far as a hygiene client reads it."""

from typing import Annotated

from fastapi import Path, Request, Response

from lethe.api.answers import answer, call_of
from lethe.api.gate import SandboxUse, services_of
from lethe.api.resource import Resource
from lethe.contract import error_codes as codes
from lethe.contract.neighbours import SchemaOut
from lethe.domain.caller import Permission
from lethe.domain.dataset import DatasetSchema
from lethe.domain.ids import SchemaId
from lethe.operations.catalog import find_schema

schemas = Resource("/data/foundation/schemaregistry/tenant/schemas", "Schemas")

_IDENTITY_MAP = {
    "type": "object",
    "additionalProperties": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "authenticatedState": {"type": "string"},
                "primary": {"type": "boolean"},
            },
        },
    },
}


@schemas.route(
    "GET",
    "/{schema_id:path}",
    permission=Permission.VIEW,
    sandbox_use=SandboxUse.OPTIONAL,
    answer=SchemaOut,
    errors=[codes.SCHEMA_UNKNOWN, codes.INVALID_PARAMETER],
)
def get_schema(
    request: Request,
    schema_id: Annotated[str, Path(max_length=1_000, description="The schema's whole $id, URL-encoded.")],
) -> Response:
    """Look one schema up by its `$id`."""
    with services_of(request).store.read() as tx:
        schema = find_schema(tx, call_of(request), SchemaId(schema_id))
    return answer(SchemaOut(id=schema.schema_id, title=schema.title, properties=_properties(schema)))


def _properties(schema: DatasetSchema) -> dict[str, object]:
    """The registered properties, with the primary identity's field marked and the identity map present."""
    properties: dict[str, object] = dict(schema.properties)
    if schema.has_identity_map:
        properties.setdefault("identityMap", _IDENTITY_MAP)
    primary = schema.primary_identity
    if primary is not None:
        marks = {
            "xdm:isPrimary": True,
            "xdm:namespace": primary.namespace_code,
            "xdm:sourceProperty": "/" + "/".join(primary.path),
        }
        properties = _marked(properties, primary.path, marks)
    return properties


def _marked(properties: dict[str, object], path: tuple[str, ...], marks: dict[str, object]) -> dict[str, object]:
    name, *rest = path
    field = properties.get(name)
    here: dict[str, object] = dict(field) if isinstance(field, dict) else {"type": "object" if rest else "string"}
    if rest:
        below = here.get("properties")
        here["properties"] = _marked(dict(below) if isinstance(below, dict) else {}, tuple(rest), marks)
    else:
        here |= marks
    return properties | {name: here}
