"""What bloom filters of a file prove, where its bounds do not: that none of a few ids is in a row group."""

from typing import Any

from lethe.engines.pruning import Candidates
from lethe.engines.rewrite.pages.faults import Damaged, Unfit
from lethe.engines.rewrite.pages.footer import Footer, read_footer

try:
    from lethe.engines.rewrite.pages import bloom
except ImportError:
    # Without the native module nothing is hashed, and no filter can be asked.
    _asks = False
else:
    _asks = True


class BloomFilters:
    """The filters of one file, read when they are asked."""

    def __init__(self, source: Any, footer: Footer | None = None) -> None:
        """`source` is a `pyarrow.NativeFile`; its footer is read here where nobody has read it."""
        self._source = source
        self._footer = footer

    def exclude(self, group: int, metadata: Any, candidates: Candidates | None) -> bool:
        """Whether the filter of a row group (`pyarrow.parquet.RowGroupMetaData`) proves that no candidate is in it.

        A filter that cannot be read, or that is not of the kind that is known here, proves nothing.
        """
        if candidates is None or not _asks or metadata.column(candidates.column).bloom_filter_offset is None:
            return False
        try:
            footer = self._footer = self._footer or read_footer(self._source)
            chunk = footer.groups[group].chunks[candidates.column]
            return not bloom.may_hold(self._source, chunk, footer.start, candidates.values)
        except (Damaged, Unfit):
            return False
