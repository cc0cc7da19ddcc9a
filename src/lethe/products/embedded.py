"""The products of an installation that has none of its own: three stores in one SQLite file of the data directory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from lethe.domain.ids import DatasetId
from lethe.products.embedded_tables import MAPPINGS, journey_row, open_file, profile_fragment, url_of
from lethe.products.identity_graph import NO_DATASET, EmbeddedIdentityGraph
from lethe.products.interface import GraphNode, Space
from lethe.products.sql.product import CHUNK_DEFAULT, WAIT_SECONDS_DEFAULT, SqlProduct

FILE_NAME: Final = "products.db"
"""Its name in the data directory."""


@dataclass(frozen=True, slots=True)
class ProfileFragment:
    """What one dataset says of one identity."""

    dataset_id: DatasetId
    node: GraphNode = field(repr=False)
    payload: str = field(default="{}", repr=False)


@dataclass(frozen=True, slots=True)
class JourneyRow:
    """An identity's place in a journey."""

    journey: str
    node: GraphNode = field(repr=False)
    payload: str = field(default="{}", repr=False)
    dataset_id: DatasetId = NO_DATASET


class EmbeddedStores:
    """The file, the identity graph in it, and the products over it."""

    def __init__(self, path: Path, *, chunk: int = CHUNK_DEFAULT, wait_seconds: float = WAIT_SECONDS_DEFAULT) -> None:
        """Open the file, made for its owner alone when it is missing."""
        self.graph: Final = EmbeddedIdentityGraph(path)
        self.products: Final[Sequence[SqlProduct]] = [
            SqlProduct(product, url_of(path), tables, chunk=chunk, wait_seconds=wait_seconds)
            for product, tables in MAPPINGS.items()
        ]
        self._engine = open_file(path)

    def close(self) -> None:
        """Give back every connection."""
        for product in self.products:
            product.close()
        self.graph.close()
        self._engine.dispose()

    def put_profile_fragments(self, space: Space, fragments: Iterable[ProfileFragment]) -> None:
        """Add fragments, each a row of its own."""
        self._insert(
            profile_fragment,
            [_row(space, each.node, each.dataset_id) | {"payload": each.payload} for each in fragments],
        )

    def put_journey_rows(self, space: Space, rows: Iterable[JourneyRow]) -> None:
        """Add journey rows."""
        self._insert(
            journey_row,
            [
                _row(space, each.node, each.dataset_id) | {"payload": each.payload, "journey": each.journey}
                for each in rows
            ],
        )

    def _insert(self, table: sa.Table, rows: Sequence[dict[str, object]]) -> None:
        if rows:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(table), rows)


def _row(space: Space, node: GraphNode, dataset_id: DatasetId) -> dict[str, object]:
    return {
        "org_id": space.org_id,
        "sandbox_name": space.sandbox_name,
        "dataset_id": dataset_id,
        "namespace": node[0],
        "id": node[1],
    }
