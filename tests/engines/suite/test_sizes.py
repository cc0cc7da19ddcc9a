"""Tables of one file, of a thousand, and of many partitions, whose values no path likes."""

import pyarrow as pa
import pytest

from engines.asking import CRM, asked, order
from engines.plug import Trait
from engines.plugs import having
from engines.suite.conftest import Make
from engines.suite.rows import left, people

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN, "bea-beatrice"))
SMALL = pa.schema([("seq", pa.int64()), ("id", pa.string())])


def small(first: int, *ids: str | None) -> pa.Table:
    return pa.table([[first + n for n in range(len(ids))], list(ids)], schema=SMALL)


@pytest.mark.parametrize("plug", having(), ids=str)
@pytest.mark.parametrize("count", [1, 1_000])
def test_few_and_many_files(make: Make, count: int) -> None:
    """Of the last file all rows go, of some in between one goes."""
    table = make(small(0, ANN, "zoe", None), schema=SMALL)
    others = [small(10 * n, ANN if n % 250 == 0 else "cy", f"person-{n}") for n in range(1, count - 1)]
    if count > 1:
        table.append(*others, small(10 * count, ANN, "bea-beatrice"))
    outcome, evidence = table.erase(WANTED)
    assert outcome.tally is not None
    expected = [1, 2, *(10 * n + m for n in range(1, count - 1) for m in (0, 1) if m or n % 250)]
    assert left(table) == expected
    assert outcome.tally.orders[0].rows_by_identity == ((1, 0) if count == 1 else (5, 1))
    assert evidence.gone, evidence.residues


PLACES = [*(f"place {n}" for n in range(50)), "ü/ %=\"'", "%2F", "a=b", "日本", "..", "x" * 60, ".", "", "_p", None]


@pytest.mark.parametrize("plug", having(Trait.PARTITIONS), ids=str)
def test_many_partitions(make: Make) -> None:
    """Of every third partition one row goes, of every fifth all rows."""
    ids = [
        (ANN, ANN) if n % 5 == 0 else (ANN, f"person-{n}") if n % 3 == 0 else ("zoe", None) for n in range(len(PLACES))
    ]
    rows = [
        {"seq": 10 * n + m, "id": who, "platz ü": place}
        for n, place in enumerate(PLACES)
        for m, who in enumerate(ids[n])
    ]
    schema = SMALL.append(pa.field("platz ü", pa.string()))
    table = make(pa.Table.from_pylist(rows, schema=schema), schema=schema, partition_by=("platz ü",))
    before = {row["seq"]: row for row in table.rows()}
    assert len(before) == 2 * len(PLACES)
    outcome, evidence = table.erase(WANTED)
    survivors = [row["seq"] for row in rows if row["id"] != ANN]
    assert table.rows() == [before[seq] for seq in survivors]
    assert outcome.tally is not None
    assert outcome.tally.rows_matched == len(rows) - len(survivors)
    assert evidence.gone, evidence.residues


@pytest.mark.parametrize("plug", having(Trait.PARTITIONS), ids=str)
def test_partitions_by_the_identity_itself(make: Make) -> None:
    """Then the person is named by paths and metadata alone."""
    table = make(people(ANN, "bob", None, ANN, f"{ANN}."), people("ü/ %=\"'", ANN, first=10), partition_by=("id",))
    outcome, evidence = table.erase(asked(order(CRM, ANN, "ü/ %=\"'")))
    assert left(table) == [1, 2, 4]
    assert outcome.tally is not None
    assert outcome.tally.orders[0].rows_by_identity == (3, 1)
    assert evidence.gone, evidence.residues


@pytest.mark.parametrize("plug", having(Trait.PARTITIONS), ids=str)
def test_all_partitions_by_the_identity_go(make: Make) -> None:
    """What is left of the table for its schema's sake names nobody."""
    table = make(people(ANN, "bea-beatrice", ANN), partition_by=("id",))
    outcome, evidence = table.erase(WANTED)
    assert left(table) == []
    assert outcome.tally is not None
    assert outcome.tally.orders[0].rows_by_identity == (2, 1)
    assert evidence.gone, evidence.residues
