"""What every engine must do, whatever the format: which rows go, what is counted, and what a repeat answers."""

from typing import Any

import pyarrow as pa
import pytest

from engines.asking import CRM, EMAIL, asked, order
from engines.plug import BY_ID, LATER, Trait
from engines.plugs import having
from engines.suite.conftest import Make
from engines.suite.rows import TRICKY, left, people
from lethe.domain.plan import FileAction
from lethe.engines.interface import (
    Forgotten,
    IdentityMap,
    Marker,
    NeverWill,
    Progress,
    PurgePolicy,
    ResidueKind,
    TableMissing,
    TableRefused,
)


def test_just_inside_just_outside_and_ineligible(make: Make) -> None:
    """Only the exact value goes: not another case, a longer or shorter one, a null, or a mention elsewhere."""
    ids = ["annegret", "Annegret", "annegret ", "annegre", None, "bob", "annegret", "xannegret", "ännegret", ""]
    table = make(
        people(*ids), people("annegret", "eve", first=10), people("bob", None, first=20, notes={0: "annegret"})
    )
    before = {row["seq"]: row for row in table.rows()}
    outcome, evidence = table.erase(asked(order(CRM, "annegret", "nobody at all")))
    assert left(table) == [1, 2, 3, 4, 5, 7, 8, 9, 11, 20, 21]
    assert table.rows() == [before[seq] for seq in left(table)]
    assert outcome.tally.rows_matched == 3
    assert outcome.tally.orders[0].rows_by_identity == (3, 0)
    assert evidence.gone, evidence.residues


def test_the_physical_schema_stays(make: Make) -> None:
    table = make(people("ann", "bob", None, "cy"), people("bob", "dee", first=10))
    before = table.schema()
    table.erase(asked(order(CRM, "bob")))
    assert table.schema() == before
    assert left(table) == [0, 2, 3, 11]


def test_the_plan_says_which_files_and_why(make: Make) -> None:
    table = make(people("ann", "bob"), people("bobby", first=10), people("bob", "bob", first=20))
    finding = table.engine.find(table.target(), asked(order(CRM, "bob")))
    actions = sorted((f.action, f.rows, f.rows_matched) for f in finding.plan.files)
    if len(actions) == 3:
        assert actions == [(FileAction.DROP, 2, 2), (FileAction.KEEP, 1, 0), (FileAction.REWRITE, 2, 1)]
    assert finding.plan.rows_matched == finding.tally.rows_matched == 3
    assert left(table) == [0, 1, 10, 20, 21]
    again = table.engine.find(table.target(), asked(order(CRM, "bob")))
    assert again.plan.hash == finding.plan.hash
    table.append(people("bob", first=30))
    assert table.engine.find(table.target(), asked(order(CRM, "bob"))).plan.hash != finding.plan.hash


def test_an_empty_table(make: Make) -> None:
    table = make()
    outcome, evidence = table.erase(asked(order(CRM, "ann")))
    assert (outcome.tally.rows_matched, left(table)) == (0, [])
    assert evidence.gone


def test_all_rows_match(make: Make) -> None:
    table = make(people("ann", "bob"), people("ann", first=10))
    outcome, evidence = table.erase(asked(order(CRM, "ann", "bob")))
    assert outcome.tally.orders[0].rows_by_identity == (2, 1)
    assert left(table) == []
    assert evidence.gone, evidence.residues
    table.append(people("cy", first=20))
    assert left(table) == [20]


def test_no_row_matches_and_nothing_changes(make: Make) -> None:
    table = make(people("ann", None), people("bob", first=10))
    before, schema = table.rows(), table.schema()
    target, wanted = table.target(), asked(order(CRM, "zoe"))
    finding = table.engine.find(target, wanted)
    assert not finding.plan.touched
    table.erase(wanted)
    assert (table.rows(), table.schema()) == (before, schema)
    assert table.engine.find(target, wanted).plan.snapshot == finding.plan.snapshot


