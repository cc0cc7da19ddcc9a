"""Plans: equal ones have equal hashes, whatever order their files were found in; another decision is another hash."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from lethe.domain.ids import DatasetId
from lethe.domain.plan import FileAction, PlannedFile, TablePlan
from support.properties import quickly

numbers = st.integers(0, 10**12)
files_ = st.lists(
    st.builds(PlannedFile, st.text(min_size=1), st.sampled_from(FileAction), numbers, numbers, numbers, st.text()),
    max_size=6,
    unique_by=lambda file: file.path,
)
plans = st.builds(TablePlan, st.sampled_from(["ds-1", "ds-2"]).map(DatasetId), st.text(max_size=5), files_)


@quickly
@given(plans, st.randoms())
def test_the_hash_does_not_depend_on_the_order_in_which_files_were_found(plan: TablePlan, shuffler: object) -> None:
    shuffled = list(plan.files)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]
    assert replace(plan, files=shuffled).hash == plan.hash
    assert len(plan.hash) == 64


@quickly
@given(plans, plans)
def test_two_plans_have_one_hash_only_when_they_decide_the_same(one: TablePlan, other: TablePlan) -> None:
    assert (one.hash == other.hash) == (decided(one) == decided(other))


@quickly
@given(plans, st.data())
def test_any_other_decision_is_another_hash(plan: TablePlan, data: st.DataObject) -> None:
    assume(plan.touched)
    position = plan.files.index(data.draw(st.sampled_from(list(plan.touched))))
    file = plan.files[position]
    other = data.draw(
        st.sampled_from(
            [
                *(replace(file, action=action) for action in FileAction if action is not file.action),
                replace(file, path=file.path + "x"),
                replace(file, rows=file.rows + 1),
                replace(file, rows_matched=file.rows_matched + 1),
                replace(file, size_bytes=file.size_bytes + 1),
            ]
        )
    )
    changed = [*plan.files[:position], other, *plan.files[position + 1 :]]
    assert replace(plan, files=changed).hash != plan.hash
    assert replace(plan, snapshot=plan.snapshot + "x").hash != plan.hash
    assert replace(plan, dataset_id=DatasetId("other")).hash != plan.hash
    assert replace(plan, files=[*plan.files[:position], *plan.files[position + 1 :]]).hash != plan.hash


@quickly
@given(plans)
def test_a_reason_explains_and_decides_nothing(plan: TablePlan) -> None:
    assert replace(plan, files=[replace(file, reason="because") for file in plan.files]).hash == plan.hash


@quickly
@given(plans)
def test_what_a_plan_says_of_itself(plan: TablePlan) -> None:
    assert plan.rows_matched == sum(file.rows_matched for file in plan.files)
    assert list(plan.touched) == [file for file in plan.files if file.action is not FileAction.KEEP]


def test_a_hash_is_the_same_in_every_process_and_version() -> None:
    file = PlannedFile("data/a.parquet", FileAction.REWRITE, 100, 3, 4_096, "3 rows match")
    plan = TablePlan(DatasetId("ds-1"), "42", [file])
    assert plan.hash == "91372c89d3724a434373d2ca2a3f49e890522f1ca0f6f1ae54252f14f629792b"


def decided(plan: TablePlan) -> object:
    touched = {(f.path, f.action, f.rows, f.rows_matched, f.size_bytes) for f in plan.touched}
    return plan.dataset_id, plan.snapshot, touched
