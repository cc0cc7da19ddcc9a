"""Copying data files and delete files without some rows, and describing the copies for a manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    pyarrow_to_schema,
)
from pyiceberg.manifest import DataFile, FileFormat
from pyiceberg.table.name_mapping import NameMapping

from lethe.engines.iceberg.judge import FileFacts, IcebergJudge
from lethe.engines.rewrite.gate import require_same_form
from lethe.engines.rewrite.interface import Rewriter, Rewritten
from lethe.engines.rewrite.source import open_parquet
from lethe.engines.storage.interface import Storage


@dataclass(frozen=True, slots=True)
class Copy:
    """One file to copy, wherever a worker runs."""

    location: str
    """Of the source, as its manifest spells it."""
    source: tuple[Storage, str]
    copy_location: str
    """Of the copy, spelled alike."""
    copy: tuple[Storage, str]
    facts: FileFacts
    anew: bool = False
    """Nothing that is encoded may be taken over."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What one copying did."""

    rewritten: Rewritten
    size_bytes: int
    footer: Any
    """`pyarrow.parquet.FileMetaData` of the copy, read back from storage."""


@dataclass(frozen=True, slots=True)
class Copying:
    """The task, which holds the identities."""

    judge: IcebergJudge
    rewriter: Rewriter

    def __call__(self, job: Copy) -> Copied:
        """Write the copy under its final name, which nothing refers to before the commit; then compare the two.

        A crash leaves a file without a reference, which a purge removes. Raises RewriteRefused, StorageFailed.
        """
        (source_storage, source_path), (copy_storage, copy_path) = job.source, job.copy
        with source_storage.open(source_path) as source:
            with copy_storage.create(copy_path) as sink:
                rewritten = self.rewriter.rewrite(source, sink, self.judge.of(job.facts), anew=job.anew)
            with copy_storage.open(copy_path) as copy:
                footer = open_parquet(copy).metadata
            require_same_form(open_parquet(source).metadata, footer, rewritten)
        return Copied(rewritten, copy_storage.stat(copy_path).size_bytes, footer)


def described(
    original: DataFile, job: Copy, copied: Copied, mapping: NameMapping | None, properties: Mapping[str, str]
) -> DataFile:
    """The copy as a manifest describes it: the original's place in the table, with bounds of its own rows."""
    file = DataFile.from_args(
        content=original.content,
        file_path=job.copy_location,
        file_format=FileFormat.PARQUET,
        partition=original.partition,
        file_size_in_bytes=copied.size_bytes,
        equality_ids=original.equality_ids,
        sort_order_id=original.sort_order_id,
        key_metadata=None,
        **{"record_count": copied.rewritten.rows_after, **_statistics(original, copied.footer, mapping, properties)},
    )
    file.spec_id = original.spec_id
    return file


def _statistics(
    original: DataFile, footer: Any, mapping: NameMapping | None, properties: Mapping[str, str]
) -> dict[str, Any]:
    """Counts and bounds by field id; bounds only of columns for which the original had them.

    A file whose columns pyiceberg cannot describe gets none: a reader then opens it, which is never wrong.
    """
    try:
        schema = pyarrow_to_schema(footer.schema.to_arrow_schema(), mapping)
        plan = compute_statistics_plan(schema, dict(properties))
        statistics = data_file_statistics_from_parquet_metadata(footer, plan, parquet_path_to_id_mapping(schema))
        found = statistics.to_serialized_dict()
    except (ValueError, TypeError, KeyError, NotImplementedError, pa.ArrowException):
        return {}
    for bounds, had in (("lower_bounds", original.lower_bounds), ("upper_bounds", original.upper_bounds)):
        found[bounds] = {i: value for i, value in (found.get(bounds) or {}).items() if i in (had or {})} or None
    return found
