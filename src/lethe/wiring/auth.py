"""Who issues tokens, and whose are trusted."""

from datetime import timedelta

from lethe.auth.claims import ClaimNames
from lethe.auth.documents import DocumentSigner
from lethe.auth.interface import Authenticator, Issuer
from lethe.auth.issuer import BuiltInIssuer, ClientCredentials
from lethe.auth.key_sets import BuiltInKeys
from lethe.auth.remote_keys import RemoteKeys
from lethe.auth.roles import Role
from lethe.auth.signing_keys import SigningKeys
from lethe.auth.tokens import TokenVerifier, TrustedIssuer
from lethe.clock import SystemIds, system_now
from lethe.domain.ids import ClientId, OrgId, SandboxName
from lethe.settings import Settings, TrustedIssuerSettings
from lethe.wiring.store import KEYS_DIRECTORY


def authentication(settings: Settings) -> tuple[Authenticator, Issuer]:
    """Make what verifies tokens, and what issues them to the clients of the settings."""
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


def document_signer(settings: Settings) -> DocumentSigner:
    """Make what signs certificates, with keys of its own."""
    return DocumentSigner(SigningKeys(settings.data_dir / KEYS_DIRECTORY / "certificates"))


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
