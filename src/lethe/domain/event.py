"""Events: what whoever asked is told of a work order, an expiration or a webhook.

An event is stored in the transaction that makes what it tells of, so there is none without the other. Its id follows
from the facts: telling twice is telling once. It holds facts, and neither an identity nor a text that a person wrote:
a name or a description may name somebody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from lethe.domain.expiration import Expiration, ExpirationStatus, HistoryStatus
from lethe.domain.ids import BundleId, DatasetId, EventId, OrgId, SandboxName
from lethe.domain.product import Product, ProductProgress
from lethe.domain.work_order import Action, NamedDatasets, Status, WorkOrder


class EventType(StrEnum):
    """What happened, under the name that receivers filter by."""

    WORK_ORDER_RECEIVED = "org.lethe.workorder.received"
    WORK_ORDER_VALIDATED = "org.lethe.workorder.validated"
    WORK_ORDER_SUBMITTED = "org.lethe.workorder.submitted"
    WORK_ORDER_INGESTED = "org.lethe.workorder.ingested"
    WORK_ORDER_COMPLETED = "org.lethe.workorder.completed"
    WORK_ORDER_FAILED = "org.lethe.workorder.failed"
    WORK_ORDER_ALARM = "org.lethe.workorder.alarm"
    """What a completed order erased is back."""
    EXPIRATION_CREATED = "org.lethe.expiration.created"
    EXPIRATION_UPDATED = "org.lethe.expiration.updated"
    EXPIRATION_CANCELLED = "org.lethe.expiration.cancelled"
    EXPIRATION_EXECUTING = "org.lethe.expiration.executing"
    EXPIRATION_RESTORED = "org.lethe.expiration.restored"
    EXPIRATION_COMPLETED = "org.lethe.expiration.completed"
    WEBHOOK_DISABLED = "org.lethe.webhook.disabled"
    """Lethe gave a webhook up."""
    WEBHOOK_PING = "org.lethe.webhook.ping"
    """Somebody tries a webhook; sent to it alone, whatever it asks for."""


def type_of_work_order(status: Status) -> EventType:
    """The event of a work order's becoming this."""
    return EventType(f"org.lethe.workorder.{status.value}")


def type_of_expiration(status: HistoryStatus) -> EventType:
    """The event of this line in an expiration's history."""
    return EventType(f"org.lethe.expiration.{status.value}")


@dataclass(frozen=True, slots=True)
class WorkOrderFacts:
    """A work order as it was when the event happened."""

    bundle_id: BundleId
    action: Action
    dataset_ids: tuple[DatasetId, ...] | None
    """None is all of them."""
    operation_count: int
    target_products: tuple[Product, ...]
    status: str
    created_at: datetime
    updated_at: datetime
    progress: tuple[ProductProgress, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmFacts:
    """A completed work order, and where something of what it erased was found again."""

    work_order: WorkOrderFacts
    product: Product
    dataset_id: DatasetId | None
    """The dataset in which it was found, when it was in the data lake."""
    traces: int


@dataclass(frozen=True, slots=True)
class ExpirationFacts:
    """An expiration as it was when the event happened."""

    dataset_id: DatasetId
    status: ExpirationStatus
    expiry_at: datetime
    updated_at: datetime
    progress: tuple[ProductProgress, ...] = ()


@dataclass(frozen=True, slots=True)
class WebhookFacts:
    """A webhook, and why it was disabled if it was."""

    is_enabled: bool
    reason: str | None = None


Facts = WorkOrderFacts | AlarmFacts | ExpirationFacts | WebhookFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened."""

    event_id: EventId
    type: EventType
    org_id: OrgId
    sandbox_name: SandboxName | None
    """None for what belongs to the whole org."""
    subject_id: UUID
    """The work order, expiration or webhook."""
    sequence: int | None
    """Where a change of status stands among those of its subject; later ones have greater numbers."""
    at: datetime
    facts: Facts


def event_id(subject_id: UUID, type_: EventType, occasion: str) -> EventId:
    """The id of what happened to a subject on this occasion; the same facts give the same id."""
    return EventId(uuid5(NAMESPACE_URL, f"lethe:event:{subject_id}/{type_.value}/{occasion}"))


def work_order_event(order: WorkOrder, products: Sequence[ProductProgress], sequence: int) -> Event:
    """Tell that the order has the status that it has."""
    type_ = type_of_work_order(order.status)
    return Event(
        event_id=event_id(order.work_order_id, type_, str(sequence)),
        type=type_,
        org_id=order.org_id,
        sandbox_name=order.sandbox_name,
        subject_id=order.work_order_id,
        sequence=sequence,
        at=order.updated_at,
        facts=_facts_of(order, products),
    )


def alarm_event(
    order: WorkOrder,
    products: Sequence[ProductProgress],
    *,
    product: Product,
    dataset_id: DatasetId | None,
    traces: int,
    occasion: str,
    at: datetime,
) -> Event:
    """Tell that something of what the order erased is back; `occasion` names the search that found it."""
    place = f"{occasion}/{product.value}/{dataset_id or ''}"
    return Event(
        event_id=event_id(order.work_order_id, EventType.WORK_ORDER_ALARM, place),
        type=EventType.WORK_ORDER_ALARM,
        org_id=order.org_id,
        sandbox_name=order.sandbox_name,
        subject_id=order.work_order_id,
        sequence=None,
        at=at,
        facts=AlarmFacts(_facts_of(order, products), product, dataset_id, traces),
    )


def expiration_event(
    expiration: Expiration, status: HistoryStatus, products: Sequence[ProductProgress], sequence: int
) -> Event:
    """Tell of one line of the expiration's history."""
    type_ = type_of_expiration(status)
    return Event(
        event_id=event_id(expiration.expiration_id, type_, str(sequence)),
        type=type_,
        org_id=expiration.org_id,
        sandbox_name=expiration.sandbox_name,
        subject_id=expiration.expiration_id,
        sequence=sequence,
        at=expiration.updated_at,
        facts=ExpirationFacts(
            expiration.dataset_id, expiration.status, expiration.expiry_at, expiration.updated_at, tuple(products)
        ),
    )


def _facts_of(order: WorkOrder, products: Sequence[ProductProgress]) -> WorkOrderFacts:
    return WorkOrderFacts(
        bundle_id=order.bundle_id,
        action=order.action,
        dataset_ids=order.scope.ids if isinstance(order.scope, NamedDatasets) else None,
        operation_count=order.operation_count,
        target_products=tuple(order.target_products),
        status=order.status.value,
        created_at=order.created_at,
        updated_at=order.updated_at,
        progress=tuple(products),
    )
