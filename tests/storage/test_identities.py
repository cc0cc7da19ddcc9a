"""The vault: what is sealed comes back, what is destroyed does not, and nothing raw lies anywhere."""

import hmac
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag

from lethe.domain.identity import Identities
from lethe.storage.identity_hashes import hash_of, packed_hashes
from lethe.storage.interface import Store
from lethe.storage.schema import identity_chunks, identity_vaults
from lethe.storage.sealing import CHUNK_IDENTITIES_MAX
from lethe.storage.store import SqlStore
from lethe.storage.vault_keys import UnknownVaultKey, VaultKeys
from support.postgres import Postgres
from support.values import EMAIL, HANDLE, LOYALTY, OTHER_ORG, a_bundle, an_order, identities

SECRET = b"a secret of the tests, long enough"
NEEDLES = [f"needle-{number:03}@example.com" for number in range(50)]


def sealed(store: Store, wanted: Identities, **parts: object) -> object:
    order = an_order(a_bundle(), **parts)
    with store.write() as transaction:
        transaction.identities.keep(store.seal(order.org_id, order.work_order_id, wanted))
    return order.work_order_id


def test_identities_come_back_as_they_were(store: Store) -> None:
    many = tuple(f"{number}@example.com" for number in range(2 * CHUNK_IDENTITIES_MAX + 1))
    wanted = Identities({EMAIL: many, HANDLE: ("Straße", "\U0001f600"), LOYALTY: (" 007 ",)})
    order_id = sealed(store, wanted)
    with store.read() as transaction:
        found = transaction.identities.open(order_id)  # type: ignore[arg-type]
    assert found == wanted
    assert list(found) == list(wanted)


def test_hashes_answer_who_was_asked_for_before_and_after_destruction(store: Store) -> None:
    order_id = sealed(store, Identities({EMAIL: ("a@example.com", "B@example.com"), HANDLE: ("Straße",)}))
    for destroy in (True, False):
        with store.read() as transaction:
            vault = transaction.identities
            asked = [
                vault.holds(order_id, namespace, identity)  # type: ignore[arg-type]
                for namespace, identity in (
                    (EMAIL, "a@example.com"),
                    (EMAIL, "B@example.com"),
                    (EMAIL, "b@example.com"),
                    (HANDLE, "STRASSE"),
                    (HANDLE, "straß"),
                    (LOYALTY, "Straße"),
                    (LOYALTY, "a@example.com"),
                )
            ]
        assert asked == [True, True, False, True, False, False, False]
        if destroy:
            with store.write() as transaction:
                transaction.identities.destroy([order_id])  # type: ignore[arg-type]


def test_destroyed_identities_cannot_be_opened(store: SqlStore) -> None:
    order_id = sealed(store, identities("a@example.com"))
    kept = sealed(store, identities("b@example.com"))
    with store.write() as transaction:
        transaction.identities.destroy([order_id])  # type: ignore[arg-type]
    with store.read() as transaction:
        with pytest.raises(KeyError):
            transaction.identities.open(order_id)  # type: ignore[arg-type]
        assert transaction.identities.open(kept) == identities("b@example.com")  # type: ignore[arg-type]
    with store._engines.read.connect() as connection:
        vaults = sa.select(sa.func.count()).where(identity_vaults.c.wrapped_key.is_not(None))
        chunks = sa.select(sa.func.count()).where(identity_chunks.c.ciphertext.is_not(None))
        assert (connection.scalar(vaults), connection.scalar(chunks)) == (1, 1)


def test_equal_identities_of_two_orgs_have_unlike_hashes(store: SqlStore) -> None:
    sealed(store, identities("a@example.com"))
    sealed(store, identities("a@example.com"), org_id=OTHER_ORG)
    with store._engines.read.connect() as connection:
        hashes = connection.execute(sa.select(identity_chunks.c.hashes)).scalars().all()
    assert len(set(hashes)) == 2


