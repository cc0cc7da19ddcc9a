"""The embedded identity graph: which identities are one person's, in a SQLite file of its own.

An edge is stored in both directions, so that a node's neighbours are one look-up. A cluster is all that can be
reached from a node; the walk goes ring by ring and stops at `CLUSTER_NODES_MAX`, so that one over-linked node cannot
hold the server.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from lethe.domain.ids import NamespaceId, OrgId, SandboxName
from lethe.products.interface import GraphNode

CLUSTER_NODES_MAX: Final = 1_000
_PARAMETERS_MAX: Final = 200

_metadata = sa.MetaData()
_edge = sa.Table(
    "graph_edge",
    _metadata,
    sa.Column("org_id", sa.Text, primary_key=True),
    sa.Column("sandbox_name", sa.Text, primary_key=True),
    sa.Column("from_namespace", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("from_id", sa.Text, primary_key=True),
    sa.Column("to_namespace", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("to_id", sa.Text, primary_key=True),
    sqlite_with_rowid=False,
)


class EmbeddedIdentityGraph:
    """The graph in a SQLite file; implements `interface.IdentityGraph`."""

    def __init__(self, path: Path) -> None:
        """Open the file, made for its owner alone when it is missing."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._engine = sa.create_engine(f"sqlite:///{path}", hide_parameters=True, connect_args={"timeout": 30})
        sa.event.listen(self._engine, "connect", _prepare)
        _metadata.create_all(self._engine)

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    def link(self, org_id: OrgId, sandbox_name: SandboxName, left: GraphNode, right: GraphNode) -> None:
        """Say that two identities are one person's; saying it twice changes nothing."""
        rows = [_row(org_id, sandbox_name, left, right), _row(org_id, sandbox_name, right, left)]
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_edge).prefix_with("OR IGNORE"), rows)

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
        return list(reached)[:CLUSTER_NODES_MAX] if len(reached) > 1 else ()

    def _neighbours(
        self, connection: sa.Connection, org_id: OrgId, sandbox_name: SandboxName, ring: Sequence[GraphNode]
    ) -> Iterable[GraphNode]:
        here = (_edge.c.org_id == org_id, _edge.c.sandbox_name == sandbox_name)
        for begin in range(0, len(ring), _PARAMETERS_MAX):
            part = ring[begin : begin + _PARAMETERS_MAX]
            named = sa.tuple_(_edge.c.from_namespace, _edge.c.from_id).in_([tuple(node) for node in part])
            found = connection.execute(sa.select(_edge.c.to_namespace, _edge.c.to_id).where(*here, named))
            for namespace, value in found:
                yield GraphNode((NamespaceId(namespace), value))


def _prepare(connection: Any, _: object) -> None:
    for pragma in ("journal_mode = WAL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _row(org_id: OrgId, sandbox_name: SandboxName, left: GraphNode, right: GraphNode) -> dict[str, object]:
    return {
        "org_id": org_id,
        "sandbox_name": sandbox_name,
        "from_namespace": left[0],
        "from_id": left[1],
        "to_namespace": right[0],
        "to_id": right[1],
    }
