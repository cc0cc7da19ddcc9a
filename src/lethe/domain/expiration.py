"""Dataset expirations: their statuses, and the only ways from one to another.

    Pending ── begin ───────────────────► Executing ── complete ──► Completed
       │ ▲  └─ discard ──► Trashed ── destroy ──┘
 cancel│ │reopen              │
       ▼ │                    │restore
    Cancelled ◄───────────────┘

A client sees `Trashed` as `executing`: the dataset is flagged, and not destroyed yet.

Each status is a type, and a transition is a method of the type that it leaves: an illegal one cannot be written.
A transition returns a `Change`: the expiration as it is from now on, and the entry of its history.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, TypeVar

from lethe.domain.actor import Author
from lethe.domain.errors import ExpiryTooSoon
from lethe.domain.ids import DatasetId, ExpirationId, OrgId, SandboxName

DISPLAY_NAME_LENGTH_MAX: Final = 255
DESCRIPTION_LENGTH_MAX: Final = 1_000


class ExpirationStatus(StrEnum):
    """The statuses that a client sees."""

    PENDING = "pending"
    EXECUTING = "executing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class HistoryStatus(StrEnum):
    """What a line of the history says happened."""

    CREATED = "created"
    UPDATED = "updated"
    CANCELLED = "cancelled"
    EXECUTING = "executing"
    COMPLETED = "completed"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to an expiration."""

    status: HistoryStatus
    expiry_at: datetime
    at: datetime
    by: Author
    reason: str | None = None
    """What else is to be known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What every expiration has, whatever its status."""

    expiration_id: ExpirationId
    org_id: OrgId
    sandbox_name: SandboxName
    dataset_id: DatasetId
    dataset_name: str
    expiry_at: datetime
    display_name: str
    description: str
    created_at: datetime
    updated_at: datetime
    updated_by: Author


