"""What a worker does with one table, and what is to become of it: find, forget, purge."""

from datetime import timedelta
from pathlib import Path

from engines.faults import Faults
from engines.ordeal.subjects import COUNTS, FILES, HIDDEN, WANTED, Subject, now
from lethe.engines.interface import Forgotten, Marker, PurgePolicy, TableUnavailable

MARKER = Marker("bundle-1/forget")
AT_ONCE = PurgePolicy(writers_grace=timedelta(0))


def erase(subject: Subject, home: Path, faults: Faults) -> str:
    """Once; what became of it, in a word. Faults strike in forget and purge."""
    target = subject.target(home)
    plan = subject.engine(home, Faults()).find(target, WANTED).plan
    engine = subject.engine(home, faults)
    outcome = engine.forget(target, WANTED, plan, MARKER)
    if not isinstance(outcome, Forgotten):
        return type(outcome).__name__
    try:
        report = engine.purge(target, AT_ONCE, now())
    except TableUnavailable:
        return "TableUnavailable"
    return "clean" if report.clean else "not clean"


def erase_to_the_end(subject: Subject, home: Path) -> None:
    """A worker in whose way nothing stands ends it, whatever was there before; with the counts of the first."""
    target, engine = subject.target(home), subject.engine(home, Faults())
    outcome = engine.forget(target, WANTED, engine.find(target, WANTED).plan, MARKER)
    assert isinstance(outcome, Forgotten), outcome
    assert [one.rows_by_identity for one in outcome.tally.orders] == COUNTS
    report = engine.purge(target, AT_ONCE, now())
    assert report.clean, report


def doomed(subject: Subject) -> list[list[int]]:
    """The rows that are to go, file by file."""
    wanted = {text for one in WANTED.orders for _, text in one.identities}
    return [[n for n, who in rows if who in wanted] for rows in FILES.values()]


def survivors(subject: Subject) -> list[int]:
    """The rows that are to stay."""
    gone = {n for rows in doomed(subject) for n in rows} | ({HIDDEN} if subject.hides else set())
    return [n for rows in FILES.values() for n, _ in rows if n not in gone]


def require_readable(subject: Subject, home: Path) -> None:
    """Readers see what was, or what is to be: at once, or where the format has no commits, file by file."""
    seen, stay = subject.rows(home), survivors(subject)
    assert [n for n in seen if n in stay] == stay, "a row was lost, or is there twice"
    rest = [n for n in seen if n not in stay]
    left = [rows for rows in doomed(subject) if rows and rows[0] in rest]
    assert rest == sorted(n for rows in left for n in rows), "a file is seen in part, or a row came back"
    if subject.atomic:
        assert len(left) in {0, len([rows for rows in doomed(subject) if rows])}, "a commit is seen in part"
