"""What a purge may not remove is held, with the reason, and no proof is claimed; when it may, a repeat ends it."""

import pytest

from engines.asking import CRM, asked, order
from engines.plug import LATER, Table, Trait
from engines.plugs import having
from engines.suite.conftest import Make
from engines.suite.rows import left, people
from lethe.engines.interface import Forgotten, Marker, PurgePolicy
from lethe.engines.storage.interface import RemovalForbidden

WANTED = asked(order(CRM, "ann-annegret"))
LOCK = "an object lock of the store keeps it"


def forgotten(table: Table) -> None:
    plan = table.engine.find(table.target(), WANTED).plan
    assert isinstance(table.engine.forget(table.target(), WANTED, plan, Marker("b/1")), Forgotten)


@pytest.mark.parametrize("plug", having(Trait.STORES), ids=str)
def test_files_under_a_lock_are_held_with_the_reason(make: Make) -> None:
    table = make(people("ann-annegret", "bob"), people("cy", first=10))
    forgotten(table)
    tried = []

    def locked(call: str, path: str) -> None:
        if call == "remove":
            tried.append(path)
            raise RemovalForbidden(LOCK)

    report = table.watched(locked).purge(table.target(), PurgePolicy(), LATER)
    assert tried
    assert not report.clean
    assert not report.failed
    assert LOCK in {held.reason for held in report.held}
    assert left(table) == [1, 10]
    evidence = table.proved(WANTED)
    assert evidence.gone, evidence.residues
    assert left(table) == [1, 10]
