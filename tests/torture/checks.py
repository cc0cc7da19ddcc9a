"""What holds at the end, whatever happened."""

import itertools
import sqlite3
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from torture.ledger import ROWS_EACH, Ledger
from torture.tables import Lake, is_in_catalog, people_of

ORDER_EVENTS = ("accepted", "planned", "submitted", "ingested", "completed")
STATUSES = ["received", "validated", "submitted", "ingested", "completed"]


@dataclass(frozen=True, slots=True)
class Remembered:
    """Lethe's database, asked in SQL."""

    engine: sa.Engine

    def rows(self, query: str) -> Sequence[Mapping[Any, Any]]:
        with self.engine.connect() as connection:
            return connection.execute(sa.text(query)).mappings().all()

    def explained(self) -> str:
        """What has not been done, and why; for whoever reads a failure."""
        states = self.rows("SELECT status, count(*) AS orders FROM work_orders GROUP BY status")
        tasks = self.rows("SELECT * FROM tasks WHERE state <> 'done' ORDER BY subject_id, due_at")
        return "\n".join(str(dict(row)) for row in (*states, *tasks))

    def check_effects(self) -> None:
        """Every claim had a token of its own, and whatever was recorded was recorded under the newest one."""
        notes = self.rows("SELECT * FROM torture_effects ORDER BY number")
        assert [dict(note) for note in notes if note["effect"] == "unguarded"] == []
        assert [dict(note) for note in notes if note["held"] != note["stored"]] == []
        claims = Counter((note["task_id"], note["held"]) for note in notes if note["effect"] == "claim")
        assert [claim for claim, count in claims.items() if count > 1] == []
        # A plain worker leaves no notes, so a round's end may be missing here; it never stands twice.
        ends: Counter[Any] = Counter()
        for note in notes:
            by = {"finish": 1, "reopen": -1}.get(note["effect"], 0)
            ends[(note["task_id"], note["round"])] += by
        assert [end for end, count in ends.items() if count not in {0, 1}] == []
        # Nobody recorded anything once another had claimed: along the tokens, the notes of one task do not go back.
        newest: dict[Any, int] = defaultdict(int)
        for note in notes:
            assert note["held"] >= newest[note["task_id"]], dict(note)
            newest[note["task_id"]] = note["held"]

    def check_tasks(self) -> None:
        open_tasks = self.rows("SELECT step, state, reason FROM tasks WHERE state <> 'done'")
        assert [dict(task) for task in open_tasks] == []
        assert self.rows("SELECT * FROM dataset_locks") == []

    def check_orders(self, ledger: Ledger) -> None:
        """Every order went its way once, with one record of each step and one certificate, and its key is destroyed."""
        changes: dict[str, list[str]] = defaultdict(list)
        for row in self.rows("SELECT work_order_id, number, status FROM work_order_changes ORDER BY number"):
            changes[_hex(row["work_order_id"])].append(row["status"])
        asked = {_hex(order.work_order_id) for order in ledger.orders}
        assert changes == dict.fromkeys(asked | {_hex(drop) for drop in ledger.drops}, STATUSES)
        events = self._events()
        expected = Counter([*(f"work_order.{event}" for event in ORDER_EVENTS), "certificate.made"])
        for order_id in changes:
            assert events[order_id] == expected, order_id
        assert self.rows("SELECT work_order_id FROM identity_vaults WHERE wrapped_key IS NOT NULL") == []
        assert self.rows("SELECT work_order_id FROM identity_chunks WHERE ciphertext IS NOT NULL") == []

    def check_expirations(self, ledger: Ledger) -> None:
        history: dict[str, list[str]] = defaultdict(list)
        for row in self.rows("SELECT expiration_id, status FROM expiration_history ORDER BY number"):
            history[_hex(row["expiration_id"])].append(row["status"])
        wanted = {_hex(ttl_id): ["created", "executing", "completed"] for ttl_id in ledger.expirations}
        assert history == wanted
        expected = Counter(["expiration.created", "expiration.executing", "expiration.completed", "certificate.made"])
        events = self._events()
        for expiration_id in wanted:
            assert events[expiration_id] == expected, expiration_id

    def check_counts(self, ledger: Ledger) -> None:
        """Of each person's rows in a table, exactly one bundle says that it deleted them, and all of its orders do."""
        bundle_of = {
            _hex(row["work_order_id"]): _hex(row["bundle_id"])
            for row in self.rows("SELECT work_order_id, bundle_id FROM work_orders")
        }
        counted: dict[tuple[str, str], tuple[int, ...]] = {}
        for row in self.rows("SELECT work_order_id, dataset_id, rows_by_identity FROM results"):
            numbers = array("I")
            numbers.frombytes(row["rows_by_identity"])
            key = _hex(row["work_order_id"]), row["dataset_id"]
            before = counted.get(key, (0,) * len(numbers))  # of another round
            counted[key] = tuple(map(sum, zip(before, numbers, strict=True)))
        said: dict[tuple[str, str], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for order in ledger.orders:
            order_id = _hex(order.work_order_id)
            for dataset_id in order.tables:
                counts = counted.get((order_id, dataset_id), (0,) * len(order.people))
                for each, count in zip(order.people, counts, strict=True):
                    said[(dataset_id, each)][bundle_of[order_id]].add(count)
        for (dataset_id, each), by_bundle in said.items():
            counts = sorted(count for found in by_bundle.values() for count in found)
            assert counts == [*[0] * (len(by_bundle) - 1), ROWS_EACH], (dataset_id, each, dict(by_bundle))

    def _events(self) -> Mapping[str, Counter[str]]:
        events: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self.rows("SELECT subject, action FROM audit_records"):
            events[_hex(row["subject"])][row["action"]] += 1
        return events


def check_tables(lake: Lake, ledger: Ledger) -> None:
    """Which rows survived, and that no file speaks of whoever is gone from everywhere."""
    destroyed = {*ledger.expirations.values(), *ledger.drops.values()}
    for dataset_id, kind in ledger.datasets.items():
        if dataset_id in destroyed:
            assert [each for each in lake.path(dataset_id).rglob("*") if each.is_file()] == []
            assert kind.name != "iceberg" or not is_in_catalog(lake, dataset_id)
        else:
            assert people_of(kind, lake, dataset_id) == ledger.survivors(dataset_id), dataset_id
    for dataset_id in ledger.tables:
        gone = [each.encode() for each in ledger.gone_from(dataset_id)]
        for path in (each for each in lake.path(dataset_id).rglob("*") if each.is_file()):
            content = path.read_bytes()
            assert not any(each in content for each in gone), path


def check_commits(told: Iterable[Mapping[str, Any]]) -> None:
    """Under one marker a table has one commit, whoever saw it and when."""
    commits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in told:
        commits[(each["dataset_id"], each["marker"])].add(each["commit"])
    assert commits, "no commit was seen"
    assert {marker: found for marker, found in commits.items() if len(found) > 1} == {}


def check_services(data: Path, ledger: Ledger, people: Sequence[str]) -> None:
    """Who is left in graph, profiles and journeys."""
    gone = ledger.asked_for()
    destroyed = {*ledger.expirations.values(), *ledger.drops.values()}
    with closing(sqlite3.connect(data / "products.db")) as products:
        nodes = Counter(row[0] for row in products.execute("SELECT id FROM graph_node"))
        assert nodes == Counter(each for each in people if each not in gone)
        edges = {tuple(row) for row in products.execute("SELECT from_id, to_id FROM graph_edge")}
        pairs = list(itertools.pairwise(people))
        whole = [pair for pair in pairs if not gone & set(pair)]
        assert edges == {end for left, right in whole for end in ((left, right), (right, left))}
        fragments = Counter(tuple(row) for row in products.execute("SELECT dataset_id, id FROM profile_fragment"))
        assert fragments == Counter(
            (dataset_id, each)
            for dataset_id in ledger.datasets
            if dataset_id not in destroyed
            for each in people
            if each not in gone
        )
        journeys = Counter(row[0] for row in products.execute("SELECT id FROM journey_row"))
        assert journeys == Counter(each for each in people if each not in gone)


def _hex(value: Any) -> str:
    """An id as every place writes it: with its prefix, with dashes, or as SQLite stores it."""
    if isinstance(value, UUID):
        return value.hex
    text = str(value)
    for prefix in ("DI-", "BN-", "SD-"):
        text = text.removeprefix(prefix)
    try:
        return UUID(text).hex
    except ValueError:
        return text
