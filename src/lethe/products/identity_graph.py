"""The embedded identity graph: which identities are one person's, in the embedded stores' file.

A cluster is all that can be reached from a node; the walk goes ring by ring and stops at `CLUSTER_NODES_MAX`, so that
one over-linked node cannot hold the server.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from lethe.domain.ids import DatasetId, NamespaceId, OrgId, SandboxName
from lethe.products.embedded_tables import graph_edge, graph_node, open_file
from lethe.products.interface import GraphNode

CLUSTER_NODES_MAX: Final = 1_000
NO_DATASET: Final = DatasetId("")
_PARAMETERS_MAX: Final = 200

_PUT_NODES: Final = sa.insert(graph_node).prefix_with("OR IGNORE")
_PUT_EDGES: Final = sa.insert(graph_edge).prefix_with("OR IGNORE")


class EmbeddedIdentityGraph:
    """The graph in a SQLite file; implements `interface.IdentityGraph`."""

    def __init__(self, path: Path) -> None:
        """Open the file, made for its owner alone when it is missing."""
        self._engine = open_file(path)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def put_nodes(
        self,
        org_id: OrgId,
        sandbox_name: SandboxName,
        nodes: Iterable[GraphNode],
        *,
        dataset_id: DatasetId = NO_DATASET,
    ) -> None:
        """Make identities known, contributed by this dataset; doing it twice changes nothing."""
        rows = _nodes(_here(org_id, sandbox_name, dataset_id), nodes)
        if rows:
            with self._engine.begin() as connection:
                connection.execute(_PUT_NODES, rows)

    def link(
        self,
        org_id: OrgId,
        sandbox_name: SandboxName,
        left: GraphNode,
        right: GraphNode,
        *,
        dataset_id: DatasetId = NO_DATASET,
    ) -> None:
        """Say that two identities are one person's, and make both known; saying it twice changes nothing."""
        here = _here(org_id, sandbox_name, dataset_id)
        with self._engine.begin() as connection:
            connection.execute(_PUT_NODES, _nodes(here, [left, right]))
            # In both directions, so that a node's neighbours are one look-up.
            connection.execute(_PUT_EDGES, [here | _ends(left, right), here | _ends(right, left)])

    def clusters(
        self, org_id: OrgId, sandbox_name: SandboxName, nodes: Sequence[GraphNode]
    ) -> Sequence[Sequence[GraphNode]]:
        """For each node, all that is linked to it, itself included; empty for one that the graph does not know."""
        with self._engine.connect() as connection:
            return [self._cluster(connection, org_id, sandbox_name, node) for node in nodes]

    def _cluster(
        self, connection: sa.Connection, org_id: OrgId, sandbox_name: SandboxName, start: GraphNode
    ) -> Sequence[GraphNode]:
        reached = dict.fromkeys([start])
        ring = [start]
        while ring and len(reached) < CLUSTER_NODES_MAX:
            beyond = dict.fromkeys(self._neighbours(connection, org_id, sandbox_name, ring))
            ring = [node for node in beyond if node not in reached]
            reached |= dict.fromkeys(ring)
        if len(reached) == 1 and not self._knows(connection, org_id, sandbox_name, start):
            return ()
        return list(reached)[:CLUSTER_NODES_MAX]

    def _knows(self, connection: sa.Connection, org_id: OrgId, sandbox_name: SandboxName, node: GraphNode) -> bool:
        columns = graph_node.c
        here = (columns.org_id == org_id, columns.sandbox_name == sandbox_name)
        query = sa.select(sa.literal(1)).where(*here, columns.namespace == node[0], columns.id == node[1]).limit(1)
        return connection.execute(query).first() is not None

    def _neighbours(
        self, connection: sa.Connection, org_id: OrgId, sandbox_name: SandboxName, ring: Sequence[GraphNode]
    ) -> Iterable[GraphNode]:
        columns = graph_edge.c
        here = (columns.org_id == org_id, columns.sandbox_name == sandbox_name)
        for begin in range(0, len(ring), _PARAMETERS_MAX):
            part = ring[begin : begin + _PARAMETERS_MAX]
            named = sa.tuple_(columns.from_namespace, columns.from_id).in_([tuple(node) for node in part])
            found = connection.execute(sa.select(columns.to_namespace, columns.to_id).where(*here, named))
            for namespace, value in found:
                yield GraphNode((NamespaceId(namespace), value))


def _here(org_id: OrgId, sandbox_name: SandboxName, dataset_id: DatasetId) -> dict[str, object]:
    return {"org_id": org_id, "sandbox_name": sandbox_name, "dataset_id": dataset_id}


def _nodes(here: dict[str, object], nodes: Iterable[GraphNode]) -> list[dict[str, object]]:
    return [here | {"namespace": namespace, "id": value} for namespace, value in nodes]


def _ends(left: GraphNode, right: GraphNode) -> dict[str, object]:
    return {"from_namespace": left[0], "from_id": left[1], "to_namespace": right[0], "to_id": right[1]}
