"""One case of the fuzz, made from its seed alone: a file, and which of its rows go."""

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engines.asking import CRM, asked, order
from engines.pages.claims import Mask
from engines.pages.layouts import written
from engines.pages.tables import Random, random_table
from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.namespace import Namespace
from lethe.engines.interface import IdentityMap, Selector, Wanted
from lethe.engines.matching import compile_matcher
from lethe.engines.rewrite.interface import Judge, Judgement
from lethe.engines.rewrite.judges import MatchJudge
from lethe.engines.tally import Counts


@dataclass(frozen=True)
class MaskJudge:
    """Leaves out rows by their position."""

    deleted: Mask

    def columns(self, schema: Any) -> Sequence[str]:
        return ()

    def judge(self, batch: Any, first_row: int) -> Judgement:
        mask = np.zeros(batch.num_rows, dtype=np.bool_)
        known = self.deleted[first_row : first_row + batch.num_rows]
        mask[: len(known)] = known  # a damaged file may tell of more rows than there were
        return Judgement(pa.array(mask), Counts(int(mask.sum())))

    def can_skip(self, group: Any, schema: Any) -> bool:
        return False

    def candidates(self, group: Any, schema: Any) -> None:
        return None

    def sought(self, schema: Any) -> None:
        return None


@dataclass(frozen=True)
class Case:
    """What is rewritten, and what must come out."""

    seed: int
    data: bytes
    deleted: Mask
    judge: Judge
    written: str
    masked: str
    wanted: Wanted | None = None
    """The people, where rows go because of them."""


def case(seed: int) -> Case:
    """The case of a seed."""
    random = np.random.default_rng(seed)
    rows = int(random.choice([0, 1, 9, 60, 200, 500, 1500], p=[0.03, 0.05, 0.16, 0.3, 0.26, 0.15, 0.05]))
    table = random_table(random, rows)
    data, how = written(random, table)
    chosen = _by_identity(random, data) if random.random() < 0.3 and table.num_rows else None
    if chosen is not None:
        wanted, selector, deleted = chosen
        judge = MatchJudge(compile_matcher(selector, wanted))
        return Case(seed, data, deleted, judge, how, f"by {type(selector).__name__}", wanted)
    deleted, masked = random_mask(random, data, table.num_rows)
    return Case(seed, data, deleted, MaskJudge(deleted), how, masked)


def random_mask(random: Random, data: bytes, rows: int) -> tuple[Mask, str]:
    """From no row to all of them."""
    deleted = np.zeros(rows, dtype=np.bool_)
    if not rows:
        return deleted, "no rows"
    style = int(random.integers(0, 8))
    if style == 1:
        deleted[:] = True
    elif style == 2:
        deleted[int(random.integers(0, rows))] = True
    elif style in {3, 4}:
        deleted = random.random(rows) < random.choice([0.003, 0.02, 0.1, 0.5, 0.95])
    elif style == 5:
        start = int(random.integers(0, rows))
        deleted[start : start + int(random.integers(1, rows + 1))] = True
    elif style == 6:
        deleted[[0, -1]] = True
    elif style == 7:
        metadata, at = pq.read_metadata(pa.BufferReader(data)), 0
        for group in range(metadata.num_row_groups):
            count = metadata.row_group(group).num_rows
            deleted[at : at + count] = random.random() < 0.5
            at += count
    return deleted, f"mask of style {style}"


Chosen = tuple[Wanted, Selector, Mask]


def _by_identity(random: Random, data: bytes) -> Chosen | None:
    """By the product's own matcher; the expectation is computed by plain comparison."""
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError):
        return None  # Arrow stumbles over some pages without values
    if "identityMap" in table.column_names and random.random() < 0.6:
        return _by_identity_map(random, table)
    if "id" not in table.column_names:
        return None
    ids = [str(value) for value in pc.unique(table["id"]).to_pylist() if value is not None and str(value)]
    if not ids:
        return None
    chosen = {ids[n] for n in random.integers(0, len(ids), int(random.choice([1, 3, 30])))}
    deleted = np.array([value is not None and str(value) in chosen for value in table["id"].to_pylist()])
    return asked(order(CRM, *sorted(chosen))), PrimaryIdentity(("id",), "CRM"), deleted


def _by_identity_map(random: Random, table: Any) -> Chosen | None:
    maps = [row or [] for row in table["identityMap"].to_pylist()]
    if any(not isinstance(pair, tuple) for row in maps for pair in row):
        return None  # a writer that knows no maps
    entries = [[(code, entry) for code, of in row for entry in of or [] if entry] for row in maps]
    known = sorted({(code, entry["id"]) for row in entries for code, entry in row})
    if not known:
        return None
    code, _ = known[int(random.integers(0, len(known)))]
    chosen = set([value for other, value in known if other == code][: int(random.integers(1, 20))])
    namespace = Namespace(CRM.id, code, code, CRM.id_type, custom=True)
    deleted = np.array([any(c == code and e["primary"] and e["id"] in chosen for c, e in row) for row in entries])
    return asked(order(namespace, *sorted(chosen))), IdentityMap(), deleted


def travels(judge: Judge) -> Judge:
    """As it is after the way to a worker."""
    copy: Judge = pickle.loads(pickle.dumps(judge))
    return copy