def test_a_chunk_is_bound_to_its_place(store: SqlStore) -> None:
    first = sealed(store, identities("a@example.com"))
    second = sealed(store, Identities({EMAIL: ("b@example.com",), LOYALTY: ("7",)}))
    of_second = identity_chunks.c.work_order_id == second
    with store._engines.write.begin() as connection:
        chunks = connection.execute(sa.select(identity_chunks.c.ciphertext).where(of_second)).scalars().all()
        swapped = identity_chunks.update().where(of_second)
        connection.execute(swapped.where(identity_chunks.c.number == 0).values(ciphertext=chunks[1]))
        wrapped = sa.select(identity_vaults.c.wrapped_key).where(identity_vaults.c.work_order_id == second)
        stolen = identity_vaults.update().where(identity_vaults.c.work_order_id == first)
        connection.execute(stolen.values(wrapped_key=wrapped.scalar_subquery()))
    with store.read() as transaction:
        for order_id in (first, second):
            with pytest.raises(InvalidTag):
                transaction.identities.open(order_id)  # type: ignore[arg-type]


def test_a_rotated_secret_still_opens_what_the_old_one_sealed(
    store_url: str, open_store: Callable[..., SqlStore]
) -> None:
    order_id = sealed(open_store(store_url, VaultKeys.from_secret(SECRET)), identities("a@example.com"))
    rotated = open_store(store_url, VaultKeys.from_secret(b"another secret, as long", previous=[SECRET]))
    younger = sealed(rotated, identities("b@example.com"))
    with rotated.read() as transaction:
        assert transaction.identities.open(order_id) == identities("a@example.com")  # type: ignore[arg-type]
        assert transaction.identities.holds(order_id, EMAIL, "a@example.com")  # type: ignore[arg-type]
    forgetful = open_store(store_url, VaultKeys.from_secret(SECRET))
    with forgetful.read() as transaction, pytest.raises(UnknownVaultKey):
        transaction.identities.open(younger)  # type: ignore[arg-type]


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        VaultKeys.from_secret(b"short")


def test_hashes_are_hmac_sha256() -> None:
    key = bytes(range(32))
    for namespace, compared in ((EMAIL, "Straße".encode()), (HANDLE, b"strasse")):
        expected = hmac.digest(key, namespace.id.to_bytes(8, "big") + compared, "sha256")
        assert hash_of(key, namespace, "Straße") == expected
        assert packed_hashes(key, namespace, ("x", "Straße")) == hash_of(key, namespace, "x") + expected


def found_raw(haystack: bytes) -> list[str]:
    """Needles that stand in the bytes as they are, in hexadecimal, or as UTF-16."""
    lowered = haystack.lower()
    return [
        needle
        for needle in NEEDLES
        if needle.encode() in lowered
        or needle.encode().hex().encode() in lowered
        or needle.encode("utf-16-le") in lowered
    ]


def test_nothing_raw_lies_in_the_sqlite_files(sqlite_url: str, open_store: Callable[..., SqlStore]) -> None:
    store = open_store(sqlite_url)
    order_id = sealed(store, identities(*NEEDLES))
    with store.read() as transaction:
        assert transaction.identities.open(order_id).count == len(NEEDLES)  # type: ignore[arg-type]
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    files = list(path.parent.glob(f"{path.name}*"))
    assert any(file.name.endswith("-wal") and file.stat().st_size for file in files)
    assert [found_raw(file.read_bytes()) for file in files] == [[] for _ in files]


def test_destruction_leaves_no_wrapped_key_in_the_sqlite_files(
    sqlite_url: str, open_store: Callable[..., SqlStore]
) -> None:
    store = open_store(sqlite_url)
    order_id = sealed(store, identities(*NEEDLES))
    with store._engines.read.connect() as connection:
        wrapped = connection.execute(sa.select(identity_vaults.c.wrapped_key)).scalar_one()
        ciphertext = connection.execute(sa.select(identity_chunks.c.ciphertext)).scalar_one()
    with store.write() as transaction:
        transaction.identities.destroy([order_id])  # type: ignore[arg-type]
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    everything = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert wrapped not in everything
    assert ciphertext not in everything


def test_nothing_raw_lies_in_a_dump_of_postgres(
    postgres: Postgres, postgres_database: str, open_store: Callable[..., SqlStore]
) -> None:
    sealed(open_store(postgres.url(postgres_database)), identities(*NEEDLES))
    dump = postgres.dump(postgres_database)
    assert re.search(rb"COPY public.identity_chunks", dump)
    assert found_raw(dump) == []
