"""The audit trail: who did what, chained so that a changed or missing record shows.

A record's hash covers its content and the hash of the record before it. Records hold ids and counts, never an
identity value.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lethe.domain.ids import OrgId

GENESIS: Final = "0" * 64
"""What the first record is chained to."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """What is to be recorded."""

    org_id: OrgId
    actor: str
    action: str
    """A constant such as `work_order.accepted`."""
    subject: str
    """The id of what was acted on."""
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An event in its place in the chain."""

    sequence: int
    at: datetime
    event: AuditEvent
    previous_hash: str
    hash: str


def chain_hash(sequence: int, at: datetime, event: AuditEvent, previous_hash: str) -> str:
    """SHA-256 (hex) of the record's canonical JSON."""
    content = [
        sequence,
        at.isoformat(timespec="microseconds"),
        event.org_id,
        event.actor,
        event.action,
        event.subject,
        event.details,
        previous_hash,
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def chained(sequence: int, at: datetime, event: AuditEvent, previous_hash: str) -> AuditRecord:
    """The event as the record that follows `previous_hash`."""
    return AuditRecord(sequence, at, event, previous_hash, chain_hash(sequence, at, event, previous_hash))


@dataclass(frozen=True, slots=True)
class ChainBreak:
    """Where a chain stops being whole, and why."""

    sequence: int
    reason: str


def first_break(records: Iterable[AuditRecord], head: tuple[int, str]) -> ChainBreak | None:
    """Walk the chain from its start to `head` (sequence and hash of the last record); None when it is whole."""
    sequence, previous = 0, GENESIS
    for record in records:
        sequence += 1
        if record.sequence != sequence:
            return ChainBreak(sequence, "a record is missing")
        if record.previous_hash != previous:
            return ChainBreak(sequence, "the record does not follow the one before it")
        if record.hash != chain_hash(record.sequence, record.at, record.event, record.previous_hash):
            return ChainBreak(sequence, "the record was changed")
        previous = record.hash
    return _break_at_end((sequence, previous), head)


def _break_at_end(last: tuple[int, str], head: tuple[int, str]) -> ChainBreak | None:
    if last[0] < head[0]:
        return ChainBreak(last[0] + 1, "records at the end are missing")
    if last[0] > head[0]:
        return ChainBreak(head[0] + 1, "the record stands behind the trail's end")
    return None if last == head else ChainBreak(last[0], "the record is not the one that the trail ended with")
