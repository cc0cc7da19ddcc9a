"""The application in this process, over a store of the test, with a world of two orgs and a client of every role."""

import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from lethe.api.app import create_app
from lethe.api.rate_limit import RateLimiter
from lethe.api.services import EdgeLimits, Services
from lethe.auth.documents import DocumentSigner
from lethe.auth.issuer import BuiltInIssuer, ClientCredentials
from lethe.auth.key_sets import BuiltInKeys
from lethe.auth.roles import Role
from lethe.auth.signing_keys import SigningKeys
from lethe.auth.tokens import TokenVerifier, TrustedIssuer
from lethe.catalog.organizations import ConfiguredOrganizations
from lethe.clock import SystemIds
from lethe.domain.bundle import BundleLimits
from lethe.domain.dataset import Dataset, DatasetSchema, PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import ClientId, DatasetId, OrgId, SandboxName, SchemaId
from lethe.domain.organization import Organization, Sandbox, SandboxType
from lethe.domain.product import Product
from lethe.domain.quota import Allowances
from lethe.engines.interface import Engine
from lethe.operations.webhooks import WebhookRules
from lethe.pipeline.finding import LakeFinder
from lethe.products.identity_graph import EmbeddedIdentityGraph
from lethe.products.interface import CallingProduct
from lethe.storage.store import SqlStore
from lethe.webhooks.signing import secret_of
from support.clock import Clock
from support.values import DEV, ORG, OTHER_ORG, PROD

SECRET = "correct horse battery staple"
HYGIENE = "/data/core/hygiene"
ROLES = {role.value: role for role in Role}
EMAILS, LOYALTY_CARDS, MAPPED, ANONYMOUS = "5b020a27e7040801dedbf46e", "62b3925ff20f8e1b990a7434", "mapped", "anonymous"


def sandbox(name: SandboxName, *, default: bool = False) -> Sandbox:
    kind = SandboxType.PRODUCTION if default else SandboxType.DEVELOPMENT
    return Sandbox(f"id-of-{name}", name, name.title(), kind, "LOCAL", default)


def organization(org_id: OrgId, **rules: Any) -> Organization:
    return Organization(org_id, (sandbox(PROD, default=True), sandbox(DEV)), **rules)


def credentials(
    client_id: str,
    roles: Sequence[Role],
    org_ids: Sequence[OrgId] = (ORG,),
    sandbox_names: Sequence[SandboxName] | None = None,
) -> ClientCredentials:
    """A client of the built-in issuer; every one has the same secret."""
    return ClientCredentials(
        client_id=ClientId(client_id),
        secret_sha256=hashlib.sha256(SECRET.encode()).hexdigest(),
        name="Ann Ovid",
        email=f"{client_id}@example.com",
        account_id=f"{client_id}@techacct.example.com",
        org_ids=frozenset(org_ids),
        roles=frozenset(roles),
        sandbox_names=None if sandbox_names is None else frozenset(sandbox_names),
    )


CLIENTS = (
    *(credentials(role.value, [role]) for role in Role),
    credentials("stranger", [Role.ADMINISTRATOR], [OTHER_ORG]),
    credentials("prod-only", [Role.ADMINISTRATOR], sandbox_names=[PROD]),
    credentials("dev-only", [Role.ADMINISTRATOR], sandbox_names=[DEV]),
    credentials("both-orgs", [Role.SERVICE], [ORG, OTHER_ORG]),
    credentials("nobody", []),
)


