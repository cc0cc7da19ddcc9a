"""Answers to requests that carried an Idempotency-Key, kept encrypted for a day.

The key's row is inserted before anything else of the request: on PostgreSQL its primary key makes a second claimant
wait for the first transaction's end, on SQLite there is one writer.
"""

import hmac
import os
from datetime import timedelta
from hashlib import sha256
from typing import Final

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lethe.domain.errors import IdempotencyConflict
from lethe.domain.ids import ClientId, OrgId
from lethe.storage.interface import StoredAnswer
from lethe.storage.matching import Condition
from lethe.storage.schema import idempotency_keys
from lethe.storage.session import Row, Session

_NONCE_LENGTH: Final = 12
_FORGOTTEN_AT_ONCE: Final = 100
"""Expired answers that one claim removes."""


class SqlIdempotencyKeys:
    """Implements `interface.IdempotencyKeys`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(
        self, org_id: OrgId, client_id: ClientId, key: str, request_digest: bytes, lifetime: timedelta
    ) -> StoredAnswer | None:
        """Take the key for this transaction, or say what was answered under it. Raises IdempotencyConflict."""
        table = idempotency_keys
        now = self._session.now
        claim = {
            "request_digest": request_digest,
            "expires_at": now + lifetime,
            "status_code": None,
            "key_id": None,
            "sealed_body": None,
        }
        insert = self._session.insert(table).values(
            org_id=org_id, client_id=client_id, key_digest=_key_digest(key), **claim
        )
        insert = insert.on_conflict_do_update(
            index_elements=list(table.primary_key.columns), set_=claim, where=table.c.expires_at <= now
        )
        if self._session.run(insert) == 1:
            self._forget_expired()
            return None
        row = self._session.row(sa.select(table).where(*_of(org_id, client_id, key)))
        if row is None:
            raise RuntimeError("an idempotency key that was just seen is not there")
        if not hmac.compare_digest(row["request_digest"], request_digest):
            raise IdempotencyConflict
        # A claim without an answer is this transaction's own, or of one that had nothing to answer.
        return None if row["status_code"] is None else self._opened(row)

    def keep(self, org_id: OrgId, client_id: ClientId, key: str, answer: StoredAnswer) -> None:
        """Remember the answer under the key claimed before. Raises KeyError for a key never claimed."""
        keys = self._session.keys.current
        nonce = os.urandom(_NONCE_LENGTH)
        bound_to = _bound_to(org_id, client_id, _key_digest(key), answer.status_code)
        sealed = nonce + AESGCM(keys.answer_key).encrypt(nonce, answer.body, bound_to)
        update = idempotency_keys.update().where(*_of(org_id, client_id, key))
        values = {"status_code": answer.status_code, "key_id": keys.key_id, "sealed_body": sealed}
        if self._session.run(update.values(values)) != 1:
            raise KeyError("the idempotency key was not claimed")

    def _opened(self, row: Row) -> StoredAnswer:
        nonce, sealed = row["sealed_body"][:_NONCE_LENGTH], row["sealed_body"][_NONCE_LENGTH:]
        bound_to = _bound_to(row["org_id"], row["client_id"], row["key_digest"], row["status_code"])
        cipher = AESGCM(self._session.keys.of(row["key_id"]).answer_key)
        return StoredAnswer(row["status_code"], cipher.decrypt(nonce, sealed, bound_to))

    def _forget_expired(self) -> None:
        """Remove some answers whose day is over, passing over those that another transaction is about to."""
        table = idempotency_keys
        key = sa.tuple_(*table.primary_key.columns)
        expired = (
            sa.select(*table.primary_key.columns)
            .where(table.c.expires_at <= self._session.now)
            .limit(_FORGOTTEN_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        self._session.run(table.delete().where(key.in_(expired)))


def _key_digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


def _of(org_id: OrgId, client_id: ClientId, key: str) -> list[Condition]:
    return [
        idempotency_keys.c.org_id == org_id,
        idempotency_keys.c.client_id == client_id,
        idempotency_keys.c.key_digest == _key_digest(key),
    ]


def _bound_to(org_id: str, client_id: str, key_digest: bytes, status_code: int) -> bytes:
    return b"\x1f".join([b"answer", org_id.encode(), client_id.encode(), key_digest, str(status_code).encode()])
