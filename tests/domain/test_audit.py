"""The audit chain: whatever is changed, removed, swapped, added or cut off shows, and where it begins to."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from lethe.domain.audit import GENESIS, AuditEvent, AuditRecord, ChainBreak, chained, first_break
from lethe.domain.ids import OrgId
from support.clock import NOON
from support.properties import instants, quickly

words = st.text(max_size=8)
details = st.dictionaries(words, st.none() | st.booleans() | st.integers() | words | st.lists(words), max_size=3)
events = st.builds(AuditEvent, words.map(OrgId), words, words, words, details)


def chain(pairs: list[tuple[datetime, AuditEvent]]) -> list[AuditRecord]:
    records: list[AuditRecord] = []
    for at, event in pairs:
        previous = records[-1].hash if records else GENESIS
        records.append(chained(len(records) + 1, at, event, previous))
    return records


chains = st.lists(st.tuples(instants, events), min_size=1, max_size=8).map(chain)


def head(records: list[AuditRecord]) -> tuple[int, str]:
    return (records[-1].sequence, records[-1].hash) if records else (0, GENESIS)


def test_an_empty_trail_is_whole() -> None:
    assert first_break([], (0, GENESIS)) is None
    assert first_break([], (1, "0" * 64)) == ChainBreak(1, "records at the end are missing")


@quickly
@given(chains)
def test_an_untouched_chain_is_whole(records: list[AuditRecord]) -> None:
    assert first_break(iter(records), head(records)) is None


def flipped(text: str, bit: int) -> str:
    """The text with one bit of one of its characters turned over; still text."""
    position, shift = divmod(bit, 16)
    position %= len(text)
    turned = ord(text[position]) ^ (1 << shift)
    return text[:position] + chr(turned) + text[position + 1 :]


@quickly
@given(chains, st.data())
def test_one_changed_bit_anywhere_is_found_at_its_record(records: list[AuditRecord], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(records) - 1))
    record = records[place]
    changed = data.draw(st.sampled_from(list(tampered(record, data.draw(st.integers(0, 2_000))))))
    assume(changed != record)
    forged = [*records[:place], changed, *records[place + 1 :]]
    found = first_break(forged, head(records))
    assert found is not None
    assert found.sequence == place + 1


def worded(event: AuditEvent, name: str, text: str) -> AuditEvent:
    changed: dict[str, Any] = {name: text}
    return replace(event, **changed)


def tampered(record: AuditRecord, bit: int) -> list[AuditRecord]:
    event = record.event
    texts = {
        "org_id": event.org_id,
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
    }
    changed = [replace(record, event=worded(event, name, flipped(text, bit))) for name, text in texts.items() if text]
    return [
        *changed,
        replace(record, event=replace(event, details={**event.details, "another": bit})),
        replace(record, event=replace(event, details={})),
        replace(record, sequence=record.sequence ^ (1 << bit % 20)),
        replace(record, at=record.at + timedelta(microseconds=1)),
        replace(record, previous_hash=flipped(record.previous_hash, bit)),
        replace(record, hash=flipped(record.hash, bit)),
    ]


@quickly
@given(chains, st.data())
def test_a_removed_record_is_found(records: list[AuditRecord], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(records) - 1))
    found = first_break([*records[:place], *records[place + 1 :]], head(records))
    assert found is not None
    assert found.sequence == place + 1


@quickly
@given(chains, st.data())
def test_records_cut_off_the_end_are_found(records: list[AuditRecord], data: st.DataObject) -> None:
    kept = data.draw(st.integers(0, len(records) - 1))
    assert first_break(records[:kept], head(records)) == ChainBreak(kept + 1, "records at the end are missing")


@quickly
@given(chains, st.data())
def test_two_swapped_records_are_found_at_the_first(records: list[AuditRecord], data: st.DataObject) -> None:
    assume(len(records) > 1)
    one, other = sorted(data.draw(st.sets(st.integers(0, len(records) - 1), min_size=2, max_size=2)))
    swapped = list(records)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    found = first_break(swapped, head(records))
    assert found is not None
    assert found.sequence == one + 1


@quickly
@given(chains, st.data(), instants, events)
def test_an_inserted_record_is_found_even_when_its_own_hash_is_right(
    records: list[AuditRecord], data: st.DataObject, at: datetime, event: AuditEvent
) -> None:
    place = data.draw(st.integers(0, len(records)))
    previous = records[place - 1].hash if place else GENESIS
    forged = chained(place + 1, at, event, previous)
    found = first_break([*records[:place], forged, *records[place:]], head(records))
    assert found is not None
    assert found.sequence == (place + 1 if place == len(records) else place + 2)
    if place == len(records):
        assert found.reason == "the record stands behind the trail's end"


@quickly
@given(chains, st.data(), events)
def test_a_forger_who_chains_again_from_the_change_on_does_not_reach_the_head(
    records: list[AuditRecord], data: st.DataObject, event: AuditEvent
) -> None:
    place = data.draw(st.integers(0, len(records) - 1))
    assume(event != records[place].event)
    pairs = [(record.at, record.event) for record in records]
    pairs[place] = (pairs[place][0], event)
    end = ChainBreak(len(records), "the record is not the one that the trail ended with")
    assert first_break(chain(pairs), head(records)) == end


def test_a_hash_is_the_same_in_every_process_and_version() -> None:
    event = AuditEvent(OrgId("o"), "Ann <a@b> 1", "work_order.accepted", "DI-1", {"identities": 3, "datasets": "ALL"})
    assert chained(1, NOON, event, GENESIS).hash == "5271d56c5720b5750f93799ae5a5b5cb3479cbc14fa969f2849ea8ed31c52c37"