@dataclass(frozen=True, slots=True)
class Edit:
    """What an update asks for; None leaves a thing as it is."""

    expiry_at: datetime | None = None
    display_name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending(Facts):
    """Waiting for its expiry; may still be changed or cancelled."""

    status: ClassVar = ExpirationStatus.PENDING

    def update(self, edit: Edit, *, min_lead: timedelta, now: datetime, by: Author) -> "Change":
        """Change the date, the name or the description. Raises ExpiryTooSoon."""
        if edit.expiry_at is not None:
            require_lead(edit.expiry_at, min_lead, now)
        changed = {
            name: value
            for name, value in (
                ("expiry_at", edit.expiry_at),
                ("display_name", edit.display_name),
                ("description", edit.description),
            )
            if value is not None
        }
        return _change(HistoryStatus.UPDATED, _become(Pending, self, **changed), now, by)

    def cancel(self, *, now: datetime, by: Author) -> "Change":
        """Call the expiration off; the dataset stays."""
        return _change(HistoryStatus.CANCELLED, _become(Cancelled, self), now, by)

    def begin(self, *, now: datetime, by: Author) -> "Change":
        """Start to delete the dataset; from here on nothing calls it back."""
        return _change(HistoryStatus.EXECUTING, _become(Executing, self), now, by)

    def discard(self, window: timedelta, *, now: datetime, by: Author) -> "Change":
        """Flag the dataset, which may be restored until the window has passed."""
        return _change(HistoryStatus.EXECUTING, _become(Trashed, self, destroy_at=now + window), now, by)

    def is_due(self, now: datetime) -> bool:
        """Whether the expiry has come."""
        return self.expiry_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(Facts):
    """Called off; a new expiry opens it again, under the same id."""

    status: ClassVar = ExpirationStatus.CANCELLED

    def reopen(self, edit: Edit, *, min_lead: timedelta, now: datetime, by: Author) -> "Change":
        """Make it pending again. The edit must hold an expiry. Raises ExpiryTooSoon."""
        if edit.expiry_at is None:
            raise ValueError("an expiration needs an expiry to be opened again")
        return _become(Pending, self).update(edit, min_lead=min_lead, now=now, by=by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trashed(Facts):
    """The dataset is flagged, and whole; it may still be restored."""

    status: ClassVar = ExpirationStatus.EXECUTING
    destroy_at: datetime
    """When its destruction begins."""

    def restore(self, *, now: datetime, by: Author) -> "Change":
        """Keep the dataset after all: the expiration is cancelled."""
        return _change(HistoryStatus.RESTORED, _become(Cancelled, self), now, by)

    def destroy(self) -> "Executing":
        """Begin to destroy the dataset; from here on nothing calls it back."""
        return _become(Executing, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executing(Facts):
    """The dataset is being deleted."""

    status: ClassVar = ExpirationStatus.EXECUTING

    def complete(self, *, now: datetime, by: Author, reason: str | None = None) -> "Change":
        """The dataset is gone; `reason` says so where nobody here deleted it."""
        return _change(HistoryStatus.COMPLETED, _become(Completed, self), now, by, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed(Facts):
    """The dataset is gone."""

    status: ClassVar = ExpirationStatus.COMPLETED


type_of_status: Final[
    Mapping[ExpirationStatus, type[Pending] | type[Cancelled] | type[Executing] | type[Completed]]
] = {
    ExpirationStatus.PENDING: Pending,
    ExpirationStatus.CANCELLED: Cancelled,
    ExpirationStatus.EXECUTING: Executing,
    ExpirationStatus.COMPLETED: Completed,
}

Expiration = Pending | Cancelled | Trashed | Executing | Completed
ACTIVE: Final = (ExpirationStatus.PENDING, ExpirationStatus.EXECUTING)
"""The statuses that count against the quota, and of which a dataset has at most one."""


@dataclass(frozen=True, slots=True)
class Change:
    """A transition: what the expiration is from now on, and the line that its history gains."""

    expiration: Expiration
    entry: HistoryEntry


def create(
    *,
    expiration_id: ExpirationId,
    org_id: OrgId,
    sandbox_name: SandboxName,
    dataset_id: DatasetId,
    dataset_name: str,
    edit: Edit,
    min_lead: timedelta,
    now: datetime,
    by: Author,
) -> Change:
    """A new pending expiration. The edit must hold an expiry. Raises ExpiryTooSoon."""
    if edit.expiry_at is None:
        raise ValueError("a new expiration needs an expiry")
    require_lead(edit.expiry_at, min_lead, now)
    pending = Pending(
        expiration_id=expiration_id,
        org_id=org_id,
        sandbox_name=sandbox_name,
        dataset_id=dataset_id,
        dataset_name=dataset_name,
        expiry_at=edit.expiry_at,
        display_name=edit.display_name or "",
        description=edit.description or "",
        created_at=now,
        updated_at=now,
        updated_by=by,
    )
    return Change(pending, HistoryEntry(HistoryStatus.CREATED, pending.expiry_at, now, by))


def require_lead(expiry_at: datetime, min_lead: timedelta, now: datetime) -> None:
    """Refuse an expiry nearer than the lead: it is the time in which a mistake can be called back."""
    earliest = now + min_lead
    if expiry_at < earliest:
        hours = min_lead / timedelta(hours=1)
        # Shown to the second, rounded up: an expiry at the instant that the message names is accepted.
        earliest += timedelta(microseconds=-earliest.microsecond % 1_000_000)
        raise ExpiryTooSoon(
            f"must be at least {hours:g} hours in the future, at the earliest {earliest:%Y-%m-%dT%H:%M:%SZ}",
            field="expiry",
        )


_Status = TypeVar("_Status", Pending, Cancelled, Trashed, Executing, Completed)


def _become(status: type[_Status], before: Facts, **changed: object) -> _Status:
    return status(**{f.name: getattr(before, f.name) for f in fields(Facts)} | changed)


def _change(entry: HistoryStatus, after: _Status, now: datetime, by: Author, reason: str | None = None) -> Change:
    changed = replace(after, updated_at=now, updated_by=by)
    return Change(changed, HistoryEntry(entry, changed.expiry_at, now, by, reason))
