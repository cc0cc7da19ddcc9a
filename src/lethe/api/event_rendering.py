"""From an event to the message that a webhook is sent. The same event is always the same message."""

from typing import Final, assert_never
from uuid import UUID

from lethe.api.resource import ROOT
from lethe.api.ttl_rendering import product_statuses
from lethe.contract.events import (
    CloudEventOut,
    ExpirationEventData,
    FoundAgainOut,
    WebhookEventData,
    WorkOrderEventData,
)
from lethe.contract.spelling import (
    ACTION_OUT,
    ALL_DATASETS,
    PRODUCT_NAME,
    bundle_id_out,
    expiration_id_out,
    webhook_id_out,
    work_order_id_out,
)
from lethe.contract.times import format_instant
from lethe.domain.event import AlarmFacts, Event, EventType, ExpirationFacts, WebhookFacts, WorkOrderFacts

_SEQUENCE_DIGITS: Final = 10


def event_json(event: Event) -> bytes:
    """The message, as UTF-8 JSON."""
    return event_out(event).to_json()


def event_out(event: Event) -> CloudEventOut:
    """Render one event."""
    return CloudEventOut(
        id=str(event.event_id),
        source=ROOT,
        type=event.type.value,
        subject=subject_out(event.type, event.subject_id),
        time=format_instant(event.at),
        # Padded, so that it orders as text too.
        sequence=None if event.sequence is None else f"{event.sequence:0{_SEQUENCE_DIGITS}}",
        data=_data(event),
    )


def subject_out(type_: EventType, subject_id: UUID) -> str:
    """The id of what an event of this type tells of, as the API has it."""
    if type_.startswith("org.lethe.workorder."):
        return work_order_id_out(subject_id)
    return expiration_id_out(subject_id) if type_.startswith("org.lethe.expiration.") else webhook_id_out(subject_id)


def _data(event: Event) -> WorkOrderEventData | ExpirationEventData | WebhookEventData:
    match event.facts:
        case WorkOrderFacts() as facts:
            return _work_order_data(event, facts, None)
        case AlarmFacts() as alarm:
            found = FoundAgainOut(
                product_name=PRODUCT_NAME[alarm.product], dataset_id=alarm.dataset_id, traces=alarm.traces
            )
            return _work_order_data(event, alarm.work_order, found)
        case ExpirationFacts() as facts:
            return ExpirationEventData(
                ttl_id=expiration_id_out(event.subject_id),
                ims_org=event.org_id,
                sandbox_name=event.sandbox_name or "",
                dataset_id=facts.dataset_id,
                status=facts.status.value,
                expiry=format_instant(facts.expiry_at),
                updated_at=format_instant(facts.updated_at),
                product_status_details=product_statuses(facts.progress) if facts.progress else None,
            )
        case WebhookFacts() as facts:
            return WebhookEventData(
                webhook_id=webhook_id_out(event.subject_id),
                org_id=event.org_id,
                enabled=facts.is_enabled,
                disabled_reason=facts.reason,
            )
        case unreachable:
            assert_never(unreachable)


def _work_order_data(event: Event, facts: WorkOrderFacts, found: FoundAgainOut | None) -> WorkOrderEventData:
    return WorkOrderEventData(
        workorder_id=work_order_id_out(event.subject_id),
        org_id=event.org_id,
        sandbox_name=event.sandbox_name or "",
        bundle_id=bundle_id_out(facts.bundle_id),
        action=ACTION_OUT[facts.action],
        dataset_id=ALL_DATASETS if facts.dataset_ids is None else ",".join(facts.dataset_ids),
        operation_count=facts.operation_count,
        target_services=[product.value for product in facts.target_products],
        status=facts.status,
        created_at=format_instant(facts.created_at),
        updated_at=format_instant(facts.updated_at),
        product_status_details=product_statuses(facts.progress) if facts.progress else None,
        found_again=found,
    )
