"""Other writers, who act at a chosen instant of a forget; nobody's work is lost."""

from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from engines.asking import CRM, asked, order
from engines.delta.lake import (
    MARKER,
    adds,
    commit,
    data_files,
    engine,
    exists,
    hide,
    inline_vector,
    metadata,
    numbers,
    people,
    target,
    wrapped,
    write,
)
from lethe.engines.interface import DidNotHappen, Forgotten, MayHaveHappened, NeverWill, Outcome
from lethe.engines.storage.interface import StorageFailed

WANTED = asked(order(CRM, "ann"))


def forget_while(root: Path, other: Callable[[], object], *, call: str = "put", when: str = "before") -> Outcome:
    """Another writer acts once, before or after the first such call of the forget."""
    table, pending = target(root), [other]
    plan = engine().find(table, WANTED).plan

    def act(name: str, path: str) -> None:
        if name == call and pending:
            pending.pop()()

    storage = wrapped(**{when: act})
    outcome = engine(storage).forget(table, WANTED, plan, MARKER)
    assert not pending
    return outcome


def table_of(root: Path) -> Path:
    return write(root, people("ann", "bob"), people("cy", first=10), people("ann", first=20))


def unused(root: Path) -> list[str]:
    """Copies to which the table does not refer."""
    live = {uri.rpartition("/")[2] for uri in DeltaTable(str(root)).file_uris()}
    return [path for path in data_files(root) if "lethe-" in path and path not in live]


def test_an_append_is_kept_and_searched(tmp_path: Path) -> None:
    root = table_of(tmp_path)
    outcome = forget_while(root, lambda: write(root, people("dee", "ann", None, first=30), people("ann", first=40)))
    assert isinstance(outcome, Forgotten)
    assert numbers(root) == [1, 10, 30, 32]
    assert outcome.snapshot == "5"
    assert outcome.tally.orders[0].rows_by_identity == (4,)
    assert not unused(root)


def test_a_compaction_is_planned_anew(tmp_path: Path) -> None:
    root = table_of(tmp_path)
    outcome = forget_while(root, DeltaTable(str(root)).optimize.compact)
    assert isinstance(outcome, Forgotten)
    assert numbers(root) == [1, 10]
    assert [(f.rows, f.rows_matched) for f in outcome.plan.files] == [(4, 2)]
    assert outcome.tally.rows_matched == 2
    assert not unused(root)


def test_a_deletion_of_the_same_rows(tmp_path: Path) -> None:
    root = table_of(tmp_path)
    outcome = forget_while(root, lambda: DeltaTable(str(root)).delete("id = 'ann'"))
    assert isinstance(outcome, Forgotten)
    assert numbers(root) == [1, 10]
    assert outcome.tally.rows_matched == 0
    assert not unused(root)


def test_a_deletion_of_other_rows_of_the_same_file(tmp_path: Path) -> None:
    root = table_of(tmp_path)
    outcome = forget_while(root, lambda: DeltaTable(str(root)).delete("n = 1 or n = 10"))
    assert isinstance(outcome, Forgotten)
    assert numbers(root) == []
    assert outcome.tally.rows_matched == 2


def test_rows_that_are_hidden_meanwhile_stay_hidden(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob", "cy", "ann"))
    outcome = forget_while(root, lambda: hide(root, 1, adds(root)[0], inline_vector(1, 3)))
    assert isinstance(outcome, Forgotten)
    assert numbers(root) == [2]
    assert outcome.tally.rows_matched == 1
    assert not unused(root)


def test_a_file_that_is_vacuumed_before_it_is_copied(tmp_path: Path) -> None:
    root = table_of(tmp_path)

    def compact() -> None:
        table = DeltaTable(str(root))
        table.optimize.compact()
        table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)

    outcome = forget_while(root, compact, call="list", when="after")
    assert isinstance(outcome, Forgotten)
    assert numbers(root) == [1, 10]


