"""All settings of an installation, and where they are read from."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from lethe.settings.callers import ClientSettings, IssuerSettings, TrustedIssuerSettings
from lethe.settings.datasets import DatasetSettings
from lethe.settings.organizations import OrgSettings
from lethe.settings.part import Name, Part, Secret
from lethe.settings.products import ProductsSettings
from lethe.settings.work import AftercareSettings, WebhookSettings, WorkSettings

CONFIG_VARIABLE: Final = "LETHE_CONFIG"
CONFIG_DEFAULT: Final = "lethe.toml"


class LimitSettings(Part):
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


class LogSettings(Part):
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
