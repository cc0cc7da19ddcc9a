"""Histories of every kind, made by hypothesis: appends, deletes by position and by equality, and then an erasure."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.asking import CRM, asked, order
from engines.drawn import examples
from engines.iceberg.deletes_by_hand import equality_delete, live_rows, position_delete, with_id
from engines.iceberg.lake import Lake, lake, people
from lethe.engines.interface import Forgotten, Marker

PEOPLE = ["annegret-1", "annegret-2", "bobby-long", "ñandú-quite-long"]
person = st.none() | st.sampled_from(PEOPLE)
appends = st.tuples(st.just("append"), st.lists(person, min_size=1, max_size=5))
positions = st.tuples(st.just("positions"), st.lists(st.integers(0, 30), min_size=1, max_size=4))
by_id = st.tuples(st.just("by id"), st.lists(person, min_size=1, max_size=3, unique=True))
by_seq = st.tuples(
    st.just("by seq"), st.lists(st.tuples(st.integers(0, 12), person), min_size=1, max_size=3, unique_by=lambda t: t[0])
)
histories = st.lists(appends | positions | by_id | by_seq, min_size=2, max_size=6)

ID = with_id("id", pa.string(), 2)
SEQ = with_id("seq", pa.int64(), 1)


class Model:
    """What should be alive."""

    def __init__(self, made: Lake) -> None:
        self.made = made
        self.alive: dict[int, str | None] = {}
        self._next = 0

    def do(self, kind: str, what: Any) -> None:
        if kind == "append":
            self.made.append(people(*what, first=self._next))
            self.alive |= {self._next + n: value for n, value in enumerate(what)}
            self._next += len(what)
        elif not self._next:
            return
        elif kind == "positions":
            places = [place for path in self._paths() for place in self._places(path)]
            chosen = {places[number % len(places)] for number in what}
            position_delete(self.made, [(path, position) for path, position, _ in chosen])
            self._kill({seq for _, _, seq in chosen})
        elif kind == "by id":
            equality_delete(self.made, pa.table([pa.array(what, pa.string())], schema=pa.schema([ID])), [2])
            self._kill({seq for seq, value in self.alive.items() if value in what})
        else:
            numbers, mentions = zip(*what, strict=True)
            data = pa.table(
                [pa.array(numbers, pa.int64()), pa.array(mentions, pa.string())], schema=pa.schema([SEQ, ID])
            )
            equality_delete(self.made, data, [1])
            self._kill(set(numbers))

    def _paths(self) -> list[str]:
        return sorted(f.path for f in self.made.plan(asked(order(CRM, "nobody"))).files if f.size_bytes)

    def _places(self, path: str) -> list[tuple[str, int, int]]:
        column = pq.ParquetFile(path.removeprefix("file://")).read(["seq"])["seq"]
        return [(path, position, seq) for position, seq in enumerate(column.to_pylist())]

    def _kill(self, seqs: set[int]) -> None:
        self.alive = {seq: value for seq, value in self.alive.items() if seq not in seqs}


@pytest.fixture(autouse=True)
def _unsynced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lethe.engines.storage.local.os.fsync", lambda _: None)


@settings(max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(histories, st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=2, unique=True))
def test_survivors_and_absence(history: list[tuple[str, Any]], ids: list[str]) -> None:
    root = Path(tempfile.mkdtemp())
    try:
        made = lake(root)
        model = Model(made)
        for kind, what in history:
            model.do(kind, what)
        wanted = asked(order(CRM, *ids))
        if made.table.current_snapshot() is not None:
            assert [row["seq"] for row in live_rows(made)] == sorted(model.alive)
        outcome = made.engine.forget(made.target, wanted, made.plan(wanted), Marker("b/1"))
        assert isinstance(outcome, Forgotten)
        assert outcome.tally.orders[0].rows_by_identity == tuple(list(model.alive.values()).count(i) for i in ids)
        expected = {seq: value for seq, value in model.alive.items() if value not in ids}
        for _ in range(2):
            if made.table.current_snapshot() is not None:
                assert {row["seq"]: row["id"] for row in live_rows(made)} == expected
            assert made.purge().clean
        evidence = made.verify(wanted)
        assert evidence.gone, evidence.residues
    finally:
        shutil.rmtree(root)
