"""What the rest of Lethe asks of the products."""

from collections.abc import Sequence
from typing import NewType, Protocol

from lethe.domain.ids import NamespaceId, OrgId, SandboxName

GraphNode = NewType("GraphNode", tuple[NamespaceId, str])
"""An identity in the graph: the number of its namespace, and its id."""


class IdentityGraph(Protocol):
    """Which identities are one person's."""

    def clusters(
        self, org_id: OrgId, sandbox_name: SandboxName, nodes: Sequence[GraphNode]
    ) -> Sequence[Sequence[GraphNode]]:
        """For each node, all that is linked to it, itself included; empty for one that the graph does not know."""
        ...

    def link(self, org_id: OrgId, sandbox_name: SandboxName, left: GraphNode, right: GraphNode) -> None:
        """Say that two identities are one person's."""
        ...
