"""Every state of each small world keeps every invariant; with a rule turned off, the walk finds out what it is for."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import structlog

from lethe.domain.ids import DatasetId
from lethe.domain.product import Product
from lethe.domain.rollup import Stage
from lethe.domain.work_order import Action, EndStatus, OpenStatus, Status
from lethe.operations import retries
from lethe.pipeline import dataset_drop, settling
from model.facts import Asked, Facts
from model.invariants import INVARIANTS
from model.machine import Machine, Rules
from model.memory import Tasks
from model.walk import Violated, walk

A, B = DatasetId("A"), DatasetId("B")
LAKE, GRAPH = Product.DATA_LAKE, Product.IDENTITY
TWO_ORDERS = Facts([Asked([A]), Asked([A, B])], [A, B])
WITH_EXPIRATION = Facts([Asked([A])], [A], expiring=A, expiries=1)
WITH_RETURN = Facts([Asked([A], products=(LAKE, GRAPH))], [A], returns=1)


class OnlyTheLake:
    """The products of the small worlds' expirations: four of them, alike, would make fifty times as many states."""

    DATA_LAKE = LAKE

    def __iter__(self) -> Iterator[Product]:
        return iter([LAKE])


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(dataset_drop, "Product", OnlyTheLake())
    monkeypatch.setattr(settling, "ALL_PRODUCTS", [LAKE])
    monkeypatch.setattr(retries, "ALL_PRODUCTS", [LAKE])
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # a line a transition says nothing
    yield
    structlog.configure(**before)


def test_orders_share_a_bundle_or_wait_for_its_datasets() -> None:
    walked = walk(Machine(TWO_ORDERS))
    assert walked.ends == {(("completed", "completed"), "")}
    assert walked.states > 20_000


def test_rows_that_come_back_are_deleted_again() -> None:
    assert walk(Machine(WITH_RETURN)).ends == {(("completed",), "")}


def test_an_expiration_is_cancelled_moved_or_carried_out() -> None:
    # Without an order: it was refused, for the dataset was gone.
    assert walk(Machine(WITH_EXPIRATION)).ends == {
        (("completed",), "cancelled"),
        (("completed",), "completed"),
        (("",), "completed"),
    }


def test_what_is_in_the_trash_is_restored_or_destroyed() -> None:
    walked = walk(Machine(Facts([Asked([A])], [A], expiring=A, expiries=1, trash=1)))
    assert {end for _, end in walked.ends} == {"cancelled", "completed"}


def test_a_dataset_that_an_order_deletes_is_gone_for_the_others() -> None:
    walked = walk(Machine(Facts([Asked([A]), Asked([A], action=Action.DELETE_DATASET)], [A])))
    assert walked.ends == {(("completed", "completed"), ""), (("", "completed"), "")}


def test_what_is_given_up_fails_alone_and_can_be_retried() -> None:
    ends = {"completed", "failed"}
    alone = walk(Machine(Facts([Asked([A])], [A], refusals=1, retries=1)))
    assert alone.ends == {((end,), "") for end in ends}
    together = walk(Machine(Facts([Asked([A]), Asked([A])], [A], refusals=1)))
    assert together.ends == {((one, other), "") for one in ends for other in ends}


@pytest.mark.parametrize(
    ("rules", "facts", "violated"),
    [
        (Rules(checks_tokens=False), TWO_ORDERS, "stale_changes_nothing"),
        (Rules(locks_datasets=False), TWO_ORDERS, "one_at_a_dataset"),
        (Rules(looks_up_markers=False), TWO_ORDERS, "one_commit_a_marker"),
        (Rules(asks_whether_pending=False), WITH_EXPIRATION, "cancelled_means_kept"),
    ],
    ids=["token", "lock", "marker", "status"],
)
def test_without_a_rule_an_invariant_breaks(rules: Rules, facts: Facts, violated: str) -> None:
    with pytest.raises(Violated) as found:
        walk(Machine(facts, rules))
    print(found.value)  # the shortest way there, shown when the test fails
    assert found.value.invariant == violated
    assert found.value.trace


def test_an_order_that_ends_before_its_proof_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = settling.order_status

    def hasty(status: Status, stages: Mapping[Product, Stage]) -> Status:
        goal = right(status, stages)
        return EndStatus.COMPLETED if goal is OpenStatus.INGESTED else goal

    monkeypatch.setattr(settling, "order_status", hasty)
    with pytest.raises(Violated) as found:
        walk(Machine(WITH_RETURN))
    assert found.value.invariant == "completed_means_absent"


def test_a_dead_end_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tasks, "again", lambda *_: None)
    with pytest.raises(Violated) as found:
        walk(Machine(WITH_RETURN))
    assert found.value.invariant == "an_end_stays_reachable"


def test_the_documents_list_every_invariant() -> None:
    text = " ".join((Path(__file__).parents[2] / "docs" / "work.md").read_text().split())
    for name, invariant in INVARIANTS.items():
        assert invariant.__doc__ is not None, name
        assert " ".join(invariant.__doc__.split()) in text, name
