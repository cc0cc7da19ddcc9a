"""Idempotency keys: one request, one answer, for a day."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from lethe.domain.errors import IdempotencyConflict
from lethe.domain.ids import ClientId, OrgId
from lethe.storage.interface import Store, StoredAnswer
from lethe.storage.schema import idempotency_keys
from lethe.storage.store import SqlStore
from lethe.storage.vault_keys import VaultKeys
from support.clock import Clock
from support.values import ORG, OTHER_ORG

DAY = timedelta(days=1)
CLIENT, OTHER_CLIENT = ClientId("client-1"), ClientId("client-2")
ANSWER = StoredAnswer(201, b'{"identity": "needle@example.com"}')
DIGEST, OTHER_DIGEST = b"1" * 32, b"2" * 32


def claim(
    store: Store, key: str = "k", digest: bytes = DIGEST, *, org_id: OrgId = ORG, client_id: ClientId = CLIENT
) -> StoredAnswer | None:
    with store.write() as transaction:
        answer = transaction.idempotency.claim(org_id, client_id, key, digest, DAY)
        if answer is None:
            transaction.idempotency.keep(org_id, client_id, key, ANSWER)
        return answer


def test_a_repetition_gets_the_first_answer(store: Store) -> None:
    assert claim(store) is None
    assert claim(store) == ANSWER
    assert claim(store, org_id=OTHER_ORG) is None
    assert claim(store, client_id=OTHER_CLIENT) is None
    assert claim(store, "K") is None
    assert claim(store, "x" * 100_000) is None
    assert claim(store, "x" * 100_000) == ANSWER


def test_another_request_under_the_key_is_a_conflict(store: Store) -> None:
    assert claim(store) is None
    with pytest.raises(IdempotencyConflict):
        claim(store, digest=OTHER_DIGEST)
    assert claim(store) == ANSWER


def test_a_failed_request_gives_the_key_back(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        _claim_and_fail(store)
    assert claim(store, digest=OTHER_DIGEST) is None


def _claim_and_fail(store: Store) -> None:
    with store.write() as transaction:
        transaction.idempotency.claim(ORG, CLIENT, "k", DIGEST, DAY)
        raise ZeroDivisionError


def test_an_expired_key_is_free_and_its_answer_gone(store: SqlStore, clock: Clock) -> None:
    assert claim(store) is None
    assert claim(store, "other") is None
    clock.advance(DAY - timedelta(microseconds=1))
    assert claim(store) == ANSWER
    clock.advance(timedelta(microseconds=1))
    assert claim(store, digest=OTHER_DIGEST) is None
    assert claim(store, digest=OTHER_DIGEST) == ANSWER
    with store._engines.read.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(idempotency_keys)) == 1


def test_a_claim_repeated_within_its_transaction_is_its_own(store: Store) -> None:
    with store.write() as transaction:
        assert transaction.idempotency.claim(ORG, CLIENT, "k", DIGEST, DAY) is None
        assert transaction.idempotency.claim(ORG, CLIENT, "k", DIGEST, DAY) is None


def test_only_a_claimed_key_keeps_an_answer(store: Store) -> None:
    with store.write() as transaction, pytest.raises(KeyError):
        transaction.idempotency.keep(ORG, CLIENT, "k", ANSWER)


def test_answers_survive_a_rotation(store_url: str, open_store: Callable[..., SqlStore]) -> None:
    old, new = b"the old secret of the tests", b"the new secret of the tests"
    assert claim(open_store(store_url, VaultKeys.from_secret(old))) is None
    assert claim(open_store(store_url, VaultKeys.from_secret(new, previous=[old]))) == ANSWER


def test_answers_are_not_readable_in_the_files(sqlite_url: str, open_store: Callable[..., SqlStore]) -> None:
    claim(open_store(sqlite_url), "a-key-that-names needle@example.com")
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    assert not any(b"needle" in file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
