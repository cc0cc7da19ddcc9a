"""The tables of events: what happened, whom it is told, and what services told us. They stand beside `schema`'s."""

from typing import Final

import sqlalchemy as sa

from lethe.domain.addresses import URL_LENGTH_MAX
from lethe.domain.event import EventType
from lethe.domain.product import Product
from lethe.domain.webhook import DeliveryState
from lethe.storage.columns import NUMBER, at_least, at_most, instant, one_of, text
from lethe.storage.schema import metadata

events: Final = sa.Table(
    "events",
    metadata,
    # Grows within a subject, whose row is locked by whoever writes an event of it.
    sa.Column("position", NUMBER, sa.Identity(), primary_key=True),
    sa.Column("event_id", sa.Uuid(), nullable=False, unique=True),
    text("type"),
    text("org_id"),
    text("sandbox_name", nullable=True),
    sa.Column("subject_id", sa.Uuid(), nullable=False),
    sa.Column("sequence", sa.Integer()),
    instant("at"),
    text("facts"),
    one_of("type", *EventType),
)
sa.Index("events_by_at", events.c.at)

webhooks: Final = sa.Table(
    "webhooks",
    metadata,
    sa.Column("webhook_id", sa.Uuid(), primary_key=True),
    text("org_id"),
    text("url"),
    text("description"),
    sa.Column("types", sa.JSON(), nullable=False),
    text("sandbox_name", nullable=True),
    sa.Column("is_enabled", sa.Boolean(), nullable=False),
    instant("created_at"),
    text("created_by"),
    instant("updated_at"),
    text("updated_by"),
    instant("failing_since", nullable=True),
    text("disabled_reason", nullable=True),
    text("key_id"),
    sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
    text("previous_key_id", nullable=True),
    sa.Column("previous_sealed_secret", sa.LargeBinary()),
    instant("previous_until", nullable=True),
    sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
    instant("paused_until"),
    instant("served_at"),
    sa.Column("token", sa.BigInteger(), nullable=False, server_default="0"),
    text("lease_owner", nullable=True),
    instant("lease_until", nullable=True),
    at_most("url", URL_LENGTH_MAX),
    at_most("description", 1_000),
    at_least("failures", 0),
    sa.CheckConstraint(
        "(previous_sealed_secret IS NULL) = (previous_key_id IS NULL) "
        "AND (previous_sealed_secret IS NULL) = (previous_until IS NULL)",
        name="whole",
    ),
)
sa.Index("webhooks_by_org", webhooks.c.org_id, webhooks.c.created_at, webhooks.c.webhook_id)

deliveries: Final = sa.Table(
    "deliveries",
    metadata,
    sa.Column("delivery_id", sa.Uuid(), primary_key=True),
    # No reference to the webhook: its removal must never stand in the way of an order's change.
    sa.Column("webhook_id", sa.Uuid(), nullable=False),
    sa.Column("position", NUMBER, sa.ForeignKey("events.position"), nullable=False),
    sa.Column("subject_id", sa.Uuid(), nullable=False),
    text("state"),
    sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
    instant("created_at"),
    instant("due_at"),
    instant("attempted_at", nullable=True),
    sa.Column("response_status", sa.Integer()),
    sa.Column("duration_ms", sa.Integer()),
    text("reason", nullable=True),
    one_of("state", *DeliveryState),
    at_least("attempts", 0),
)
_is_pending = deliveries.c.state == DeliveryState.PENDING
sa.Index("deliveries_by_position", deliveries.c.position)
sa.Index("deliveries_by_webhook", deliveries.c.webhook_id, deliveries.c.position, deliveries.c.state)
sa.Index(
    "deliveries_pending",
    deliveries.c.webhook_id,
    deliveries.c.position,
    deliveries.c.due_at,
    sqlite_where=_is_pending,
    postgresql_where=_is_pending,
)
sa.Index(
    "deliveries_pending_by_subject",
    deliveries.c.webhook_id,
    deliveries.c.subject_id,
    deliveries.c.position,
    sqlite_where=_is_pending,
    postgresql_where=_is_pending,
)

callback_messages: Final = sa.Table(
    "callback_messages",
    metadata,
    text("product", primary_key=True),
    # A service may choose an id that is long, or that speaks of a person: its SHA-256 is neither.
    sa.Column("message_digest", sa.LargeBinary(), primary_key=True),
    instant("expires_at"),
    one_of("product", *Product),
)
sa.Index("callback_messages_by_expires_at", callback_messages.c.expires_at)
