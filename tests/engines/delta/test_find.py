"""Finding: which files go, stay or change, and which are not even opened."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engines.asking import CRM, EMAIL, asked, found_each, order
from engines.delta.lake import (
    adds,
    commit,
    engine,
    hide,
    inline_vector,
    metadata,
    people,
    protocol,
    target,
    wrapped,
    write,
)
from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.plan import FileAction, TablePlan
from lethe.engines.interface import Finding, IdentityMap, Selector, TableMissing, TableRefused, TableUnavailable, Wanted
from lethe.engines.storage.interface import StorageFailed

KEEP, REWRITE, DROP = FileAction.KEEP, FileAction.REWRITE, FileAction.DROP


def find(root: Path, wanted: Wanted, selector: Selector | None = None) -> tuple[Finding, list[str]]:
    """What is found, and the data files that were opened for it."""
    opened: list[str] = []

    def note(call: str, path: str) -> None:
        if call == "open" and not path.startswith("_delta_log"):
            opened.append(path)

    return engine(wrapped(before=note)).find(target(root, *([selector] if selector else [])), wanted), opened


def fates(plan: TablePlan, root: Path) -> list[FileAction]:
    """In the order in which the files were added."""
    by_path = {file.path: file.action for file in plan.files}
    return [by_path[add["path"]] for add in adds(root)]


def test_only_files_whose_bounds_admit_a_match_are_opened(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob"), people("dan", "eve"), people("eve"), people(None, None), people("bz"))
    found, opened = find(root, asked(order(CRM, "eve", "nobody"), order(CRM, "bob")))
    assert fates(found.plan, root) == [REWRITE, REWRITE, DROP, KEEP, KEEP]
    assert opened == [add["path"] for add in adds(root)[:3]]
    assert [(t.rows_matched, t.rows_by_identity) for t in found.tally.orders] == [(2, (2, 0)), (1, (1,))]
    assert found.plan.snapshot == "4"
    assert [f.rows for f in found.plan.files] == [f.rows for f in find(root, asked(order(CRM, "x")))[0].plan.files]
    assert "nobody" not in repr(found)


def test_a_cut_upper_bound_proves_nothing(tmp_path: Path) -> None:
    root = write(tmp_path, people("annabel", "bobby tables"))
    add = adds(root)[0]
    commit(root, 1, {"add": add | {"stats": add["stats"].replace("bobby tables", "bobby")}})
    assert find(root, asked(order(CRM, "bobby tables")))[0].plan.rows_matched == 1
    assert find(root, asked(order(CRM, "bobcat")))[1] == []


def test_bounds_do_not_speak_for_case_insensitive_ids_or_files_with_hidden_rows(tmp_path: Path) -> None:
    root = write(tmp_path, people("Ann", "BOB"))
    assert find(root, asked(order(EMAIL, "ann", "bob")), PrimaryIdentity(("id",), "email"))[0].plan.rows_matched == 2
    add = adds(root)[0]
    hide(root, 1, add | {"stats": add["stats"].replace("BOB", "Ann")}, inline_vector(1))
    found, opened = find(root, asked(order(CRM, "BOB")))
    assert len(opened) == 2
    (file,) = found.plan.files
    assert (file.action, file.rows, file.rows_matched) == (REWRITE, 1, 0)
    assert "deleted before" in file.reason


def test_hidden_rows_count_for_nobody(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob", "ann", "cy"), people("ann", "bob"), people("ann"))
    first, second, third = adds(root)
    hide(root, 3, third, inline_vector(0))
    hide(root, 4, second, inline_vector(1))
    hide(root, 5, first, inline_vector(0, 3))
    found, _ = find(root, asked(order(CRM, "ann")))
    facts = {file.path: (file.action, file.rows, file.rows_matched) for file in found.plan.files}
    assert [facts[add["path"]] for add in (first, second, third)] == [(REWRITE, 2, 1), (DROP, 1, 1), (DROP, 0, 0)]
    assert found.tally.orders[0].rows_by_identity == (2,)
    hide(root, 6, adds(root)[-1] | {"deletionVector": inline_vector(0, 3)}, inline_vector(0, 9))
    with pytest.raises(TableRefused, match="does not have"):
        find(root, asked(order(CRM, "ann")))


def test_golden_rows_of_an_identity_map(tmp_path: Path) -> None:
    """Inside: primary, of the namespace. Outside: not primary, another namespace, another case, null."""
    entry = pa.list_(pa.struct([("id", pa.string()), ("primary", pa.bool_())]))
    maps: list[Any] = [
        [("CRM", [{"id": "ann", "primary": True}])],
        [("crm", [{"id": "bob", "primary": True}, {"id": "ann", "primary": True}])],
        [("CRM", [{"id": "ann", "primary": False}])],
        [("Email", [{"id": "ann", "primary": True}])],
        [("CRM", [{"id": "Ann", "primary": True}, {"id": None, "primary": True}, {"id": "ann", "primary": None}])],
        [("CRM", None)],
        [],
        None,
    ]
    column = pa.array(maps, pa.map_(pa.string(), entry))
    root = write(tmp_path, pa.table({"identityMap": column, "n": list(range(8))}))
    found, _ = find(root, asked(order(CRM, "ann", "bob")), IdentityMap())
    assert found.tally.orders[0].rows_matched == 2
    assert found.tally.orders[0].rows_by_identity == (2, 1)


def test_an_added_column_is_missing_in_older_files(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann").drop_columns(["id"]))
    write(root, people("ann", "bob"), schema_mode="merge")
    found, _ = find(root, asked(order(CRM, "ann")))
    assert fates(found.plan, root) == [KEEP, REWRITE]


def test_nested_identities_and_dotted_names(tmp_path: Path) -> None:
    who = pa.array(
        [{"e.mail": "ann", "x": 1}, {"e.mail": None, "x": 2}, None],
        pa.struct([("e.mail", pa.string()), ("x", pa.int8())]),
    )
    root = write(tmp_path, pa.table({"who": who, "who.e.mail": ["bob", "ann", "ann"], "n": [0, 1, 2]}))
    assert find(root, asked(order(CRM, "ann")), PrimaryIdentity(("who", "e.mail"), "CRM"))[0].plan.rows_matched == 1
    assert find(root, asked(order(CRM, "ann")), PrimaryIdentity(("who.e.mail",), "CRM"))[0].plan.rows_matched == 2


# The identity as a partition column

NULL = "__HIVE_DEFAULT_PARTITION__"


def test_a_partition_identity_is_decided_by_metadata_alone(tmp_path: Path) -> None:
    table = people("a/b %ü", "bob", None, "", NULL, "a%2Fb", "bob")
    root = write(tmp_path, table, people("bob", first=10), partition_by=["id"])
    found, opened = find(root, asked(order(CRM, "bob", "zoe"), order(CRM, "a/b %ü", NULL)))
    assert opened == []
    assert {file.action for file in found.plan.touched} == {DROP}
    assert [t.rows_by_identity for t in found.tally.orders] == [(3, 0), (1, 0)]
    assert found.plan.rows_matched == 4
    for text in ("bob", "ü", "%C3"):
        assert text not in repr(found)


def test_partition_identities_of_other_types(tmp_path: Path) -> None:
    numbers = pa.table({"id": pa.array([7, 8, None], pa.int32()), "n": [0, 1, 2]})
    root = write(tmp_path / "integer", numbers, partition_by=["id"])
    assert find(root, asked(order(CRM, "7", "08")))[0].tally.orders[0].rows_by_identity == (1, 0)
    prices = pa.table({"id": pa.array([Decimal("1.50"), None], pa.decimal128(5, 2)), "n": [0, 1]})
    root = write(tmp_path / "decimal", prices, partition_by=["id"])
    assert find(root, asked(order(CRM, "1.5")))[0].plan.rows_matched == 1
    flags = pa.table({"id": [True, None], "n": [0, 1]})
    root = write(tmp_path / "flag", flags, partition_by=["id"])
    with pytest.raises(TableRefused, match="cannot hold identities"):
        find(root, asked(order(CRM, "true")))


def test_a_partition_without_statistics_is_counted_by_its_footer(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "ann", "ann"), partition_by=["id"])
    add = {key: value for key, value in adds(root)[0].items() if key != "stats"}
    hide(root, 1, add, inline_vector(1))
    found, opened = find(root, asked(order(CRM, "ann")))
    assert len(opened) == 1
    assert found.plan.rows_matched == 2


# What cannot be read


def test_missing_and_failing_tables(tmp_path: Path) -> None:
    wanted = asked(order(CRM, "ann"))
    with pytest.raises(TableMissing):
        find(tmp_path / "nothing", wanted)
    root = write(tmp_path / "t", people("ann"))
    (root / adds(root)[0]["path"]).unlink()
    with pytest.raises(TableUnavailable, match="does not exist"):
        find(root, wanted)

    def fail(call: str, path: str) -> None:
        raise StorageFailed("list: no answer")

    with pytest.raises(TableUnavailable, match="no answer"):
        engine(wrapped(before=fail)).find(target(root), wanted)


def test_orders_that_are_found_together_share_no_hidden_rows(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob", "cy"), people("dan", "dan"))
    first, second = adds(root)
    commit(root, 2, protocol("deletionVectors"), metadata(root, delta__enableDeletionVectors="true"))
    hide(root, 3, first, inline_vector(1))
    hide(root, 4, second, inline_vector(0, 1))
    findings = found_each(
        engine(), target(root), order(CRM, "ann"), order(CRM, "bob"), order(CRM, "dan"), order(CRM, "ann", "cy")
    )
    assert [each.tally.rows_matched for each in findings] == [1, 0, 0, 2]
    assert [fates(each.plan, root)[:2] for each in findings] == [[REWRITE, KEEP]] * 2 + [[KEEP, DROP], [DROP, KEEP]]
    assert "deleted before" in findings[1].plan.touched[0].reason
    assert "deleted before" not in findings[0].plan.touched[0].reason


def test_orders_that_are_found_together_in_partitions(tmp_path: Path) -> None:
    root = write(tmp_path, people("ann", "bob"), people("bob", "cy"), partition_by=["id"])
    findings = found_each(engine(), target(root), order(CRM, "ann"), order(CRM, "bob", "cy"), order(CRM, "x"))
    assert [each.tally.orders[0].rows_by_identity for each in findings] == [(1,), (2, 1), (0,)]
    assert [each.plan.touched[0].reason for each in findings[:2]] == ["its partition matches"] * 2
