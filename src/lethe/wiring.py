"""The only place that chooses: from settings to a Lethe that runs."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from fastapi import FastAPI

from lethe.api.app import create_app
from lethe.api.rate_limit import RateLimiter
from lethe.api.services import EdgeLimits, Services
from lethe.auth.claims import ClaimNames
from lethe.auth.interface import Authenticator, Issuer
from lethe.auth.issuer import BuiltInIssuer, ClientCredentials
from lethe.auth.key_sets import BuiltInKeys
from lethe.auth.remote_keys import RemoteKeys
from lethe.auth.roles import Role
from lethe.auth.signing_keys import SigningKeys
from lethe.auth.tokens import TokenVerifier, TrustedIssuer
from lethe.catalog.organizations import ConfiguredOrganizations
from lethe.clock import Ids, SystemIds, monotonic_seconds, system_now
from lethe.domain.bundle import BundleLimits
from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import ClientId, DatasetId, OrgId, SandboxName, SchemaId
from lethe.domain.organization import Organization, Sandbox, SandboxType
from lethe.domain.quota import Allowances
from lethe.operations.catalog import DatasetDraft, SchemaDraft, register_dataset
from lethe.operations.own_call import own_call
from lethe.products.identity_graph import EmbeddedIdentityGraph
from lethe.settings import DatasetSettings, OrgSettings, SandboxSettings, Settings, TrustedIssuerSettings
from lethe.storage.interface import Store
from lethe.storage.store import SqlStore
from lethe.storage.vault_keys import VaultKeys

SECRET_FILE: Final = "secret.key"  # noqa: S105 - the file's name
KEYS_DIRECTORY: Final = "keys"


@dataclass(frozen=True, slots=True)
class Lethe:
    """A running installation."""

    settings: Settings
    store: Store
    organizations: ConfiguredOrganizations
    services: Services

    def application(self) -> FastAPI:
        """Build the application for a server."""
        return create_app(self.services)


@contextmanager
def running(settings: Settings) -> Iterator[Lethe]:
    """Open everything, bring the database up to date, register the datasets of the settings; close it at the end."""
    ids = SystemIds()
    store = open_store(settings)
    graph = EmbeddedIdentityGraph(settings.data_dir / "identity_graph.db")
    try:
        store.migrate()
        organizations = ConfiguredOrganizations(map(_organization, settings.orgs))
        _register_datasets(store, organizations, settings.datasets, ids)
        authenticator, issuer = _auth(settings)
        limits = settings.limits
        services = Services(
            store=store,
            authenticator=authenticator,
            issuer=issuer,
            organizations=organizations,
            graph=graph,
            ids=ids,
            rate_limiter=RateLimiter(limits.small_orders_per_second, limits.burst, monotonic_seconds),
            limits=EdgeLimits(
                body_bytes_max=limits.body_bytes_max,
                small_order_identities=limits.small_order_identities,
                idempotency_lifetime=timedelta(hours=limits.idempotency_hours),
                clock_skew_max=timedelta(seconds=limits.clock_skew_seconds),
            ),
            public_url=settings.public_url,
        )
        yield Lethe(settings, store, organizations, services)
    finally:
        graph.close()
        store.close()


def open_store(settings: Settings) -> SqlStore:
    """Open the store of the settings; it is not migrated."""
    url = settings.database_url.get_secret_value() if settings.database_url else None
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    previous = [key.get_secret_value().encode() for key in settings.previous_secret_keys]
    keys = VaultKeys.from_secret(_secret(settings), previous=previous)
    return SqlStore(url or f"sqlite:///{(settings.data_dir / 'lethe.db').resolve()}", keys)


def _secret(settings: Settings) -> bytes:
    """The settings' secret key, or the one in the data directory, made when it is missing.

    The file is written under another name and linked into place, so that two processes that start at once agree, and
    none reads half a key.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.data_dir / KEYS_DIRECTORY / SECRET_FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(f".{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first, and its key counts
        finally:
            draft.unlink()
    return path.read_bytes()


def _organization(org: OrgSettings) -> Organization:
    return Organization(
        org_id=OrgId(org.id),
        sandboxes=tuple(_sandbox(org.id, sandbox) for sandbox in org.sandboxes),
        allowances=Allowances(**org.quotas.model_dump()),
        bundle_limits=BundleLimits(
            timedelta(seconds=org.bundle_window_seconds), org.bundle_orders_max, org.bundle_identities_max
        ),
        min_expiry_lead=timedelta(hours=org.min_expiry_lead_hours),
        sandbox_header_required=org.sandbox_header == "required",
    )


def _sandbox(org_id: str, sandbox: SandboxSettings) -> Sandbox:
    """The sandbox; its id follows from the names, so that it stays the same without being stored."""
    return Sandbox(
        sandbox_id=str(uuid5(NAMESPACE_URL, f"lethe:{org_id}/{sandbox.name}")),
        name=SandboxName(sandbox.name),
        title=sandbox.title or sandbox.name,
        type=SandboxType(sandbox.type),
        region=sandbox.region,
        is_default=sandbox.is_default,
    )


def _auth(settings: Settings) -> tuple[Authenticator, Issuer]:
    signing_keys = SigningKeys(settings.data_dir / KEYS_DIRECTORY / "issuer")
    clients = [
        ClientCredentials(
            client_id=ClientId(client.id),
            secret_sha256=client.secret_sha256,
            name=client.name,
            email=client.email,
            account_id=client.account_id or client.id,
            org_ids=frozenset(map(OrgId, client.orgs)),
            roles=frozenset(map(Role, client.roles)),
            sandbox_names=None if client.sandboxes is None else frozenset(map(SandboxName, client.sandboxes)),
        )
        for client in (settings.clients if settings.issuer.enabled else ())
    ]
    issuer = BuiltInIssuer(
        clients=clients,
        signing_keys=signing_keys,
        issuer=settings.issuer.name,
        audience=settings.issuer.audience,
        now=system_now,
        new_id=SystemIds().uuid,
        lifetime=timedelta(seconds=settings.issuer.lifetime_seconds),
    )
    own = TrustedIssuer(settings.issuer.name, settings.issuer.audience, BuiltInKeys(signing_keys))
    trusted = [*([own] if settings.issuer.enabled else []), *map(_trusted, settings.trusted_issuers)]
    return TokenVerifier(trusted, system_now), issuer


def _trusted(issuer: TrustedIssuerSettings) -> TrustedIssuer:
    return TrustedIssuer(
        issuer=issuer.issuer,
        audience=issuer.audience,
        keys=RemoteKeys(issuer.issuer, now=system_now, key_set_url=issuer.jwks_url),
        algorithms=frozenset(issuer.algorithms),
        leeway_seconds=issuer.leeway_seconds,
        claim_names=ClaimNames(
            client_id=issuer.client_claim,
            orgs=issuer.orgs_claim,
            roles=issuer.roles_claim,
            sandboxes=issuer.sandboxes_claim,
        ),
    )


def _register_datasets(
    store: Store, organizations: ConfiguredOrganizations, datasets: tuple[DatasetSettings, ...], ids: Ids
) -> None:
    """Register the datasets of the settings that are not registered yet."""
    for dataset in datasets:
        org = organizations.find(OrgId(dataset.org))
        sandbox = org.sandbox(SandboxName(dataset.sandbox)) if org else None
        if org is None or sandbox is None:
            raise ValueError(f"datasets: {dataset.id} is in a sandbox that is not configured")
        call = own_call(org, sandbox)
        with store.write() as tx:
            if tx.datasets.find(call.org_id, call.sandbox_name, DatasetId(dataset.id)) is None:
                register_dataset(tx, call, _draft(dataset), ids=ids)


def _draft(dataset: DatasetSettings) -> DatasetDraft:
    primary = None
    if dataset.primary_identity_path is not None and dataset.primary_identity_namespace is not None:
        primary = PrimaryIdentity(dataset.primary_identity_path, dataset.primary_identity_namespace)
    return DatasetDraft(
        name=dataset.name,
        description=dataset.description,
        table=TableReference(TableFormat(dataset.format), dataset.location, dataset.catalog, dataset.identifier),
        schema_id=None if dataset.schema_id is None else SchemaId(dataset.schema_id),
        schema=SchemaDraft(dataset.name, primary, dataset.identity_map),
        dataset_id=DatasetId(dataset.id),
    )
