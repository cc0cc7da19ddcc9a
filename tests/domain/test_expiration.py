"""Expirations: every status against every transition. An illegal one is no attribute, so it cannot be written."""

from dataclasses import fields
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.domain.errors import ExpiryTooSoon
from lethe.domain.expiration import (
    ACTIVE,
    Cancelled,
    Change,
    Completed,
    Edit,
    Executing,
    Expiration,
    ExpirationStatus,
    Facts,
    HistoryEntry,
    HistoryStatus,
    Pending,
    Trashed,
    create,
    require_lead,
    type_of_status,
)
from lethe.domain.ids import DatasetId, ExpirationId
from support.clock import NOON
from support.properties import quickly
from support.values import ANN, BOB, LEAD, ORG, PROD, a_change

LATER = NOON + timedelta(hours=1)
NEXT_MONTH = NOON + timedelta(days=30)
WINDOW = timedelta(days=7)
TRANSITIONS = {"update", "cancel", "reopen", "begin", "discard", "restore", "complete"}
LEGAL: dict[type[Expiration], dict[str, type[Expiration]]] = {
    Pending: {"update": Pending, "cancel": Cancelled, "begin": Executing, "discard": Trashed},
    Cancelled: {"reopen": Pending},
    Trashed: {"restore": Cancelled},
    Executing: {"complete": Completed},
    Completed: {},
}
NOTED = {
    "update": HistoryStatus.UPDATED,
    "cancel": HistoryStatus.CANCELLED,
    "reopen": HistoryStatus.UPDATED,
    "begin": HistoryStatus.EXECUTING,
    "discard": HistoryStatus.EXECUTING,
    "restore": HistoryStatus.RESTORED,
    "complete": HistoryStatus.COMPLETED,
}


def in_status(status: type[Expiration]) -> Expiration:
    facts = a_change().expiration
    more = {"destroy_at": NOON + WINDOW} if status is Trashed else {}
    return status(**{each.name: getattr(facts, each.name) for each in fields(Facts)}, **more)


def take(expiration: Expiration, transition: str) -> Change:
    asked = {"edit": Edit(NEXT_MONTH), "min_lead": LEAD} if transition in {"update", "reopen"} else {}
    first = [WINDOW] if transition == "discard" else []
    changed: Change = getattr(expiration, transition)(*first, **asked, now=LATER, by=BOB)
    return changed


@pytest.mark.parametrize("transition", sorted(TRANSITIONS))
@pytest.mark.parametrize("status", LEGAL, ids=lambda status: status.__name__)
def test_every_status_has_its_legal_transitions_and_no_other(status: type[Expiration], transition: str) -> None:
    before = in_status(status)
    if transition not in LEGAL[status]:
        assert not hasattr(before, transition)
        return
    change = take(before, transition)
    after = change.expiration
    assert type(after) is LEGAL[status][transition]
    assert (after.updated_at, after.updated_by) == (LATER, BOB)
    assert after.expiry_at == (NEXT_MONTH if transition in {"update", "reopen"} else before.expiry_at)
    kept = {each.name for each in fields(Facts)} - {"updated_at", "updated_by", "expiry_at"}
    assert all(getattr(after, name) == getattr(before, name) for name in kept)
    assert change.entry == HistoryEntry(NOTED[transition], after.expiry_at, LATER, BOB)
    assert before == in_status(status).__class__(**{f.name: getattr(before, f.name) for f in fields(before)})


def test_no_status_has_a_method_beyond_these() -> None:
    for status, transitions in LEGAL.items():
        methods = {name for name in vars(status) if not name.startswith("_") and callable(getattr(status, name))}
        assert methods - {"is_due", "destroy"} == set(transitions)


def test_only_what_is_flagged_is_destroyed_and_then_it_is_no_longer_restored() -> None:
    discarded = take(in_status(Pending), "discard").expiration
    assert isinstance(discarded, Trashed)
    assert discarded.destroy_at == LATER + WINDOW
    destroyed = discarded.destroy()
    assert type(destroyed) is Executing
    assert not hasattr(destroyed, "restore")
    assert [status for status in LEGAL if hasattr(status, "destroy")] == [Trashed]


