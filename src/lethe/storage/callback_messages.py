"""Messages of services that were heard already: a repetition, whoever sends it, is nothing new."""

from datetime import timedelta
from hashlib import sha256
from typing import Final

import sqlalchemy as sa

from lethe.domain.product import Product
from lethe.storage.event_schema import callback_messages
from lethe.storage.session import Session

_FORGOTTEN_AT_ONCE: Final = 100
"""Expired messages that one new one removes."""


class SqlCallbacks:
    """Implements `event_interface.Callbacks`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hear(self, product: Product, message_id: str, lifetime: timedelta) -> bool:
        """Remember the message for a while; False when it was heard before."""
        self._forget_expired()
        insert = self._session.insert(callback_messages).values(
            product=product,
            message_digest=sha256(message_id.encode()).digest(),
            expires_at=self._session.now + lifetime,
        )
        return self._session.run(insert.on_conflict_do_nothing()) == 1

    def _forget_expired(self) -> None:
        """Remove some, passing over those that another transaction is about to."""
        key = sa.tuple_(*callback_messages.primary_key.columns)
        expired = (
            sa.select(*callback_messages.primary_key.columns)
            .where(callback_messages.c.expires_at <= self._session.now)
            .limit(_FORGOTTEN_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        self._session.run(callback_messages.delete().where(key.in_(expired)))
