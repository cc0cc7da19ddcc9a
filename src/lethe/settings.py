"""Every setting, read once from `lethe.toml` and the environment into one frozen object.

The environment wins over the file: `LETHE_PORT=8081`, nested with two underscores: `LETHE_LIMITS__BURST=100`. Which
file is read is said by `LETHE_CONFIG`, or is `lethe.toml` in the working directory. `docs/reference/settings.md` is
made from the descriptions here.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

CONFIG_VARIABLE: Final = "LETHE_CONFIG"
CONFIG_DEFAULT: Final = "lethe.toml"

Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
SECRET_LENGTH_MIN: Final = 32


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < SECRET_LENGTH_MIN:
        raise ValueError(f"has at least {SECRET_LENGTH_MIN} characters")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_long_enough)]
Signature = Annotated[str, StringConstraints(min_length=1, max_length=160, pattern=r"^[^\x00-\x1f\x7f]+$")]
Count = Annotated[int, Field(ge=0, le=10**15)]
RoleName = Literal[
    "viewer", "expiration-manager", "record-delete-manager", "dataset-deleter", "administrator", "service"
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QuotaSettings(_Part):
    """What an organization may consume."""

    expirations: Count = Field(50, description="Dataset expirations pending or executing at once.")
    daily_deletes: Count = Field(1_000_000, description="Identities in accepted record deletes a UTC day.")
    monthly_deletes: Count = Field(2_000_000, description="Identities in accepted record deletes a calendar month.")
    monthly_updates: Count = Field(1_000_000, description="Identities in accepted record updates a calendar month.")
    enforce: bool = Field(True, description="Whether to refuse what exceeds a quota; it is counted either way.")


class SandboxSettings(_Part):
    """One sandbox of an organization."""

    name: Name = Field(description="The name that `x-sandbox-name` gives.")
    title: str = Field("", description="What people call it; the name when empty.")
    type: Literal["production", "development"] = Field("development", description="What it is for.")
    region: Name = Field("LOCAL", description="Where it is, as shown to clients.")
    is_default: bool = Field(False, description="Whether calls without a sandbox mean this one; exactly one does.")


class OrgSettings(_Part):
    """One organization."""

    id: Name = Field(description="The id that `x-gw-ims-org-id` gives.")
    sandboxes: tuple[SandboxSettings, ...] = Field(
        (SandboxSettings(name="prod", title="Production", type="production", is_default=True),),
        min_length=1,
        description="Its sandboxes.",
    )
    sandbox_header: Literal["required", "optional"] = Field(
        "required", description="Whether `/ttl` and `/workorder` need `x-sandbox-name`, or default it."
    )
    min_expiry_lead_hours: float = Field(24, ge=0, le=8_760, description="How far ahead an expiry must be, in hours.")
    bundle_window_seconds: float = Field(
        0, ge=0, le=604_800, description="How long a bundle takes more work orders before it runs, in seconds."
    )
    bundle_orders_max: int = Field(1_000, ge=1, le=1_000_000, description="Work orders in one bundle at the most.")
    bundle_identities_max: int = Field(
        1_000_000, ge=1, le=100_000_000, description="Identities in one bundle at the most."
    )
    quotas: QuotaSettings = Field(QuotaSettings(), description="What it may consume.")

    @model_validator(mode="after")
    def _sandboxes_agree(self) -> Self:
        names = [sandbox.name for sandbox in self.sandboxes]
        if len(set(names)) < len(names):
            raise ValueError("two sandboxes have one name")
        if sum(sandbox.is_default for sandbox in self.sandboxes) != 1:
            raise ValueError("exactly one sandbox has is_default = true")
        return self


class ClientSettings(_Part):
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


class IssuerSettings(_Part):
    """The built-in token issuer."""

    enabled: bool = Field(True, description="Whether to issue tokens to the clients of these settings.")
    name: Name = Field("lethe", description="The issuer named in its tokens.")
    audience: Name = Field("lethe", description="The audience of its tokens.")
    lifetime_seconds: int = Field(86_400, gt=500, le=2_592_000, description="How long a token is valid, in seconds.")


class TrustedIssuerSettings(_Part):
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


class DatasetSettings(_Part):
    """One dataset to register at start, unless it is registered already."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,255}$")] = Field(description="Its dataset id.")
    org: Name = Field(description="Its organization.")
    sandbox: Name = Field(description="Its sandbox.")
    name: Name = Field(description="What people call it.")
    description: str = Field("", max_length=1_000, description="What it is for.")
    format: Literal["iceberg", "delta", "parquet", "ndjson"] = Field(description="How its rows are stored.")
    location: Name | None = Field(None, description="The root of its table: a path or a URL.")
    catalog: Name | None = Field(None, description="The table catalog in which it is named.")
    identifier: Name | None = Field(None, description="Its name in that catalog, such as `db.events`.")
    schema_id: Name | None = Field(None, description="The `$id` of its schema; made up when absent.")
    primary_identity_path: tuple[Name, ...] | None = Field(
        None, min_length=1, description="Field names from the root to the primary identity."
    )
    primary_identity_namespace: Name | None = Field(None, description="The namespace of the primary identity.")
    identity_map: bool = Field(False, description="Whether rows have an `identityMap`.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.location is None and self.identifier is None:
            raise ValueError("either location or identifier is required")
        if (self.catalog is None) != (self.identifier is None):
            raise ValueError("catalog and identifier are given together, or not at all")
        if (self.primary_identity_path is None) != (self.primary_identity_namespace is None):
            raise ValueError("primary_identity_path and primary_identity_namespace are given together, or not at all")
        return self


class LimitSettings(_Part):
    """What the server refuses."""

    body_bytes_max: int = Field(16 * 1024 * 1024, ge=1_024, le=1024**3, description="Bytes in a request body.")
    small_order_identities: int = Field(
        100, ge=0, le=100_000, description="Work orders with fewer identities count against the burst limit."
    )
    small_orders_per_second: float = Field(5, gt=0, le=1_000_000, description="Small work orders a second a client.")
    burst: int = Field(50, ge=1, le=1_000_000, description="Small work orders at once a client.")
    idempotency_hours: float = Field(24, gt=0, le=720, description="How long an Idempotency-Key is remembered.")
    clock_skew_seconds: float = Field(
        5, gt=0, le=3_600, description="By how much this machine's clock may differ from the database's when ready."
    )


class WorkSettings(_Part):
    """How accepted work is carried out."""

    workers: int = Field(
        1, ge=0, le=64, description="Workers inside `lethe serve`; 0 leaves the work to `lethe worker`."
    )
    processes: int = Field(2, ge=1, le=256, description="Processes that one worker rewrites files with.")
    memory_bytes: int = Field(
        2 * 1024**3, ge=64 * 1024**2, description="Memory that these processes may expect to use together, in bytes."
    )
    lease_seconds: float = Field(
        30, ge=1, le=3_600, description="How long a worker may stand still before another takes its task over."
    )
    readers_grace_seconds: float = Field(
        0, ge=0, le=31_536_000, description="How long files stay for queries that began before the deletion."
    )
    writers_grace_seconds: float = Field(
        3_600, ge=0, le=31_536_000, description="How long a file that no table refers to may be a commit on its way."
    )
    trash_days: float = Field(
        0, ge=0, le=365, description="How long an expired dataset can be restored before it is destroyed, in days."
    )


class AftercareSettings(_Part):
    """What follows the end of work."""

    reverify_days: tuple[Annotated[float, Field(gt=0, le=3_650)], ...] = Field(
        (),
        max_length=20,
        description="Days after completion on which to look whether an erased identity is back, such as `[1, 7, 30]`; "
        "each look reads the identity columns of the order's tables.",
    )
    failed_identities_days: float = Field(
        30, ge=0, le=3_650, description="How long raw identities of a failed order stay, encrypted, for its retry."
    )
    history_days: float = Field(
        0,
        ge=0,
        le=36_500,
        description="How long plans, results, keyed hashes and tasks of ended work stay; 0 is for ever. Orders, "
        "expirations, certificates and the audit trail stay in any case.",
    )


class IdentityColumnsSettings(_Part):
    """Columns that together are an identity."""

    id_column: Name = Field(description="The column of the id.")
    namespace_column: Name | None = Field(None, description="The column of the namespace, if the table has one.")
    namespace_form: Literal["number", "code"] = Field("number", description="How that column names a namespace.")
    namespace: Name | None = Field(None, description="The code of the one namespace of all ids, without such a column.")

    @model_validator(mode="after")
    def _one_namespace(self) -> Self:
        if (self.namespace_column is None) == (self.namespace is None):
            raise ValueError("exactly one of namespace_column and namespace is given")
        return self


class TableSettings(_Part):
    """One table of a product's database."""

    name: Name = Field(description="The table, `schema.table` when it is not on the search path.")
    key: tuple[Name, ...] = Field(min_length=1, description="The columns of its primary key.")
    identities: tuple[IdentityColumnsSettings, ...] = Field(
        min_length=1, max_length=2, description="Its identity, or the two ends of an edge."
    )
    org_column: Name | None = Field(None, description="The column of the organization.")
    org_id: Name | None = Field(None, description="The one organization of all rows, without such a column.")
    sandbox_column: Name | None = Field(None, description="The column of the sandbox.")
    sandbox_name: Name | None = Field(None, description="The one sandbox of all rows, without such a column.")
    dataset_column: Name | None = Field(None, description="The column of the dataset that contributed a row.")


class SqlProductSettings(_Part):
    """A product kept in a database."""

    url: SecretStr = Field(description="`postgresql://…` or `sqlite:///path`.")
    tables: tuple[TableSettings, ...] = Field(min_length=1, description="Its tables, referring ones first.")
    chunk: int = Field(5_000, ge=1, le=1_000_000, description="Rows deleted in one transaction.")
    wait_seconds: float = Field(
        15, gt=0, le=3_600, description="How long to look again while something stands in the way."
    )
    rewrite: bool = Field(
        False, description="PostgreSQL: rewrite tables (VACUUM FULL), so that no byte stays in a file."
    )


class HttpProductSettings(_Part):
    """A product behind an HTTP service."""

    base_url: Name = Field(description="Its root; https, or http on loopback.")
    secret: SecretStr = Field(description="The shared secret by which requests are signed: `whsec_` and base64.")
    can_verify: bool = Field(False, description="Whether it answers `POST {base_url}/verify`.")
    timeout_seconds: float = Field(10, gt=0, le=600, description="How long to wait for it.")
    ids_per_request: int = Field(5_000, ge=1, le=100_000, description="Identities in one request.")
    poll_seconds: float = Field(15, gt=0, le=3_600, description="How long to leave it alone while it works.")
    failures_max: int = Field(5, ge=1, le=1_000, description="Failures after which it is left alone for a while.")
    open_seconds: float = Field(60, gt=0, le=86_400, description="How long that while is.")


class ProductSettings(_Part):
    """How one product is reached."""

    kind: Literal["embedded", "sql", "http"] = Field(
        "embedded", description="A file of the data directory, a database, or a service."
    )
    sql: SqlProductSettings | None = Field(None, description="Its database.")
    http: HttpProductSettings | None = Field(None, description="Its service.")

    @model_validator(mode="after")
    def _kind_is_described(self) -> Self:
        given = [name for name in ("sql", "http") if getattr(self, name) is not None]
        if given != ([] if self.kind == "embedded" else [self.kind]):
            raise ValueError(f"a product of kind {self.kind!r} needs the section of that name, and no other")
        return self


class ProductsSettings(_Part):
    """The services that must forget besides the data lake."""

    identity: ProductSettings = Field(ProductSettings(), description="Identity Service.")
    profile: ProductSettings = Field(ProductSettings(), description="Profile Service.")
    ajo: ProductSettings = Field(ProductSettings(), description="Journey Orchestrator.")


class WebhookSettings(_Part):
    """How events reach webhooks."""

    senders: int = Field(
        2, ge=1, le=64, description="Webhooks that one process with workers delivers to at once, beside its work."
    )
    max_per_org: int = Field(20, ge=0, le=1_000, description="Webhooks of one organization.")
    timeout_seconds: float = Field(10, gt=0, le=60, description="How long a receiver may take to answer, in seconds.")
    allowed_networks: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="Networks that webhooks may lead to although they are not public, such as `10.1.0.0/16`. "
        "`127.0.0.0/8` also admits `http://` on this machine's loopback address.",
    )
    disable_after_days: float = Field(
        5, gt=0, le=365, description="Days of nothing but failures after which a webhook is disabled."
    )
    keep_days: float = Field(30, ge=4, le=3_650, description="Days for which events and deliveries are kept.")


