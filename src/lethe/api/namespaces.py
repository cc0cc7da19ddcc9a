"""Identity namespaces."""

from typing import Annotated

from fastapi import Depends, Request, Response

from lethe.api.answers import IdempotencyKey, call_of, write_once
from lethe.api.bodies import JsonBytes, body_of
from lethe.api.gate import SandboxUse, services_of
from lethe.api.resource import Resource
from lethe.contract import error_codes as codes
from lethe.contract.neighbours import NamespaceCreate, NamespaceOut, NamespacesOut
from lethe.domain.caller import Permission
from lethe.domain.namespace import Namespace
from lethe.operations.namespaces import NamespaceDraft, all_namespaces, create_namespace
from lethe.storage.interface import Transaction

namespaces = Resource("/data/core/idnamespace", "Identity namespaces")


@namespaces.route(
    "GET", "/identities", permission=Permission.VIEW, sandbox_use=SandboxUse.IGNORED, answer=NamespacesOut
)
def list_namespaces(request: Request) -> Response:
    """List the standard namespaces and the org's own."""
    with services_of(request).store.read() as tx:
        found = all_namespaces(tx, call_of(request).org_id)
    rendered = NamespacesOut([_namespace_out(each) for each in found])
    return Response(rendered.to_json(), media_type="application/json")


@namespaces.route(
    "POST",
    "/identities",
    permission=Permission.ADMINISTER,
    sandbox_use=SandboxUse.IGNORED,
    answer=NamespaceOut,
    status=201,
    body=NamespaceCreate,
    idempotent=True,
    errors=[codes.NAMESPACE_EXISTS],
)
def create_custom_namespace(
    request: Request,
    body: JsonBytes,
    asked: Annotated[NamespaceCreate, Depends(body_of(NamespaceCreate))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Create a custom namespace."""
    call = call_of(request)
    draft = NamespaceDraft(asked.code, asked.name, asked.id_type, asked.case_insensitive)

    def act(tx: Transaction) -> tuple[int, NamespaceOut]:
        return 201, _namespace_out(create_namespace(tx, call, draft))

    return write_once(request, idempotency_key, body, act)


def _namespace_out(namespace: Namespace) -> NamespaceOut:
    return NamespaceOut(
        id=namespace.id,
        code=namespace.code,
        name=namespace.name,
        id_type=namespace.id_type,
        custom=namespace.custom,
        status="ACTIVE",
        case_insensitive=namespace.case_insensitive,
    )
