"""One case through one rewriter, with every claim checked."""

import io
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engines.pages import claims
from engines.pages.arrow import arrow_reads_the_same
from engines.pages.bounds import statistics_are_true
from engines.pages.cases import Case, travels
from engines.pages.residue import nothing_is_left, verification_finds_nothing
from engines.pages.subjects import Subject
from engines.pages.walk import walk
from lethe.engines.rewrite.gate import GateClosed, require_same_form
from lethe.engines.rewrite.interface import RewriteRefused
from lethe.engines.rewrite.judges import MatchJudge


@dataclass(frozen=True)
class Checked:
    """What one case showed."""

    refused: str = ""
    """Why the rewriter declined, where it may."""
    pages: int = 0
    pages_same: int = 0
    """Pages that stayed byte for byte."""
    searched: int = 0
    """Deleted values that were searched for in the bytes."""
    read_by_arrow: int = 0
    """1 where Arrow could read the source."""
    sifted: int = 0
    """Columns of row groups in which people could be looked for in pages, and Arrow read the same."""
    excerpts: int = 0
    """Rows of a field that were cut out for Arrow alone, and are those that it reads in the whole file."""


def check(case: Case, subject: Subject) -> Checked:
    """Raises AssertionError, or whatever the rewriter raises and should not."""
    sink = io.BytesIO()
    try:
        rewritten = subject.rewriter.rewrite(pa.BufferReader(case.data), sink, travels(case.judge))
    except RewriteRefused as error:
        claims.require(subject.may_refuse(str(error)), f"refused: {error}")
        return Checked(refused=str(error))
    result = sink.getvalue()
    source, after = walk(case.data), walk(result)
    claims.require(rewritten.rows_before == source.rows, "rows_before")
    claims.require(rewritten.rows_after == after.rows, "rows_after")
    claims.require(rewritten.counts.rows == int(case.deleted.sum()), "counted rows")
    try:
        require_same_form(_metadata(case.data), _metadata(result), rewritten)
    except GateClosed as error:
        claims.require(not subject.cuts_pages, str(error))
        return Checked(refused=str(error))
    claims.only_the_rows_are_gone(source, after, case.deleted)
    by_arrow = arrow_reads_the_same(case.data, result, case.deleted)
    claims.the_footer_adds_up(after)
    statistics_are_true(after, source)
    searched = nothing_is_left(source, after, case.deleted)
    if case.wanted is not None and isinstance(case.judge, MatchJudge):
        verification_finds_nothing(result, case.judge.matcher.selector, case.wanted)
    if not subject.cuts_pages:
        return Checked(searched=searched, read_by_arrow=by_arrow)
    claims.the_form_stays(source, after)
    claims.the_groups_form_stays(source, after, case.deleted)
    claims.checksums_hold(source, after)
    same, pages = claims.untouched_bytes_stay(source, after, case.deleted)
    # Without the native module there is nothing that could be imported.
    from engines.pages.excerpting import require_as_in_full
    from engines.pages.sifting import require_as_arrow_reads, sifted

    read = require_as_arrow_reads(sifted(case.data), pq.ParquetFile(pa.BufferReader(case.data)))
    cut_out = require_as_in_full(case.data, case.deleted)
    return Checked(
        pages=pages, pages_same=same, searched=searched, read_by_arrow=by_arrow, sifted=read, excerpts=cut_out
    )


def _metadata(data: bytes) -> Any:
    return pq.read_metadata(pa.BufferReader(data))
