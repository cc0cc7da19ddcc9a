"""Who may call: clients of the built-in issuer, and issuers of others."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from lethe.settings.part import Name, Part, Signature

RoleName = Literal[
    "viewer", "expiration-manager", "record-delete-manager", "dataset-deleter", "administrator", "service"
]


class ClientSettings(Part):
    """One client that gets tokens from the built-in issuer."""

    id: Name = Field(description="The client id, which is also the `x-api-key`.")
    secret_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of the client secret, in hexadecimal. `lethe config secret` makes a pair."
    )
    name: Signature = Field(description="Who it is, as `createdBy` shows it.")
    email: Signature = Field(description="Its e-mail address, as `createdBy` shows it.")
    account_id: Signature = Field("", validate_default=False, description="Its account id; the client id when empty.")
    orgs: tuple[Name, ...] = Field(min_length=1, description="The organizations that it may act for.")
    roles: tuple[RoleName, ...] = Field(("viewer",), description="What it may do.")
    sandboxes: tuple[Name, ...] | None = Field(None, description="The sandboxes that it may see; all when absent.")


class IssuerSettings(Part):
    """The built-in token issuer."""

    enabled: bool = Field(True, description="Whether to issue tokens to the clients of these settings.")
    name: Name = Field("lethe", description="The issuer named in its tokens.")
    audience: Name = Field("lethe", description="The audience of its tokens.")
    lifetime_seconds: int = Field(86_400, gt=500, le=2_592_000, description="How long a token is valid, in seconds.")


class TrustedIssuerSettings(Part):
    """An external OpenID Connect issuer whose tokens are accepted."""

    issuer: Name = Field(description="Its URL, as its tokens name it.")
    audience: Name = Field(description="The audience that its tokens must be meant for.")
    jwks_url: Name | None = Field(None, description="Where its keys are; found by discovery when absent.")
    algorithms: tuple[str, ...] = Field(
        ("EdDSA", "Ed25519", "ES256", "RS256", "PS256"), min_length=1, description="Signature algorithms to accept."
    )
    leeway_seconds: int = Field(30, ge=0, le=300, description="By how much its clock may differ, in seconds.")
    client_claim: tuple[Name, ...] = Field(("client_id", "azp"), description="Claims that may hold the client id.")
    orgs_claim: Name = Field("orgs", description="The claim that holds the organizations.")
    roles_claim: Name = Field("roles", description="The claim that holds the roles.")
    sandboxes_claim: Name = Field("sandboxes", description="The claim that holds the sandboxes.")
