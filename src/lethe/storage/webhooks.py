"""Webhooks, their secrets, and who delivers to them.

A claim is of a webhook, not of a delivery: one sender at a time delivers to it, so that the order of its deliveries is
kept and a slow one holds up nobody else. As with tasks, what a sender records is recorded only under the newest token.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from lethe.domain.ids import OrgId, WebhookId
from lethe.domain.webhook import Webhook
from lethe.storage.deliveries import IS_SENDABLE
from lethe.storage.event_interface import WebhookClaim
from lethe.storage.event_schema import deliveries, webhooks
from lethe.storage.session import Row, Session
from lethe.storage.webhook_rows import values_of, webhook_of
from lethe.storage.webhook_secrets import opened, sealed
from lethe.storage.work_interface import StaleClaim

_TAKEN: Final[dict[str, Any]] = {"token": webhooks.c.token + 1, "lease_owner": None, "lease_until": None}
"""Ends a claim: whoever holds it records nothing more, and delivers no more to what is not so any longer."""


class SqlWebhooks:
    """Implements `event_interface.ClaimableWebhooks`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, webhook: Webhook, secret: str) -> None:
        """Keep a new one; its secret is encrypted."""
        now = self._session.now
        values = values_of(webhook) | self._sealed(webhook.webhook_id, secret)
        self._session.run(webhooks.insert().values(values | {"paused_until": now, "served_at": now}))

    def find(self, org_id: OrgId, webhook_id: WebhookId) -> Webhook | None:
        """The webhook. In a writing transaction its row is locked."""
        query = sa.select(webhooks).where(webhooks.c.org_id == org_id, webhooks.c.webhook_id == webhook_id)
        row = self._session.row(self._session.locked(query))
        return None if row is None else webhook_of(row)

    def all(self, org_id: OrgId) -> Sequence[Webhook]:
        """The org's webhooks, the oldest first. A writing transaction that asks makes the next one wait for its end."""
        self._session.lock("webhooks", org_id)
        query = sa.select(webhooks).where(webhooks.c.org_id == org_id)
        rows = self._session.rows(query.order_by(webhooks.c.created_at, webhooks.c.webhook_id))
        return [webhook_of(row) for row in rows]

    def save(self, webhook: Webhook) -> None:
        """Update it, and take it from whoever delivers to it now; an enabled one is tried at once. Raises KeyError."""
        values = values_of(webhook) | _TAKEN
        if webhook.is_enabled:
            values |= {"failures": 0, "paused_until": self._session.now}
            self._session.wakes_workers = True
        self._update(webhook.webhook_id, values)

    def replace_secret(self, webhook_id: WebhookId, secret: str, previous_until: datetime) -> None:
        """Sign with this secret from now on, and until then with the one before it too. Raises KeyError."""
        before = {
            "previous_key_id": webhooks.c.key_id,
            "previous_sealed_secret": webhooks.c.sealed_secret,
            "previous_until": previous_until,
        }
        self._update(webhook_id, before | _TAKEN | self._sealed(webhook_id, secret))

    def remove(self, webhook_id: WebhookId) -> None:
        """Forget it, its secret and its deliveries."""
        self._session.run(webhooks.delete().where(webhooks.c.webhook_id == webhook_id))
        self._session.run(deliveries.delete().where(deliveries.c.webhook_id == webhook_id))
        self._session.destroyed_secrets = True

    def claim(self, owner: str, lease: timedelta) -> WebhookClaim | None:
        """Take the webhook that waits longest of those that can be delivered to now; None when there is none."""
        now = self._session.now
        is_free = sa.or_(webhooks.c.lease_until.is_(None), webhooks.c.lease_until <= now)
        has_work = sa.exists().where(
            deliveries.c.webhook_id == webhooks.c.webhook_id, deliveries.c.due_at <= now, IS_SENDABLE
        )
        longest = sa.select(webhooks.c.webhook_id).where(
            webhooks.c.is_enabled, webhooks.c.paused_until <= now, is_free, has_work
        )
        longest = longest.order_by(webhooks.c.served_at, webhooks.c.webhook_id).limit(1)
        update = webhooks.update().where(
            webhooks.c.webhook_id == longest.with_for_update(skip_locked=True).scalar_subquery()
        )
        claimed = update.values(lease_owner=owner, lease_until=now + lease, token=webhooks.c.token + 1, served_at=now)
        row = self._session.row(claimed.returning(webhooks))
        if row is None:
            return None
        return WebhookClaim(webhook_of(row), self._secrets(row), row["failures"], row["token"])

    def require(self, claim: WebhookClaim) -> None:
        """Lock the webhook for this transaction. Raises StaleClaim when the claim is no longer the newest."""
        query = sa.select(webhooks.c.token).where(webhooks.c.webhook_id == claim.webhook.webhook_id)
        if self._session.value(self._session.locked(query)) != claim.token:
            raise StaleClaim

    def note(self, claim: WebhookClaim, *, failures: int, paused_until: datetime, lease: timedelta) -> None:
        """Note how many deliveries failed in a row and until when to leave it alone, and hold it longer.

        Raises StaleClaim.
        """
        now = self._session.now
        since = sa.func.coalesce(webhooks.c.failing_since, sa.literal(now, webhooks.c.failing_since.type))
        self._change(
            claim,
            failures=failures,
            failing_since=since if failures else None,
            paused_until=paused_until,
            lease_until=now + lease,
        )

    def release(self, claim: WebhookClaim) -> None:
        """Let others have it. Raises StaleClaim."""
        self._change(claim, lease_owner=None, lease_until=None)

    def next_due_at(self) -> datetime | None:
        """When the next delivery can be attempted that nobody holds."""
        first = sa.func.min(deliveries.c.due_at, type_=deliveries.c.due_at.type).label("first_at")
        query = sa.select(first, webhooks.c.paused_until, webhooks.c.lease_until)
        query = query.select_from(deliveries.join(webhooks, deliveries.c.webhook_id == webhooks.c.webhook_id))
        query = query.where(IS_SENDABLE, webhooks.c.is_enabled).group_by(webhooks.c.webhook_id)
        found = (
            max(filter(None, (row["first_at"], row["paused_until"], row["lease_until"])))
            for row in self._session.rows(query)
        )
        return min(found, default=None)

    def _sealed(self, webhook_id: WebhookId, secret: str) -> dict[str, Any]:
        keys = self._session.keys.current
        return {"key_id": keys.key_id, "sealed_secret": sealed(keys, webhook_id, secret)}

    def _secrets(self, row: Row) -> tuple[str, ...]:
        """Those that sign now, the newest first. One that is kept under an older key is kept under today's from now."""
        keys, webhook_id = self._session.keys, WebhookId(row["webhook_id"])
        secret = opened(keys, row["key_id"], webhook_id, row["sealed_secret"])
        if secret is None:
            return ()
        if row["key_id"] != keys.current.key_id:
            self._update(webhook_id, self._sealed(webhook_id, secret))
        if row["previous_until"] is None or row["previous_until"] <= self._session.now:
            return (secret,)
        previous = opened(keys, row["previous_key_id"], webhook_id, row["previous_sealed_secret"])
        return (secret,) if previous is None else (secret, previous)

    def _update(self, webhook_id: WebhookId, values: dict[str, Any]) -> None:
        if self._session.run(webhooks.update().where(webhooks.c.webhook_id == webhook_id).values(values)) != 1:
            raise KeyError(webhook_id)

    def _change(self, claim: WebhookClaim, **values: Any) -> None:
        update = webhooks.update().where(
            webhooks.c.webhook_id == claim.webhook.webhook_id, webhooks.c.token == claim.token
        )
        if self._session.run(update.values(**values)) != 1:
            raise StaleClaim
