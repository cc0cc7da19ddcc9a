"""Orders that are found together: each has the plan and the counts that it has alone."""

from pathlib import Path

import pytest

from engines.asking import CRM, EMAIL, found_each, order
from engines.plugs import LATER, PLUGS, Plug
from engines.test_suite import SCHEMA, TRICKY, people
from lethe.engines.interface import TableMissing


@pytest.mark.parametrize("plug", PLUGS, ids=str)
def test_each_order_is_found_as_if_it_asked_alone(plug: Plug, tmp_path: Path) -> None:
    table = plug.make(
        tmp_path,
        [
            people("ann", "bob", "ann", None, "cy", "dee"),
            people("ann", "ann", first=10),
            people("bob", "eve", first=20),
            people(None, "fay", first=30),
        ],
        SCHEMA,
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
    assert [each.plan.rows_matched for each in findings] == [4, 2, 6, 0, 0, 10]
    assert [each.tally.orders[0].rows_by_identity for each in findings] == [
        (4,), (2, 0), (4, 2), (0,), (0,), (4, 2, 1, 1, 1, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("plug", PLUGS, ids=str)
def test_case_is_folded_for_each_alone(plug: Plug, tmp_path: Path) -> None:
    table = plug.make(tmp_path, [people("ann", "Ann", "bob")], SCHEMA)
    orders = [order(EMAIL, "ANN@example.com"), order(EMAIL, "bob@EXAMPLE.com", "ann@example.COM")]
    findings = found_each(table.engine, table.target(TRICKY), *orders)
    assert [each.tally.orders[0].rows_by_identity for each in findings] == [(2,), (1, 2)]


@pytest.mark.parametrize("plug", PLUGS, ids=str)
def test_a_missing_table_is_missing_for_all(plug: Plug, tmp_path: Path) -> None:
    table = plug.make(tmp_path, [people("ann")], SCHEMA)
    table.engine.drop(table.target(), LATER)
    with pytest.raises(TableMissing):
        table.engine.find_each(table.target(), [order(CRM, "ann"), order(CRM, "bob")])
