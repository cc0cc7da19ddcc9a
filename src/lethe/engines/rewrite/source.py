"""A Parquet file opened for reading exactly: its columns by leaf, its INT96 instants without loss."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lethe.engines.rewrite.interface import RewriteRefused
from lethe.engines.rewrite.pages.footer import Footer, read_footer
from lethe.engines.storage.interface import StorageFailed


def open_parquet(source: Any, int96_unit: str | None = None) -> Any:
    """A `pyarrow.parquet.ParquetFile` over a `pyarrow.NativeFile`. Raises RewriteRefused."""
    return open_with_footer(source, int96_unit)[0]


def open_with_footer(source: Any, int96_unit: str | None = None) -> tuple[Any, Footer]:
    """A `pyarrow.parquet.ParquetFile` over a `pyarrow.NativeFile`, and its footer as it stands. Raises RewriteRefused.

    Arrow ends the process over some footers that contradict themselves, so the footer is read here first.
    """
    with explained():
        footer = read_footer(source)
        file = pq.ParquetFile(source, pre_buffer=False, buffer_size=1 << 20, coerce_int96_timestamp_unit=int96_unit)
    if _footer_length(source) != file.metadata.serialized_size:
        # Arrow ends the process when asked for an encrypted column of a file with a plain footer. Such a footer is
        # signed, and therefore longer than what it says.
        raise RewriteRefused("columns of the file are encrypted, or its footer is signed")
    return file, footer


def read_leaves(file: Any, group: int, leaves: Sequence[int]) -> Any:
    """Some leaf columns of a row group, as a `pyarrow.Table`. Raises RewriteRefused for what Arrow cannot decode."""
    with explained():
        table = file.reader.read_row_group(group, column_indices=list(leaves), use_threads=False)
    if table.num_rows != file.metadata.row_group(group).num_rows:
        # Arrow miscounts the rows of nested columns that have a page without values.
        raise RewriteRefused("Arrow reads another number of rows than a row group has")
    return table


@contextmanager
def explained() -> Iterator[None]:
    """Arrow raises a bare OSError for what it cannot decode or decrypt; one with a number comes from the disk."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if "crypt" in str(error).lower():
            raise RewriteRefused("the file is encrypted") from None
        if isinstance(error, OSError) and error.errno is not None:
            raise StorageFailed(f"read: {errno.errorcode.get(error.errno, 'unknown error')}") from None
        if isinstance(error, pa.ArrowMemoryError):
            raise
        raise RewriteRefused("the file is not a Parquet file that Arrow can read") from None


def _footer_length(source: Any) -> int:
    source.seek(source.size() - 8)
    return int.from_bytes(source.read(4), "little")


def leaves_of(file: Any, columns: Sequence[str]) -> list[int]:
    """The leaf columns at or below these paths, whose parts are joined with dots."""
    paths = [file.metadata.schema.column(i).path for i in range(file.metadata.num_columns)]
    return [i for i, path in enumerate(paths) if any(path == c or path.startswith(f"{c}.") for c in columns)]


def leaves_by_field(file: Any) -> list[list[int]]:
    """The leaf columns of every top-level field, in order. Leaves are numbered depth first, so they are runs."""
    fields, first = [], 0
    for field in file.schema_arrow:
        width = _leaf_count(field.type)
        fields.append(list(range(first, first + width)))
        first += width
    if first != file.metadata.num_columns:
        raise RewriteRefused("the file has columns that Arrow does not show")
    return fields


def _leaf_count(kind: Any) -> int:
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_dictionary(kind):
        return _leaf_count(kind.value_type)
    if not kind.num_fields:
        return 1
    return sum(_leaf_count(kind.field(i).type) for i in range(kind.num_fields))