def test_a_bundle_counts_per_order_and_identity(make: Make) -> None:
    table = make(people("ann", "bob", "cy", "ann"), people("cy", "dee", "ann", first=10))
    bundle = asked(order(CRM, "ann", "zoe"), order(CRM, "cy", "ann"), order(EMAIL, "bob"))
    outcome, evidence = table.erase(bundle)
    assert left(table) == [1, 11]
    assert [o.rows_by_identity for o in outcome.tally.orders] == [(3, 0), (2, 3), (0,)]
    assert [o.rows_matched for o in outcome.tally.orders] == [3, 5, 0]
    assert [o.work_order_id for o in outcome.tally.orders] == [o.work_order_id for o in bundle.orders]
    assert outcome.tally.rows_matched == 5
    assert evidence.gone


def test_nested_and_case_folded(make: Make) -> None:
    table = make(people("Ann", "STRASSE", "straße", None, "ann", "annx"), people("ANN", "bob", first=10))
    outcome, evidence = table.erase(asked(order(EMAIL, "aNN@example.COM", "Straße@example.com")), TRICKY)
    assert left(table) == [3, 5, 11]
    assert outcome.tally.orders[0].rows_by_identity == (3, 2)
    assert evidence.gone, evidence.residues


def test_only_primary_entries_of_an_identity_map(make: Make) -> None:
    entry = pa.struct([("id", pa.string()), ("authenticatedState", pa.string()), ("primary", pa.bool_())])
    schema = pa.schema([("seq", pa.int64()), ("identityMap", pa.map_(pa.string(), pa.list_(entry)))])

    def e(value: str | None, *, primary: bool | None) -> dict[str, Any]:
        return {"id": value, "authenticatedState": "ambiguous", "primary": primary}

    maps = [
        [("CRM", [e("customer-1", primary=True)])],
        [("CRM", [e("customer-1", primary=False)])],
        [("CRM", [e("customer-1", primary=None)])],
        [("ECID", [e("customer-1", primary=True)])],
        [("crm", [e("other-7", primary=False), e("customer-1", primary=True)])],
        None,
        [],
        [("CRM", [e(None, primary=True)])],
        [("CRM", None)],
        [("CRM", [e("customer-10", primary=True)]), ("Email", [e("customer-1", primary=False)])],
        [("Email", [e("ANN@x.org", primary=True)])],
    ]
    others = [[("CRM", [e(f"customer-{n}x", primary=True), e(f"other-{n}", primary=False)])] for n in range(30)]
    table = make(
        pa.Table.from_pylist([{"seq": n, "identityMap": m} for n, m in enumerate(maps)], schema=schema),
        pa.Table.from_pylist([{"seq": 20, "identityMap": maps[0]}], schema=schema),
        # One among many: it alone is cut out for the judge.
        pa.Table.from_pylist(
            [{"seq": 30 + n, "identityMap": m} for n, m in enumerate([*others, maps[0]])], schema=schema
        ),
        schema=schema,
    )
    wanted = asked(order({CRM: ("customer-1",), EMAIL: ("ann@X.org", "customer-1")}))
    outcome, evidence = table.erase(wanted, IdentityMap())
    assert left(table) == [1, 2, 3, 5, 6, 7, 8, 9, *range(30, 60)]
    assert outcome.tally.orders[0].rows_by_identity == (4, 1, 0)
    assert outcome.tally.orders[0].rows_matched == 5
    assert evidence.gone, evidence.residues


def test_a_forget_that_is_repeated_answers_the_same(make: Make) -> None:
    table = make(people("ann", "bob"), people("ann", first=10))
    wanted, target = asked(order(CRM, "ann")), table.target()
    plan = table.engine.find(target, wanted).plan
    first = table.engine.forget(target, wanted, plan, Marker("b/1"))
    second = table.engine.forget(target, wanted, plan, Marker("b/1"))
    assert isinstance(first, Forgotten)
    assert isinstance(second, Forgotten)
    assert (first.repeated, second.repeated) == (False, True)
    assert (second.tally, second.plan.hash) == (first.tally, first.plan.hash)
    assert left(table) == [1]