def test_each_status_has_one_type_and_says_so() -> None:
    assert {status: one.status for status, one in type_of_status.items()} == {each: each for each in ExpirationStatus}
    assert set(type_of_status.values()) == set(LEGAL) - {Trashed}, "which a client sees as executing"
    assert Trashed.status is ExpirationStatus.EXECUTING
    assert {type_of_status[status] for status in ACTIVE} == {Pending, Executing}


def test_creating() -> None:
    change = a_change(edit=Edit(NEXT_MONTH))
    pending = change.expiration
    assert isinstance(pending, Pending)
    assert (pending.display_name, pending.description) == ("", "")
    assert pending.created_at == pending.updated_at == NOON
    assert change.entry == HistoryEntry(HistoryStatus.CREATED, NEXT_MONTH, NOON, ANN)


def test_an_expiration_needs_an_expiry_to_be_created_or_opened_again() -> None:
    with pytest.raises(ValueError, match="needs an expiry"):
        a_change(edit=Edit(display_name="x"))
    cancelled = in_status(Cancelled)
    assert isinstance(cancelled, Cancelled)
    with pytest.raises(ValueError, match="needs an expiry"):
        cancelled.reopen(Edit(display_name="x"), min_lead=LEAD, now=NOON + timedelta(days=60), by=BOB)


texts = st.none() | st.text(max_size=5)


@quickly
@given(st.none() | st.timedeltas(LEAD, timedelta(days=900)), texts, texts)
def test_an_update_changes_what_it_names_and_leaves_the_rest(
    ahead: timedelta | None, display_name: str | None, description: str | None
) -> None:
    before = a_change().expiration
    assert isinstance(before, Pending)
    edit = Edit(None if ahead is None else LATER + ahead, display_name, description)
    after = before.update(edit, min_lead=LEAD, now=LATER, by=BOB).expiration
    for name in ("expiry_at", "display_name", "description"):
        asked = getattr(edit, name)
        assert getattr(after, name) == (getattr(before, name) if asked is None else asked)


@quickly
@given(st.timedeltas(timedelta(days=-2), timedelta(days=4)), st.timedeltas(timedelta(0), timedelta(days=2)))
def test_an_expiry_keeps_the_lead_to_the_microsecond(ahead: timedelta, lead: timedelta) -> None:
    if ahead >= lead:
        require_lead(NOON + ahead, lead, NOON)
        return
    with pytest.raises(ExpiryTooSoon) as refused:
        require_lead(NOON + ahead, lead, NOON)
    assert refused.value.field == "expiry"


@pytest.mark.parametrize("ahead", [LEAD - timedelta(microseconds=1), timedelta(hours=23, minutes=59), timedelta(0)])
def test_the_refused_expiry_says_what_would_be_right(ahead: timedelta) -> None:
    with pytest.raises(ExpiryTooSoon) as refused:
        a_change(edit=Edit(NOON + ahead))
    assert refused.value.detail == (
        "expiry: must be at least 24 hours in the future, at the earliest 2026-03-05T12:00:00Z"
    )


def test_a_lead_that_is_no_round_second_is_answered_with_an_instant_that_is_accepted() -> None:
    now = NOON + timedelta(microseconds=1)
    with pytest.raises(ExpiryTooSoon, match="at the earliest 2026-03-05T12:00:01Z"):
        require_lead(now, LEAD, now)
    require_lead(NOON + LEAD + timedelta(seconds=1), LEAD, now)


def test_it_is_due_from_its_expiry_on() -> None:
    pending = create(
        expiration_id=ExpirationId(a_change().expiration.expiration_id),
        org_id=ORG,
        sandbox_name=PROD,
        dataset_id=DatasetId("ds-1"),
        dataset_name="Events",
        edit=Edit(NEXT_MONTH),
        min_lead=LEAD,
        now=NOON,
        by=ANN,
    ).expiration
    assert isinstance(pending, Pending)
    assert [pending.is_due(NEXT_MONTH + timedelta(microseconds=off)) for off in (-1, 0, 1)] == [False, True, True]
