"""The tables of the embedded stores, and the mappings by which products delete from them."""

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from lethe.domain.product import Product
from lethe.products.sql.mapping import IdentityColumns, NamespaceColumn, TableMapping

metadata: Final = sa.MetaData()


def _space() -> Sequence[sa.Column[Any]]:
    return [sa.Column("org_id", sa.Text, nullable=False), sa.Column("sandbox_name", sa.Text, nullable=False)]


def _identity(prefix: str = "") -> Sequence[sa.Column[Any]]:
    return [
        sa.Column(f"{prefix}namespace", sa.BigInteger, nullable=False),
        sa.Column(f"{prefix}id", sa.Text, nullable=False),
    ]


def _dataset() -> sa.Column[Any]:
    """The dataset that contributed the row; empty when none did."""
    return sa.Column("dataset_id", sa.Text, nullable=False, server_default="")


_HERE: Final = ("org_id", "sandbox_name")

graph_node: Final = sa.Table(
    "graph_node",
    metadata,
    sa.Column("node_id", sa.Integer, primary_key=True),
    *_space(),
    *_identity(),
    _dataset(),
    sa.UniqueConstraint(*_HERE, "namespace", "id", "dataset_id"),
    sa.Index("graph_node_dataset", *_HERE, "dataset_id"),
)

# Each edge is two rows, one a direction.
graph_edge: Final = sa.Table(
    "graph_edge",
    metadata,
    sa.Column("edge_id", sa.Integer, primary_key=True),
    *_space(),
    *_identity("from_"),
    *_identity("to_"),
    _dataset(),
    sa.UniqueConstraint(*_HERE, "from_namespace", "from_id", "to_namespace", "to_id", "dataset_id"),
    sa.Index("graph_edge_to", *_HERE, "to_namespace", "to_id"),
    sa.Index("graph_edge_dataset", *_HERE, "dataset_id"),
)

profile_fragment: Final = sa.Table(
    "profile_fragment",
    metadata,
    sa.Column("fragment_id", sa.Integer, primary_key=True),
    *_space(),
    _dataset(),
    *_identity(),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("profile_fragment_identity", *_HERE, "namespace", "id"),
    sa.Index("profile_fragment_dataset", *_HERE, "dataset_id"),
)

journey_row: Final = sa.Table(
    "journey_row",
    metadata,
    sa.Column("row_id", sa.Integer, primary_key=True),
    *_space(),
    _dataset(),
    *_identity(),
    sa.Column("journey", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("journey_row_identity", *_HERE, "namespace", "id"),
    sa.Index("journey_row_dataset", *_HERE, "dataset_id"),
)


def _mapping(table: sa.Table, *prefixes: str) -> TableMapping:
    return TableMapping(
        name=table.name,
        key=tuple(column.name for column in table.primary_key),
        identities=tuple(
            IdentityColumns(f"{prefix}id", NamespaceColumn(f"{prefix}namespace")) for prefix in prefixes or ("",)
        ),
        org_column="org_id",
        sandbox_column="sandbox_name",
        dataset_column="dataset_id",
    )


MAPPINGS: Final[Mapping[Product, tuple[TableMapping, ...]]] = {
    Product.IDENTITY: (_mapping(graph_edge, "from_", "to_"), _mapping(graph_node)),
    Product.PROFILE: (_mapping(profile_fragment),),
    Product.JOURNEY: (_mapping(journey_row),),
}
"""Which tables each product is, edges before the nodes that they join."""


def open_file(path: Path) -> sa.Engine:
    """Open the file, made for its owner alone when it is missing, with every table in it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    engine = sa.create_engine(url_of(path), hide_parameters=True, connect_args={"timeout": 30})
    sa.event.listen(engine, "connect", _prepare)
    with _alone_in(path.parent):
        metadata.create_all(engine)
    return engine


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Wait until no other process is here: two that start at once would both make the tables, or both enter WAL."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def url_of(path: Path) -> str:
    """The URL of the file, for whoever opens it by itself."""
    return sa.URL.create("sqlite", database=str(path.resolve())).render_as_string()


def _prepare(connection: Any, _: object) -> None:
    for pragma in ("journal_mode = WAL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")
