"""Other writers, lost answers, and the three outcomes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    ForbiddenError,
)

from engines.asking import CRM, asked, order
from engines.iceberg.deletes_by_hand import delete_files, position_delete
from engines.iceberg.faults import HookedCatalog, Meanwhile, hooked
from engines.iceberg.lake import Lake, lake, people
from lethe.domain.plan import FileAction
from lethe.engines.interface import DidNotHappen, Forgotten, MayHaveHappened, NeverWill
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))


@pytest.fixture
def made(tmp_path: Path) -> Lake:
    return lake(tmp_path, people(ANN, "bob", None), people("cy", ANN, first=10), people("dee", first=20))


def engine_of(made: Lake, catalog: HookedCatalog) -> Lake:
    """The same table, whose engine commits through another catalog object."""
    return Lake(made.directory, catalog, rewriter=made.rewriter, opener=made.opener)


def forget_while(made: Lake, action: Callable[[], object]) -> Forgotten:
    """Something happens between the plan and the first copy, after the table was loaded."""
    plan = made.plan(WANTED)
    made.rewriter = Meanwhile(action)
    outcome = made.forget(WANTED, plan)
    assert isinstance(outcome, Forgotten), outcome
    made.rewriter = Meanwhile(lambda: None)
    assert made.purge().clean
    evidence = made.verify(WANTED)
    assert evidence.gone, evidence.residues
    return outcome


def test_one_commit_that_bears_the_marker_and_no_identity(made: Lake) -> None:
    before = len(made.table.snapshots())
    made.forgotten(WANTED, marker="bundle-7/forget")
    snapshots = made.table.snapshots()
    assert len(snapshots) == before + 1
    summary = snapshots[-1].summary
    assert summary is not None
    assert summary["lethe.marker"] == "bundle-7/forget"
    assert (summary["deleted-data-files"], summary["added-data-files"]) == ("2", "2")
    assert (summary["total-records"], summary["total-data-files"]) == ("4", "3")
    assert ANN not in str(summary)
    assert made.rows() == [1, 2, 10, 20]


def test_no_identity_in_what_the_commit_writes(made: Lake) -> None:
    before = made.files()
    made.forgotten(WANTED)
    written = made.files() - before
    assert len(written) == 2 + 3 + 1 + 1, "two copies, three manifests, a list and a metadata file"
    assert not [path for path in written if ANN.encode() in path.read_bytes() or ANN in path.name]
    manifests = [path for path in written if path.suffix == ".avro"]
    from lethe.engines.verify.avro import parts

    assert not [p for p in manifests for _, part in parts(p.read_bytes()) if ANN.encode() in part]


def test_rows_appended_meanwhile_are_kept_and_searched(made: Lake) -> None:
    outcome = forget_while(made, lambda: made.append(people("eve", ANN, first=30)))
    assert made.rows() == [1, 2, 10, 20, 30]
    assert outcome.tally.orders[0].rows_by_identity == (3,)


def test_copies_are_made_once_though_the_commit_is_repeated(made: Lake) -> None:
    plan = made.plan(WANTED)
    catalog = hooked(made.directory)
    catalog.before = lambda n: made.append(people("eve", first=30 * n)) if n <= 3 else None
    made.rewriter = Meanwhile(lambda: None)
    outcome = engine_of(made, catalog).forget(WANTED, plan)
    assert isinstance(outcome, Forgotten)
    assert made.rows() == [1, 2, 10, 20, 30, 60, 90]
    assert (made.rewriter.calls, catalog.commits) == (2, 4)
    assert made.purge().clean
    assert made.verify(WANTED).gone


def test_a_compaction_meanwhile_is_planned_anew(made: Lake) -> None:
    def compact() -> None:
        made.table.overwrite(made.table.scan().to_arrow().combine_chunks())

    outcome = forget_while(made, compact)
    assert made.rows() == [1, 2, 10, 20]
    assert [(f.action, f.rows, f.rows_matched) for f in outcome.plan.files] == [(FileAction.REWRITE, 6, 2)]


def test_the_same_rows_deleted_meanwhile_by_another(made: Lake) -> None:
    outcome = forget_while(made, lambda: made.table.delete(f"id = '{ANN}'"))
    assert made.rows() == [1, 2, 10, 20]
    assert outcome.tally.rows_matched == 0


def test_other_rows_deleted_meanwhile_do_not_come_back(made: Lake) -> None:
    outcome = forget_while(made, lambda: made.table.delete("id = 'bob'"))
    assert made.rows() == [2, 10, 20]
    assert outcome.tally.rows_matched == 2


def test_rows_hidden_meanwhile_in_a_file_that_was_copied_do_not_come_back(made: Lake) -> None:
    [path] = [p.path for p in made.plan(WANTED).touched if p.rows == 3]
    outcome = forget_while(made, lambda: position_delete(made, [(path, 1)]))
    assert made.rows() == [2, 10, 20]
    assert outcome.tally.rows_matched == 2
    assert delete_files(made) == []


def test_a_schema_changed_meanwhile_is_kept(made: Lake) -> None:
    from pyiceberg.types import LongType

    def change() -> None:
        with made.table.update_schema() as update:
            update.add_column("age", LongType())

    forget_while(made, change)
    assert made.rows() == [1, 2, 10, 20]
    assert "age" in made.table.schema().column_names


def test_when_others_always_come_first_nothing_happened(made: Lake) -> None:
    catalog = hooked(made.directory)

    def refuse(_: int) -> None:
        raise CommitFailedException("another commit came first")

    catalog.before = refuse
    files, rows = made.files(), made.rows()
    outcome = engine_of(made, catalog).forget(WANTED, made.plan(WANTED))
    assert isinstance(outcome, DidNotHappen)
    assert catalog.commits == 20
    assert (made.files(), made.rows()) == (files, rows), "no leftovers"


def test_a_refusal_is_final_and_leaves_nothing(made: Lake) -> None:
    catalog = hooked(made.directory)

    def forbid(_: int) -> None:
        raise ForbiddenError("you may not")

    catalog.before = forbid
    files = made.files()
    outcome = engine_of(made, catalog).forget(WANTED, made.plan(WANTED))
    assert isinstance(outcome, NeverWill)
    assert made.files() == files


@pytest.mark.parametrize("error", [CommitStateUnknownException, TimeoutError, ValueError])
def test_a_lost_answer_of_a_commit_that_happened(made: Lake, error: type[Exception]) -> None:
    catalog = hooked(made.directory)

    def lose(_: int) -> None:
        raise error("no answer")

    catalog.after = lose
    plan = made.plan(WANTED)
    outcome = engine_of(made, catalog).forget(WANTED, plan)
    assert isinstance(outcome, Forgotten)
    assert outcome.repeated
    assert (outcome.plan.hash, outcome.tally.rows_matched) == (plan.hash, 2)
    assert made.rows() == [1, 2, 10, 20]


def test_a_lost_answer_of_a_commit_that_did_not_happen_removes_nothing(made: Lake) -> None:
    catalog = hooked(made.directory)

    def lose(_: int) -> None:
        raise CommitStateUnknownException("no answer")

    catalog.before = lose
    files = made.files()
    outcome = engine_of(made, catalog).forget(WANTED, made.plan(WANTED))
    assert isinstance(outcome, MayHaveHappened)
    assert len(made.files() - files) == 6, "copies and manifests may be what the catalog is about to refer to"
    again = made.forgotten(WANTED)
    assert not again.repeated
    assert made.purge().clean
    assert made.verify(WANTED).gone
    assert made.rows() == [1, 2, 10, 20]


def test_when_the_look_fails_too_it_may_have_happened(made: Lake) -> None:
    catalog = hooked(made.directory)

    def lose(_: int) -> None:
        def load_table(_: Any) -> Any:
            raise OSError("unreachable")

        catalog.load_table = load_table  # type: ignore[method-assign]
        raise TimeoutError

    catalog.after = lose
    outcome = engine_of(made, catalog).forget(WANTED, made.plan(WANTED))
    assert isinstance(outcome, MayHaveHappened)
    second = made.forgotten(WANTED)
    assert second.repeated
    assert second.tally.rows_matched == 2


def test_copies_that_a_purge_took_for_leftovers_are_not_committed(made: Lake) -> None:
    """The process slept between its copies and its commit, for longer than writers have grace."""
    plan = made.plan(WANTED)
    other = Lake(made.directory, made.catalog)
    seen: list[int] = []

    class Sleeping(PyarrowRewriter):
        def rewrite(self, source: Any, sink: Any, judge: Any, *, anew: bool = False) -> Any:
            seen.append(1)
            if len(seen) == 2:
                assert other.purge().files_removed > 0
            return PyarrowRewriter().rewrite(source, sink, judge)

    made.rewriter = Sleeping()
    outcome = made.forget(WANTED, plan)
    assert isinstance(outcome, DidNotHappen)
    assert made.rows() == [0, 1, 2, 10, 11, 20]
    made.erase(WANTED)
    assert made.rows() == [1, 2, 10, 20]


def test_the_marker_is_found_under_later_commits(made: Lake) -> None:
    first = made.forgotten(WANTED)
    made.append(people(ANN, first=50))
    second = made.forgotten(WANTED)
    assert second.repeated
    assert (second.snapshot, second.tally, second.plan.hash) == (first.snapshot, first.tally, first.plan.hash)
    assert made.rows() == [1, 2, 10, 20, 50], "a row that came after belongs to the next bundle"


def test_after_a_purge_the_marker_is_still_found(made: Lake) -> None:
    first = made.forgotten(WANTED)
    made.purge()
    second = made.forgotten(WANTED)
    assert (second.repeated, second.tally) == (True, first.tally)
    assert made.rows() == [1, 2, 10, 20]


def test_a_plan_for_nothing_commits_nothing(made: Lake) -> None:
    before = made.table.metadata_location
    outcome = made.forgotten(asked(order(CRM, "nobody")))
    assert outcome.tally.rows_matched == 0
    assert made.table.metadata_location == before


def test_the_branch_keeps_its_own_retention(made: Lake) -> None:
    from pyiceberg.table.update import AssertRefSnapshotId, SetSnapshotRefUpdate

    table = made.table
    current = table.current_snapshot()
    assert current is not None
    update = SetSnapshotRefUpdate(
        ref_name="main", type="branch", snapshot_id=current.snapshot_id, min_snapshots_to_keep=1, max_ref_age_ms=7
    )
    made.catalog.commit_table(table, (AssertRefSnapshotId(ref="main", snapshot_id=current.snapshot_id),), (update,))
    made.forgotten(WANTED)
    ref = made.table.refs()["main"]
    assert (ref.min_snapshots_to_keep, ref.max_ref_age_ms) == (1, 7)


def test_many_orders_in_one_commit(made: Lake) -> None:
    bundle = asked(order(CRM, ANN), order(CRM, "dee", "nobody"), order(CRM, "bob", ANN))
    outcome = made.erase(bundle)
    assert [o.rows_by_identity for o in outcome.tally.orders] == [(2,), (1, 0), (1, 2)]
    assert made.rows() == [2, 10]
    assert isinstance(made.table.scan().to_arrow(), pa.Table)
