"""Columns that come, go and change their names while old files stay as they are."""

import pyarrow as pa
import pytest

from engines.asking import CRM, asked, order
from engines.plug import BY_ID, Trait
from engines.plugs import having
from engines.suite.conftest import Make
from engines.suite.rows import left, people
from lethe.domain.dataset import PrimaryIdentity

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN))


@pytest.mark.parametrize("plug", having(), ids=str)
def test_files_of_different_age_lack_or_have_columns(make: Make) -> None:
    older = people(ANN, "bob").select(["seq", "note"])
    newer = people(ANN, "bob", first=10).append_column("added", pa.array(["x", "y"]))
    table = make(people(ANN, "cy", first=20), older, newer)
    before = {row["seq"]: row for row in table.rows()}
    outcome, evidence = table.erase(WANTED)
    assert left(table) == [0, 1, 11, 21]
    assert table.rows() == [before[seq] for seq in left(table)]
    assert outcome.tally is not None
    assert outcome.tally.rows_matched == 2
    assert evidence.gone, evidence.residues


@pytest.mark.parametrize("plug", having(), ids=str)
def test_the_identity_s_column_is_added(make: Make) -> None:
    """Rows of files that are older than the column name nobody."""
    table = make(people(ANN, "bob").select(["seq", "note"]))
    table.append(people(ANN, "cy", first=10).select(["seq", "id", "note"]))
    table.append(people("dee", None, first=20).select(["seq", "id", "note"]))
    _, evidence = table.erase(WANTED)
    assert left(table) == [0, 1, 11, 20, 21]
    assert evidence.gone, evidence.residues


@pytest.mark.parametrize("plug", having(Trait.DROPS), ids=str)
def test_a_column_that_was_dropped_stays_in_the_files_of_the_others(make: Make) -> None:
    table = make(people(ANN, "bob", None, notes={1: "of a table that knew notes"}), people("cy", first=10))
    files = table.schema()
    table.drop_column("note")
    table.append(people(ANN, "dee", first=20).drop_columns(["note"]))
    assert all("note" not in row for row in table.rows())
    outcome, evidence = table.erase(WANTED)
    assert left(table) == [1, 2, 10, 21]
    assert outcome.tally is not None
    assert outcome.tally.orders[0].rows_by_identity == (2,)
    assert evidence.gone, evidence.residues
    assert files < table.schema(), "the files keep the columns that they were written with"


@pytest.mark.parametrize("plug", having(Trait.RENAMES), ids=str)
def test_an_identity_is_found_under_the_name_that_its_column_has_now(make: Make) -> None:
    table = make(people(ANN, "bob", None), people("cy", first=10))
    table.rename_column("id", "the person's")
    newer = people(ANN, "dee", first=20)
    table.append(newer.rename_columns(["the person's" if n == "id" else n for n in newer.column_names]))
    outcome, evidence = table.erase(WANTED, PrimaryIdentity(("the person's",), "CRM"))
    assert left(table) == [1, 2, 10, 21]
    assert outcome.tally is not None
    assert outcome.tally.orders[0].rows_by_identity == (2,)
    assert evidence.gone, evidence.residues


@pytest.mark.parametrize("plug", having(Trait.RENAMES), ids=str)
def test_a_name_that_another_column_bore_before_names_nobody_of_then(make: Make) -> None:
    """Old files have a column of that name, which the table calls otherwise; the new column is not in them."""
    table = make(people(ANN, "bob"), people("cy", first=10))
    table.rename_column("id", "former")
    table.append(people(ANN, "dee", first=20))
    before = {row["seq"]: row for row in table.rows()}
    assert (before[0]["former"], before[0]["id"], before[20]["id"]) == (ANN, None, ANN)
    outcome, evidence = table.erase(WANTED, BY_ID)
    assert left(table) == [0, 1, 10, 21]
    assert table.rows() == [before[seq] for seq in left(table)]
    assert outcome.tally is not None
    assert outcome.tally.orders[0].rows_by_identity == (1,)
    assert evidence.gone, evidence.residues


NAMES = ["größe", "a.b", "a b", "%41", "'", '"', "`", "日本", "x=1", "Id"]


@pytest.mark.parametrize("plug", having(), ids=str)
@pytest.mark.parametrize("name", ["e.mail 'ü\" `=%2F`", "日本語.の", "a,b;c{d}(e)"])
def test_names_of_columns_that_need_quoting_everywhere(make: Make, name: str) -> None:
    schema = pa.schema([("seq", pa.int64()), (name, pa.string()), *((f"{n}·", pa.string()) for n in NAMES)])
    rows = [
        {"seq": n, name: value} | {f"{other}·": f"{other} of {n}" for other in NAMES}
        for n, value in enumerate([ANN, "bob", None, ANN, f"{ANN}."])
    ]
    table = make(pa.Table.from_pylist(rows, schema=schema), schema=schema)
    before = {row["seq"]: row for row in table.rows()}
    _, evidence = table.erase(WANTED, PrimaryIdentity((name,), "CRM"))
    assert table.rows() == [before[seq] for seq in (1, 2, 4)]
    assert evidence.gone, evidence.residues
