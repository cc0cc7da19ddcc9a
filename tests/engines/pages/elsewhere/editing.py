"""One foreign file, edited: by the people of its column `id`, through the product's own matcher."""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engines.asking import CRM, asked, order
from engines.pages.claims import Mask
from engines.pages.subjects import Subject
from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.matching import compile_matcher
from lethe.engines.rewrite.gate import GateClosed, require_same_form
from lethe.engines.rewrite.interface import RewriteRefused
from lethe.engines.rewrite.judges import MatchJudge

PEOPLE: Final = tuple(f"user-{n:04}@example.com" for n in (0, 3, 14, 22))


def judge() -> MatchJudge:
    """Who goes."""
    return MatchJudge(compile_matcher(PrimaryIdentity(("id",), "CRM"), asked(order(CRM, *PEOPLE))))


@dataclass(frozen=True)
class Edited:
    """What became of a file."""

    deleted: Mask
    result: bytes | None
    declined: str = ""


def edit(data: bytes, subject: Subject) -> Edited:
    """Without the people; or why not."""
    ids = pq.read_table(pa.BufferReader(data), columns=["id"])["id"].to_pylist()
    deleted = np.array([name in PEOPLE for name in ids])
    assert 0 < deleted.sum() < len(deleted)
    sink = io.BytesIO()
    try:
        rewritten = subject.rewriter.rewrite(pa.BufferReader(data), sink, judge())
        metadata = (pq.read_metadata(pa.BufferReader(of)) for of in (data, sink.getvalue()))
        require_same_form(*metadata, rewritten)
    except (RewriteRefused, GateClosed) as error:
        return Edited(deleted, None, declined=str(error))
    return Edited(deleted, sink.getvalue())
