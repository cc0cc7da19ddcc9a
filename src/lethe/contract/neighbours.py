"""What a client of the hygiene API calls first: tokens, sandboxes, namespaces, schemas, identity clusters."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, RootModel

from lethe.contract.shape import NO_NUL, Answer, Body, Text

CLUSTER_XIDS_MAX: Final = 1_000


class TokenForm(BaseModel):
    """Client credentials, as a form. Other fields are ignored."""

    grant_type: Literal["client_credentials"]
    client_id: str
    client_secret: str
    scope: Annotated[str, Field(description="Words separated by spaces or commas.")] = ""


class TokenOut(Answer):
    """An access token; `expires_in` in seconds."""

    access_token: Annotated[str, Field(alias="access_token")]
    token_type: Annotated[str, Field(alias="token_type")] = "bearer"  # noqa: S105 - the type, not a token
    expires_in: Annotated[int, Field(alias="expires_in")]


class TokenError(Answer):
    """Why no token was issued (RFC 6749, section 5.2)."""

    error: str
    error_description: Annotated[str, Field(alias="error_description")]
    error_code: Annotated[str, Field(alias="error_code")]
    message: str


class KeySetOut(Answer):
    """The keys by which tokens of the built-in issuer are verified (RFC 7517)."""

    keys: list[dict[str, Any]]


class SandboxOut(Answer):
    """One sandbox."""

    name: str
    title: str
    state: str
    type: str
    region: str
    is_default: bool
    id: str


class SandboxesOut(Answer):
    """The sandboxes that the caller may see."""

    sandboxes: list[SandboxOut]


class NamespaceOut(Answer):
    """One identity namespace."""

    id: int
    code: str
    name: str
    id_type: str
    custom: bool
    status: str
    case_insensitive: bool


class NamespacesOut(RootModel[list[NamespaceOut]]):
    """A bare list of namespaces."""

    def to_json(self) -> bytes:
        """The body, as UTF-8 JSON."""
        return self.model_dump_json(by_alias=True).encode()


class NamespaceCreate(Body):
    """A custom namespace."""

    code: Annotated[str, Field(min_length=1, max_length=100), NO_NUL]
    name: Annotated[str, Field(min_length=1, max_length=255), NO_NUL]
    id_type: Annotated[str, Field(min_length=1, max_length=50), NO_NUL] = "CROSS_DEVICE"
    case_insensitive: bool = False
    description: Annotated[str, Field(max_length=1_000), NO_NUL] | None = None


class SchemaOut(Answer):
    """A schema of the registry. The primary identity's field carries `xdm:isPrimary`, or there is an `identityMap`."""

    id: Annotated[str, Field(alias="$id")]
    title: str
    type: str = "object"
    properties: dict[str, Any]


class XidIn(Body):
    """One identity, its namespace by code or by number."""

    ns: Annotated[str, Field(max_length=100), NO_NUL] | None = None
    nsid: int | None = None
    id: Text


class ClusterQuery(Body):
    """The identities whose clusters are asked for."""

    composite_xids: Annotated[list[XidIn], Field(min_length=1, max_length=CLUSTER_XIDS_MAX)]


class XidOut(Answer):
    """One identity."""

    nsid: int
    id: str


class ClusterOut(Answer):
    """What is linked to one of the identities asked for."""

    composite_xid: XidOut
    members: list[XidOut]


class ClustersOut(Answer):
    """The clusters, in the order of the request."""

    version: str
    clusters: list[ClusterOut]
