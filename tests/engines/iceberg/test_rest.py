"""The same through a REST catalog, over HTTP, as the settings name one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyiceberg.catalog import load_catalog

from engines.asking import CRM, asked, order
from engines.iceberg.deletes_by_hand import position_delete
from engines.iceberg.faults import Meanwhile
from engines.iceberg.lake import IDENTIFIER, LATER, SCHEMA, Lake, catalog_in, people
from lethe.domain.plan import FileAction
from lethe.engines.iceberg.engine import IcebergEngine
from lethe.engines.interface import Forgotten, Marker, MayHaveHappened, TableMissing, TableUnavailable
from support.iceberg_rest import RestServer, rest_catalog

ANN = "ann-annegret"
WANTED = asked(order(CRM, ANN, "dee-deegret"), order(CRM, "nobody at all", ANN))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RestServer]:
    with rest_catalog(catalog_in(tmp_path)) as server:
        yield server


@pytest.fixture
def made(tmp_path: Path, server: RestServer) -> Lake:
    catalog = load_catalog("lake", type="rest", uri=server.uri)
    catalog.create_table(IDENTIFIER, SCHEMA)
    made = Lake(tmp_path, catalog)
    made.append(people(ANN, "bob", "cy", None))
    made.append(people("eve", "fay", first=10))
    made.append(people(ANN, ANN, first=20))
    return made


def engine_of_the_settings(made: Lake, server: RestServer) -> IcebergEngine:
    """Not a loaded catalog but the properties of one, as an installation has them."""
    engine = made.engine
    return IcebergEngine(
        {"lake": {"type": "rest", "uri": server.uri}},
        open_storage=made.opener,
        executor=made.executor,
        rewriter=made.rewriter,
        verifier=engine._verifier,
        new_name=engine._tools.new_name,
        clock=engine._tools.clock,
    )


def test_the_whole_way(made: Lake, server: RestServer) -> None:
    [first] = [file.path for file in made.plan(WANTED).files if file.rows == 4]
    position_delete(made, [(first, 2)])
    engine = engine_of_the_settings(made, server)
    finding = engine.find(made.target, WANTED)
    actions = sorted((file.rows, file.rows_matched, file.action) for file in finding.plan.files)
    assert actions == [(2, 0, FileAction.KEEP), (2, 2, FileAction.DROP), (3, 1, FileAction.REWRITE)]
    outcome = engine.forget(made.target, WANTED, finding.plan, Marker("b-1/forget"))
    assert isinstance(outcome, Forgotten), outcome
    assert outcome.tally == finding.tally
    assert [one.rows_by_identity for one in finding.tally.orders] == [(3, 0), (0, 3)]
    assert made.rows() == [1, 3, 10, 11]
    assert not engine.verify(made.target, WANTED).gone
    assert made.purge().clean
    evidence = engine.verify(made.target, WANTED)
    assert evidence.gone, evidence.residues
    assert made.rows() == [1, 3, 10, 11]
    assert len(made.table.snapshots()) == 1
    assert {"POST namespaces/tables", "GET namespaces/tables"} <= set(server.asked)

    again = engine.forget(made.target, WANTED, engine.find(made.target, WANTED).plan, Marker("b-1/forget"))
    assert isinstance(again, Forgotten)
    assert again.repeated
    assert again.tally == finding.tally, "the catalog keeps what the purge took from the history"


def test_a_concurrent_append_is_a_conflict_that_is_planned_anew(made: Lake) -> None:
    plan = made.plan(WANTED)
    made.rewriter = Meanwhile(lambda: made.append(people(ANN, "gil", first=30)))
    outcome = made.forget(WANTED, plan)
    assert isinstance(outcome, Forgotten), outcome
    assert outcome.tally is not None
    assert outcome.tally.rows_matched == 4
    assert made.rows() == [1, 2, 3, 10, 11, 31]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_lost_answer_is_looked_up(made: Lake, server: RestServer, status: int) -> None:
    """The commit is carried out, and a gateway answers with an error."""
    answers = iter([status])
    server.after_commit = lambda: next(answers, None)
    outcome = made.forget(WANTED)
    assert isinstance(outcome, Forgotten), outcome
    assert outcome.tally is not None
    assert outcome.tally.rows_matched == 3
    assert made.rows() == [1, 2, 3, 10, 11]
    marked = [s for s in made.table.snapshots() if s.summary is not None and s.summary.get("lethe.marker")]
    assert len(marked) == 1, "it is committed once"
    assert made.purge().clean
    assert made.verify(WANTED).gone


def test_a_catalog_that_is_away_is_unavailable_and_nothing_is_removed(made: Lake, tmp_path: Path) -> None:
    before = made.files()
    with rest_catalog(catalog_in(tmp_path)) as other:
        away = Lake(tmp_path, load_catalog("lake", type="rest", uri=other.uri))
        plan = away.plan(WANTED)
    with pytest.raises(TableUnavailable):
        away.plan(WANTED)
    assert not isinstance(away.forget(WANTED, plan), Forgotten | MayHaveHappened)
    with pytest.raises(TableUnavailable):
        away.purge()
    assert made.files() == before


def test_a_dropped_table_is_gone_from_the_catalog_and_from_the_disk(made: Lake) -> None:
    location, target = made.location, made.target
    assert made.engine.drop(target, LATER).clean
    assert not made.catalog.table_exists(IDENTIFIER)
    assert [path for path in location.rglob("*") if path.suffix == ".parquet"] == []
    with pytest.raises(TableMissing):
        made.engine.find(target, WANTED)
