"""Orders that are found together: each has the plan and the counts that it has alone."""

import pytest

from engines.asking import CRM, EMAIL, found_each, order
from engines.plug import LATER
from engines.suite.conftest import Make
from engines.suite.rows import TRICKY, people
from lethe.engines.interface import TableMissing


def test_each_order_is_found_as_if_it_asked_alone(make: Make) -> None:
    table = make(
        people("ann", "bob", "ann", None, "cy", "dee"),
        people("ann", "ann", first=10),
        people("bob", "eve", first=20),
        people(None, "fay", first=30),
    )
    findings = found_each(
        table.engine,
        table.target(),
        order(CRM, "ann"),
        order(CRM, "bob", "nobody at all"),
        order(CRM, "ann", "bob"),
        order(CRM, "nobody at all"),
        order(EMAIL, "ann"),
        order(CRM, "ann", "bob", "cy", "dee", "eve", "fay"),
    )
    counted = [each.tally.orders[0].rows_by_identity for each in findings]
    assert counted == [(4,), (2, 0), (4, 2), (0,), (0,), (4, 2, 1, 1, 1, 1)]
    assert [each.plan.rows_matched for each in findings] == [4, 2, 6, 0, 0, 10]


def test_case_is_folded_for_each_alone(make: Make) -> None:
    table = make(people("ann", "Ann", "bob"))
    orders = [order(EMAIL, "ANN@example.com"), order(EMAIL, "bob@EXAMPLE.com", "ann@example.COM")]
    findings = found_each(table.engine, table.target(TRICKY), *orders)
    assert [each.tally.orders[0].rows_by_identity for each in findings] == [(2,), (1, 2)]


def test_a_missing_table_is_missing_for_all(make: Make) -> None:
    table = make(people("ann"))
    table.engine.drop(table.target(), LATER)
    with pytest.raises(TableMissing):
        table.engine.find_each(table.target(), [order(CRM, "ann"), order(CRM, "bob")])