def test_a_log_that_is_cleaned_while_it_is_read(tmp_path: Path) -> None:
    root = table_of(tmp_path)

    def clean() -> None:
        DeltaTable(str(root)).create_checkpoint()
        (root / "_delta_log" / f"{0:020d}.json").unlink()

    outcome = forget_while(root, clean, call="list", when="after")
    assert isinstance(outcome, Forgotten)
    assert numbers(root) == [1, 10]


def test_the_same_forget_by_another_worker(tmp_path: Path) -> None:
    root = table_of(tmp_path)
    plan = engine().find(target(root), WANTED).plan
    outcome = forget_while(root, lambda: engine().forget(target(root), WANTED, plan, MARKER))
    assert isinstance(outcome, Forgotten)
    assert outcome.repeated
    assert outcome.tally.rows_matched == 2
    assert numbers(root) == [1, 10]
    assert not exists(root, 4)


def test_a_table_that_becomes_append_only(tmp_path: Path) -> None:
    root = table_of(tmp_path)
    outcome = forget_while(root, lambda: commit(root, 3, metadata(root, delta__appendOnly="true")))
    assert isinstance(outcome, NeverWill)
    assert numbers(root) == [0, 1, 10, 20]


def test_writers_who_are_always_faster(tmp_path: Path) -> None:
    root, version = table_of(tmp_path), 3

    def commit_first(name: str, path: str) -> None:
        nonlocal version
        if name == "put":
            commit(root, version, {"txn": {"appId": "other", "version": version}})
            version += 1

    plan = engine().find(target(root), WANTED).plan
    outcome = engine(wrapped(before=commit_first)).forget(target(root), WANTED, plan, MARKER)
    assert isinstance(outcome, DidNotHappen)
    assert numbers(root) == [0, 1, 10, 20]
    assert isinstance(engine().forget(target(root), WANTED, plan, MARKER), Forgotten)
    assert numbers(root) == [1, 10]


# The answer of a commit is lost


def fail(call: str, path: str) -> None:
    if call == "put":
        raise StorageFailed("put: no answer")


def test_a_commit_whose_answer_is_lost_is_looked_up(tmp_path: Path) -> None:
    root = table_of(tmp_path)
    plan = engine().find(target(root), WANTED).plan
    outcome = engine(wrapped(after=fail)).forget(target(root), WANTED, plan, MARKER)
    assert isinstance(outcome, Forgotten)
    assert (outcome.snapshot, outcome.repeated, outcome.tally.rows_matched) == ("3", False, 2)


def test_a_commit_that_may_still_arrive(tmp_path: Path) -> None:
    root = table_of(tmp_path)
    plan = engine().find(target(root), WANTED).plan
    outcome = engine(wrapped(before=fail)).forget(target(root), WANTED, plan, MARKER)
    assert isinstance(outcome, MayHaveHappened)
    assert numbers(root) == [0, 1, 10, 20]
    assert isinstance(engine().forget(target(root), WANTED, plan, MARKER), Forgotten)
    assert numbers(root) == [1, 10]


@pytest.mark.parametrize("landed", [False, True])
def test_a_lost_answer_and_another_writer(tmp_path: Path, landed: bool) -> None:
    """When the version is taken, either by the lost commit or by another, nothing is uncertain any more."""
    root, calls = table_of(tmp_path), list[str]()

    def lose(call: str, path: str) -> None:
        if call == "put" and not calls:
            calls.append(path)
            if not landed:
                write(root, people("ann", "dee", first=30))
            raise StorageFailed("put: no answer")

    plan = engine().find(target(root), WANTED).plan
    storage = wrapped(after=lose) if landed else wrapped(before=lose)
    outcome = engine(storage).forget(target(root), WANTED, plan, MARKER)
    assert isinstance(outcome, Forgotten)
    assert numbers(root) == ([1, 10] if landed else [1, 10, 31])
