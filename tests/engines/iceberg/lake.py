"""Real Iceberg tables for tests: a SQLite catalog and files in a directory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import Table
from pyiceberg.typedef import Record
from pyiceberg.utils.datetime import datetime_to_micros
from sqlalchemy.pool import NullPool

from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.domain.plan import TablePlan
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.iceberg.engine import IcebergEngine
from lethe.engines.interface import (
    Evidence,
    Forgotten,
    Marker,
    Outcome,
    PurgePolicy,
    PurgeReport,
    Selector,
    Target,
    Wanted,
)
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.storage.interface import Storage
from lethe.engines.storage.opening import storage_opener
from lethe.engines.verify.verifier import ByteVerifier

LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""A now at which every grace has passed."""

NOW = PurgePolicy(writers_grace=timedelta(0))
"""No grace at all."""

BY_ID = PrimaryIdentity(("id",), "CRM")

VERIFIER = ByteVerifier(InlineExecutor(), full=True)

IDENTIFIER = "db.people"


class QuietCatalog(SqlCatalog):
    """A SQLite catalog that keeps no connection open between two calls."""

    def __init__(self, name: str, **properties: str) -> None:
        super().__init__(name, **properties)
        from sqlalchemy import create_engine

        self.engine.dispose()
        self.engine = create_engine(properties["uri"], poolclass=NullPool)


def catalog_in(directory: Path, warehouse: str = "warehouse") -> SqlCatalog:
    uri = f"sqlite:///{directory}/catalog.db"
    catalog = QuietCatalog("lake", uri=uri, warehouse=f"file://{directory}/{warehouse}")
    catalog.create_namespace_if_not_exists("db")
    return catalog


@dataclass
class Lake:
    """One table, and an engine for it."""

    directory: Path
    catalog: Catalog
    identifier: str = IDENTIFIER
    executor: Any = field(default_factory=InlineExecutor)
    rewriter: Any = field(default_factory=best_rewriter)
    opener: Callable[[str], Storage] = field(default_factory=storage_opener)
    selector: Selector = BY_ID
    known_location: str | None = None
    """The location as the caller of the engine knows it."""

    @property
    def engine(self) -> IcebergEngine:
        return IcebergEngine(
            {"lake": self.catalog},
            open_storage=self.opener,
            executor=self.executor,
            rewriter=self.rewriter,
            verifier=VERIFIER,
            new_name=lambda: str(uuid4()),
            clock=lambda: datetime.now(UTC),
        )

    @property
    def table(self) -> Table:
        return self.catalog.load_table(self.identifier)

    @property
    def location(self) -> Path:
        return Path(self.table.location().removeprefix("file://"))

    @property
    def target(self) -> Target:
        reference = TableReference(TableFormat.ICEBERG, self.known_location, "lake", self.identifier)
        return Target(DatasetId("ds"), reference, self.selector)

    def append(self, table: pa.Table) -> None:
        self.table.append(table)

    def plan(self, wanted: Wanted) -> TablePlan:
        return self.engine.find(self.target, wanted).plan

    def forget(self, wanted: Wanted, plan: TablePlan | None = None, marker: str = "b-1/forget") -> Outcome:
        return self.engine.forget(self.target, wanted, plan or self.plan(wanted), Marker(marker))

    def forgotten(self, wanted: Wanted, marker: str = "b-1/forget") -> Forgotten:
        outcome = self.forget(wanted, marker=marker)
        assert isinstance(outcome, Forgotten), outcome
        return outcome

    def purge(self, policy: PurgePolicy = NOW, now: datetime = LATER) -> PurgeReport:
        return self.engine.purge(self.target, policy, now)

    def verify(self, wanted: Wanted) -> Evidence:
        return self.engine.verify(self.target, wanted)

    def erase(self, wanted: Wanted) -> Forgotten:
        """The whole way, of an order of its own; nothing of the identities is left anywhere."""
        outcome = self.forgotten(wanted, f"b-{next(_numbers)}/erase")
        report = self.purge()
        assert report.clean, report
        evidence = self.verify(wanted)
        assert evidence.gone, evidence.residues
        return outcome

    def rows(self, column: str = "seq") -> list[Any]:
        """A column of the live rows, as pyiceberg reads them, sorted."""
        return sorted(self.table.scan().to_arrow().column(column).to_pylist())

    def files(self) -> set[Path]:
        return {path for path in self.location.rglob("*") if path.is_file()}

    def data_files(self) -> list[str]:
        return sorted(task.file.file_path for task in self.table.scan().plan_files())


SCHEMA = pa.schema(
    [pa.field("seq", pa.int64(), nullable=False), pa.field("id", pa.string()), pa.field("note", pa.string())]
)


def people(*ids: str | None, first: int = 0) -> pa.Table:
    rows = [{"seq": first + n, "id": value, "note": f"note {first + n}"} for n, value in enumerate(ids)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def lake(
    directory: Path,
    *files: pa.Table,
    schema: pa.Schema = SCHEMA,
    properties: Mapping[str, str] | None = None,
    spec: Sequence[tuple[str, Any, str]] = (),
    **options: Any,
) -> Lake:
    """A table of these files; `spec` gives a column, a transform and a name for each partition field."""
    catalog = catalog_in(directory)
    table = catalog.create_table(IDENTIFIER, schema, properties=dict(properties or {}))
    if spec:
        with table.update_spec() as update:
            for column, transform, name in spec:
                update.add_field(column, transform, name)
    made = Lake(directory, catalog, **options)
    for data in files:
        append_partitioned(made, data) if spec else made.append(data)
    return made


_numbers = count()


def write_parquet(made: Lake, data: pa.Table, directory: str = "data") -> str:
    """A Parquet file below the table's location; answers its location."""
    path = made.location / directory / f"by-hand-{next(_numbers)}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(data, path)
    return f"file://{path}"


def add_file(made: Lake, location: str, rows: int, partition: Sequence[Any] = ()) -> None:
    """Append a file that is already written."""
    file = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=Record(*partition),
        record_count=rows,
        file_size_in_bytes=Path(location.removeprefix("file://")).stat().st_size,
    )
    file.spec_id = made.table.spec().spec_id
    with made.table.transaction() as change, change.update_snapshot().fast_append() as append:
        append.append_data_file(file)


def append_partitioned(made: Lake, data: pa.Table) -> None:
    """Append a file for each partition: pyiceberg alone computes but few transforms of columns."""
    table = made.table
    spec, schema = table.spec(), table.schema()
    groups: dict[tuple[Any, ...], list[int]] = {}
    for number, row in enumerate(data.to_pylist()):
        groups.setdefault(tuple(_part(schema, part, row) for part in spec.fields), []).append(number)
    for partition, numbers in groups.items():
        rows = data.take(pa.array(numbers)).cast(schema_to_pyarrow(schema))
        directory = f"data/{spec.partition_to_path(Record(*partition), schema)}"
        add_file(made, write_parquet(made, rows, directory), len(numbers), partition)


def _part(schema: Any, part: Any, row: dict[str, Any]) -> Any:
    source = schema.find_field(part.source_id)
    value = row[source.name]
    if isinstance(value, datetime):
        value = datetime_to_micros(value)
    return part.transform.transform(source.field_type)(value)