class LogSettings(_Part):
    """What is logged."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least level that is logged.")
    format: Literal["json", "console"] = Field("json", description="A JSON object a line, or text for people.")


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="LETHE_", env_nested_delimiter="__", frozen=True, extra="forbid", env_ignore_empty=True
    )

    data_dir: Path = Field(Path("data"), description="Where the embedded databases and the keys are.")
    database_url: SecretStr | None = Field(
        None,
        description="`postgresql://…` or `sqlite:///path`; SQLite in the data directory when absent.",
    )
    secret_key: Secret | None = Field(
        None,
        description="The key from which those are derived that encrypt identities and hash them; at least 32 "
        "characters of randomness. When absent, one is made at first start in the data directory. Whoever loses it "
        "loses the identities of open work orders.",
    )
    previous_secret_keys: tuple[Secret, ...] = Field(
        (), description="Keys of before a rotation, by which open work orders may still be encrypted."
    )
    host: Name = Field("127.0.0.1", description="The address to listen on.")
    port: int = Field(8080, ge=0, le=65_535, description="The port to listen on; 0 is any free one.")
    public_url: Name | None = Field(None, description="The root under which clients see this server, behind a proxy.")
    shutdown_seconds: int = Field(20, ge=0, le=3_600, description="How long a stop waits for requests under way.")
    log: LogSettings = Field(LogSettings(), description="What is logged.")
    limits: LimitSettings = Field(LimitSettings(), description="What the server refuses.")
    issuer: IssuerSettings = Field(IssuerSettings(), description="The built-in token issuer.")
    trusted_issuers: tuple[TrustedIssuerSettings, ...] = Field((), description="External issuers.")
    work: WorkSettings = Field(WorkSettings(), description="How accepted work is carried out.")
    webhooks: WebhookSettings = Field(WebhookSettings(), description="How events reach webhooks.")
    aftercare: AftercareSettings = Field(AftercareSettings(), description="What follows the end of work.")
    products: ProductsSettings = Field(ProductsSettings(), description="The services that must forget.")
    catalogs: dict[Name, dict[str, SecretStr]] = Field(
        default_factory=dict, description="Table catalogs by name, each with its properties as pyiceberg takes them."
    )
    object_stores: dict[Literal["s3", "gs", "az"], dict[str, bool | int | SecretStr]] = Field(
        default_factory=dict, description="Options and credentials by scheme, as obstore takes them."
    )
    orgs: tuple[OrgSettings, ...] = Field((), description="The organizations that this installation serves.")
    clients: tuple[ClientSettings, ...] = Field((), description="Clients of the built-in issuer.")
    datasets: tuple[DatasetSettings, ...] = Field((), description="Datasets to register at start.")

    @field_validator("public_url")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("http://", "https://")):
            raise ValueError("begins with http:// or https://")
        return url

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("postgresql://", "postgres://", "sqlite:///")):
            raise ValueError("begins with postgresql:// or sqlite:///")
        return url

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        _refuse_twins("orgs", [org.id for org in self.orgs])
        _refuse_twins("clients", [client.id for client in self.clients])
        _refuse_twins("datasets", [f"{dataset.org}/{dataset.id}" for dataset in self.datasets])
        sandboxes = {org.id: {sandbox.name for sandbox in org.sandboxes} for org in self.orgs}
        for client in self.clients:
            unknown = set(client.orgs) - set(sandboxes)
            if unknown:
                raise ValueError(f"clients: {client.id} names the org {min(unknown)}, which orgs does not")
        for dataset in self.datasets:
            if dataset.sandbox not in sandboxes.get(dataset.org, set()):
                raise ValueError(f"datasets: {dataset.id} names a sandbox that orgs does not")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, and that over the file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_path())


def config_path() -> Path:
    """The file that is read; it need not exist."""
    return Path(os.environ.get(CONFIG_VARIABLE, CONFIG_DEFAULT))


def unknown_variables(others: Collection[str] = ()) -> list[str]:
    """Environment variables that look like settings and are none, such as misspelt ones: they change nothing.

    `others` are variables that somebody else reads.
    """
    prefix = str(Settings.model_config["env_prefix"])
    known = {prefix + name.upper() for name in Settings.model_fields} | {CONFIG_VARIABLE, *others}
    return sorted(
        name for name in os.environ if name.upper().startswith(prefix) and name.split("__")[0].upper() not in known
    )


def load(**overrides: Any) -> Settings:
    """Read the settings. Raises pydantic.ValidationError, tomllib.TOMLDecodeError, FileNotFoundError."""
    if CONFIG_VARIABLE in os.environ and not config_path().is_file():
        raise FileNotFoundError(f"{CONFIG_VARIABLE} names {config_path()}, which is not there")
    return Settings(**overrides)


def _refuse_twins(field: str, ids: list[str]) -> None:
    twins = {each for each in ids if ids.count(each) > 1}
    if twins:
        raise ValueError(f"{field}: {min(twins)} stands twice")