def test_rows_appended_since_the_plan_are_found_too(make: Make) -> None:
    table = make(people("ann", "bob"))
    wanted, target = asked(order(CRM, "ann")), table.target()
    plan = table.engine.find(target, wanted).plan
    table.append(people("cy", "ann", None, first=10))
    outcome = table.engine.forget(target, wanted, plan, Marker("b/1"))
    assert isinstance(outcome, Forgotten)
    assert left(table) == [1, 10, 12]
    assert outcome.tally.orders[0].rows_by_identity == (2,)
    assert outcome.plan.hash != plan.hash


def test_one_marker_does_not_hide_another_bundle(make: Make) -> None:
    table = make(people("ann", "bob", "cy"))
    table.erase(asked(order(CRM, "ann")), marker="b/1")
    table.erase(asked(order(CRM, "bob")), marker="b/2")
    assert left(table) == [2]


def test_verify_fails_while_a_row_is_there(make: Make) -> None:
    table = make(people("ann-annegret", "bob"))
    evidence = table.engine.verify(table.target(), asked(order(CRM, "ann-annegret")))
    assert not evidence.gone
    assert ResidueKind.LIVE_ROW in {residue.kind for residue in evidence.residues}
    assert evidence.rows_examined >= 2


def test_a_drop_leaves_nothing(make: Make) -> None:
    table = make(people("ann", "bob"), people("ann", first=10))
    report = table.engine.drop(table.target(), LATER)
    assert report.clean
    assert table.engine.verify(table.target(), asked(order(CRM, "ann"))).gone
    assert table.engine.drop(table.target(), LATER).clean
    with pytest.raises(TableMissing):
        table.engine.find(table.target(), asked(order(CRM, "ann")))
    outcome = table.engine.forget(table.target(), asked(order(CRM, "ann")), _plan_of_nothing(), Marker("b/1"))
    assert isinstance(outcome, NeverWill)


def _plan_of_nothing() -> Any:
    from lethe.domain.ids import DatasetId
    from lethe.domain.plan import TablePlan

    return TablePlan(DatasetId("ds"), "", [])


def test_a_watcher_sees_every_file(make: Make) -> None:
    table = make(people("ann"), people("bob", first=10), people("cy", first=20))
    seen: list[Progress] = []
    finding = table.engine.find(table.target(), asked(order(CRM, "bob")), watch=seen.append)
    assert [p.files_done for p in seen] == list(range(1, len(finding.plan.files) + 1))
    assert seen[-1].bytes_done == seen[-1].bytes_total > 0


@pytest.mark.parametrize("plug", having(Trait.BYTES), ids=str)
def test_a_column_that_holds_no_identities_is_refused(make: Make) -> None:
    schema = pa.schema([("seq", pa.int64()), ("id", pa.float64())])
    table = make(pa.table({"seq": [1], "id": [1.5]}, schema=schema), schema=schema)
    with pytest.raises(TableRefused):
        table.engine.find(table.target(), asked(order(CRM, "1.5")))


def test_a_purge_may_be_repeated(make: Make) -> None:
    table = make(people("ann", "bob"))
    table.erase(asked(order(CRM, "ann")))
    report = table.engine.purge(table.target(), PurgePolicy(), LATER)
    assert (report.files_removed, report.clean) == (0, True)
    assert left(table) == [1]


def test_the_selector_of_another_namespace_matches_nothing(make: Make) -> None:
    table = make(people("ann"))
    outcome, evidence = table.erase(asked(order(EMAIL, "ann")), BY_ID)
    assert left(table) == [0]
    assert outcome.tally.rows_matched == 0
    assert evidence.gone
