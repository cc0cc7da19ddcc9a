"""Other writers, between a find and its forget, and between a forget's copies and its commit.

What they add is kept, what they deleted stays deleted, and what they moved is found where it is: nobody's row is lost,
comes back, or is there twice.
"""

from collections.abc import Callable
from typing import Any

import pytest

from engines.asking import CRM, asked, order
from engines.plug import Table, Trait
from engines.plugs import having
from engines.suite.conftest import Make
from engines.suite.rows import left, people
from lethe.engines.interface import Engine, Forgotten, Marker, Wanted

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))
Act = Callable[[], Any]
Forget = Callable[[Table, Act], Forgotten]


def after_the_find(table: Table, act: Act) -> Forgotten:
    plan = table.engine.find(table.target(), WANTED).plan
    act()
    return _forgotten(table, table.engine, plan)


def before_the_commit(table: Table, act: Act) -> Forgotten:
    pending = [act]

    def before(call: str, path: str) -> None:
        if pending and table.is_commit(call, path):
            pending.pop()()

    plan = table.engine.find(table.target(), WANTED).plan
    outcome = _forgotten(table, table.watched(before), plan)
    assert not pending
    return outcome


def _forgotten(table: Table, engine: Engine, plan: Any) -> Forgotten:
    outcome = engine.forget(table.target(), WANTED, plan, Marker("b/1"))
    assert isinstance(outcome, Forgotten), outcome
    return outcome


BOTH = [
    *(pytest.param(plug, after_the_find, id=f"{plug} after the find") for plug in having()),
    *(pytest.param(plug, before_the_commit, id=f"{plug} before the commit") for plug in having(Trait.STORES)),
]
whenever = pytest.mark.parametrize(("plug", "forget"), BOTH)


def require_gone(table: Table, wanted: Wanted = WANTED) -> None:
    before = table.rows()
    evidence = table.proved(wanted)
    assert evidence.gone, evidence.residues
    assert table.rows() == before


@whenever
def test_an_append_is_kept_and_searched(make: Make, forget: Forget) -> None:
    table = make(people(ANN, "bob"), people("cy", first=10), people(ANN, first=20))
    outcome = forget(table, lambda: table.append(people("dee", ANN, None, first=30), people("eve", first=40)))
    assert left(table) == [1, 10, 30, 32, 40]
    assert outcome.tally is not None
    assert outcome.tally.orders[0].rows_by_identity == (3,)
    require_gone(table)


@whenever
def test_a_deletion_of_the_same_rows(make: Make, forget: Forget) -> None:
    table = make(people(ANN, "bob"), people("cy", first=10), people(ANN, first=20))
    outcome = forget(table, lambda: table.delete(ANN))
    assert left(table) == [1, 10]
    assert outcome.tally is not None
    [count] = outcome.tally.orders[0].rows_by_identity
    # Of a whole file that is gone after the decision, a directory does not tell who removed it: it counts as done.
    assert count == 0 or (forget is before_the_commit and not table.engine.traits.detects_conflicts and count == 1)
    require_gone(table)


@whenever
def test_what_others_deleted_beside_the_same_rows_does_not_come_back(make: Make, forget: Forget) -> None:
    table = make(people(ANN, "bob", "cy"), people("bob", "dee", first=10), people(ANN, "eve", first=20))
    forget(table, lambda: table.delete("bob", ANN))
    assert left(table) == [2, 11, 21]
    require_gone(table)


@whenever
def test_a_deletion_of_other_rows_of_the_same_file(make: Make, forget: Forget) -> None:
    table = make(people(ANN, "bob", "cy"), people("bob", "dee", first=10))
    outcome = forget(table, lambda: table.delete("bob"))
    assert left(table) == [2, 11]
    assert outcome.tally is not None
    assert outcome.tally.orders[0].rows_by_identity == (1,)
    require_gone(table)


@whenever
def test_a_compaction_is_planned_anew(make: Make, forget: Forget) -> None:
    table = make(people(ANN, "bob"), people("cy", first=10), people(ANN, None, first=20))
    outcome = forget(table, table.compact)
    assert left(table) == [1, 10, 21]
    assert outcome.tally is not None
    assert outcome.tally.orders[0].rows_by_identity == (2,)
    assert [(file.rows, file.rows_matched) for file in outcome.plan.files if file.rows_matched] == [(5, 2)]
    require_gone(table)


@whenever
def test_a_compaction_into_which_the_rows_of_others_come(make: Make, forget: Forget) -> None:
    table = make(people(ANN, "bob"), people("cy", first=10))

    def merge_and_add() -> None:
        table.append(people(ANN, "dee", first=20))
        table.compact()
        table.append(people(ANN, "eve", first=30))

    outcome = forget(table, merge_and_add)
    assert left(table) == [1, 10, 21, 31]
    assert outcome.tally is not None
    assert outcome.tally.orders[0].rows_by_identity == (3,)
    require_gone(table)
