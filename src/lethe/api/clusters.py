"""Identity clusters: which identities are one person's."""

from typing import Annotated

from fastapi import Depends, Request, Response

from lethe.api.answers import answer, call_of
from lethe.api.bodies import body_of
from lethe.api.gate import SandboxUse, services_of
from lethe.api.resource import Resource
from lethe.contract import error_codes as codes
from lethe.contract.neighbours import ClusterOut, ClusterQuery, ClustersOut, XidOut
from lethe.domain.caller import Permission
from lethe.operations.namespaces import NamespaceRef, namespace_book
from lethe.products.interface import GraphNode

clusters = Resource("/data/core/identity/clusters", "Identity clusters")


@clusters.route(
    "POST",
    "/members",
    permission=Permission.VIEW,
    sandbox_use=SandboxUse.OPTIONAL,
    answer=ClustersOut,
    body=ClusterQuery,
    errors=[codes.NAMESPACE_UNKNOWN],
)
def get_cluster_members(request: Request, asked: Annotated[ClusterQuery, Depends(body_of(ClusterQuery))]) -> Response:
    """Show what is linked to each of up to 1,000 identities; an unknown identity has no members."""
    services, call = services_of(request), call_of(request)
    with services.store.read() as tx:
        book = namespace_book(tx, call.org_id)
    nodes = [
        GraphNode((book.resolve(NamespaceRef(f"compositeXids[{index}]", xid.ns, xid.nsid)).id, xid.id))
        for index, xid in enumerate(asked.composite_xids)
    ]
    found = services.graph.clusters(call.org_id, call.sandbox_name, nodes)
    return answer(
        ClustersOut(
            version="1.0",
            clusters=[
                ClusterOut(composite_xid=_xid_out(node), members=[_xid_out(member) for member in members])
                for node, members in zip(nodes, found, strict=True)
            ],
        )
    )


def _xid_out(node: GraphNode) -> XidOut:
    return XidOut(nsid=node[0], id=node[1])