@dataclass
class World:
    """A Lethe to call, with what it stands on."""

    store: SqlStore
    clock: Clock
    directory: Path
    orgs: Sequence[Organization] = field(default_factory=lambda: [organization(ORG), organization(OTHER_ORG)])
    limits: EdgeLimits = field(default_factory=EdgeLimits)
    burst: int = 1_000_000
    engines: Mapping[TableFormat, Engine] = field(default_factory=dict)
    webhook_rules: WebhookRules = field(default_factory=WebhookRules)
    callbacks: Mapping[Product, CallingProduct] = field(default_factory=dict)

    @cached_property
    def issuer(self) -> BuiltInIssuer:
        return BuiltInIssuer(
            clients=CLIENTS,
            signing_keys=self._keys,
            issuer="lethe",
            audience="lethe",
            now=self.clock,
            new_id=SystemIds().uuid,
        )

    @cached_property
    def services(self) -> Services:
        own = TrustedIssuer("lethe", "lethe", BuiltInKeys(self._keys))
        return Services(
            store=self.store,
            authenticator=TokenVerifier([own], self.clock),
            issuer=self.issuer,
            signer=DocumentSigner(SigningKeys(self.directory / "certificates")),
            organizations=ConfiguredOrganizations(self.orgs),
            graph=self.graph,
            finder=LakeFinder(self.engines),
            ids=SystemIds(),
            rate_limiter=RateLimiter(5, self.burst, lambda: self.clock().timestamp()),
            limits=self.limits,
            new_secret=lambda: secret_of(secrets.token_bytes(32)),
            real_path=os.path.realpath,
            webhook_rules=self.webhook_rules,
            callbacks=self.callbacks,
        )

    @cached_property
    def graph(self) -> EmbeddedIdentityGraph:
        return EmbeddedIdentityGraph(self.directory / "graph.db")

    @cached_property
    def client(self) -> TestClient:
        return TestClient(create_app(self.services), raise_server_exceptions=False)

    @cached_property
    def _keys(self) -> SigningKeys:
        return SigningKeys(self.directory / "keys")

    def headers(
        self, client_id: str = "administrator", *, org_id: str = ORG, sandbox_name: str | None = PROD, **more: str
    ) -> dict[str, str]:
        """The headers of a good call."""
        token = self.issuer.issue(client_id, SECRET, []).value
        headers = {"Authorization": f"Bearer {token}", "x-api-key": client_id, "x-gw-ims-org-id": org_id}
        if sandbox_name is not None:
            headers["x-sandbox-name"] = sandbox_name
        return headers | {name.replace("_", "-"): value for name, value in more.items()}

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        client_id: str = "administrator",
        headers: Mapping[str, str] | None = None,
        **query: object,
    ) -> Any:
        """Call the hygiene API (or, with a path from the root, a neighbour); gives the response."""
        url = path if path.startswith(("/data", "/ims", "/healthz", "/readyz")) else HYGIENE + path
        chosen = self.headers(client_id) if headers is None else dict(headers)
        return self.client.request(method, url, json=body, headers=chosen, params=query or None)

    def orders(self, **query: object) -> list[dict[str, Any]]:
        """The work orders of a list (at most 100)."""
        response = self.call("GET", "/workorder", **({"limit": 100, "sandboxName": "*"} | query))
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["results"]
        return found

    def expirations(self, **query: object) -> list[dict[str, Any]]:
        """The expirations of a list (at most 100)."""
        response = self.call("GET", "/ttl", **({"limit": 100, "sandboxName": "*"} | query))
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["results"]
        return found

    def consumed(self, name: str, client_id: str = "administrator") -> int:
        """How much of a quota is consumed."""
        quotas = self.call("GET", "/quota", client_id=client_id, quotaType=name).json()["quotas"]
        consumed: int = quotas[0]["consumed"]
        return consumed

    def register(
        self,
        dataset_id: str,
        *,
        namespace_code: str | None = "Email",
        identity_map: bool = False,
        org_id: OrgId = ORG,
        sandbox_name: SandboxName = PROD,
        name: str | None = None,
    ) -> Dataset:
        """Put a dataset into the catalog."""
        dataset = self._dataset(dataset_id, namespace_code, org_id, sandbox_name, identity_map=identity_map, name=name)
        with self.store.write() as tx:
            tx.datasets.add(dataset)
        return dataset

    def furnish(self) -> None:
        """Register the datasets that most tests speak of."""
        with self.store.write() as tx:
            tx.datasets.add(self._dataset(EMAILS, "Email"))
            tx.datasets.add(self._dataset(LOYALTY_CARDS, "ECID"))
            tx.datasets.add(self._dataset(MAPPED, None, identity_map=True))
            tx.datasets.add(self._dataset(ANONYMOUS, None))

    def _dataset(
        self,
        dataset_id: str,
        namespace_code: str | None,
        org_id: OrgId = ORG,
        sandbox_name: SandboxName = PROD,
        *,
        identity_map: bool = False,
        name: str | None = None,
    ) -> Dataset:
        primary = None if namespace_code is None else PrimaryIdentity(("person", "id"), namespace_code)
        lake = "/lake" if (org_id, sandbox_name) == (ORG, PROD) else f"/lake of {org_id} {sandbox_name}"
        return Dataset(
            DatasetId(dataset_id),
            org_id,
            sandbox_name,
            name or f"Dataset {dataset_id}",
            DatasetSchema(SchemaId(f"https://ns.example.com/{dataset_id}"), "Schema", primary, identity_map),
            TableReference(TableFormat.PARQUET, f"{lake}/{dataset_id}"),
            self.clock.now,
            self.clock.now,
        )

    def execute(self, expiration_id: UUID, *, complete: bool = False) -> None:
        """Do to an expiration's record what executing it does."""
        from lethe.domain.ids import ExpirationId
        from lethe.operations.expirations import begin_execution, complete_execution

        with self.store.write() as tx:
            assert begin_execution(tx, ORG, PROD, ExpirationId(expiration_id)) is not None
        if complete:
            with self.store.write() as tx:
                assert complete_execution(tx, ORG, PROD, ExpirationId(expiration_id)) is not None

    def later(self, **delta: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**delta))


__all__ = ["Allowances", "BundleLimits", "World"]
