"""The services that must forget: embedded, in a database, or behind HTTP."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from lethe.settings.part import Name, Part


class IdentityColumnsSettings(Part):
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


class TableSettings(Part):
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


class SqlProductSettings(Part):
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


class HttpProductSettings(Part):
    """A product behind an HTTP service."""

    base_url: Name = Field(description="Its root; https, or http on loopback.")
    secret: SecretStr = Field(description="The shared secret by which requests are signed: `whsec_` and base64.")
    can_verify: bool = Field(False, description="Whether it answers `POST {base_url}/verify`.")
    timeout_seconds: float = Field(10, gt=0, le=600, description="How long to wait for it.")
    ids_per_request: int = Field(5_000, ge=1, le=100_000, description="Identities in one request.")
    poll_seconds: float = Field(15, gt=0, le=3_600, description="How long to leave it alone while it works.")
    failures_max: int = Field(5, ge=1, le=1_000, description="Failures after which it is left alone for a while.")
    open_seconds: float = Field(60, gt=0, le=86_400, description="How long that while is.")


class ProductSettings(Part):
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


class ProductsSettings(Part):
    """The services that must forget besides the data lake."""

    identity: ProductSettings = Field(ProductSettings(), description="Identity Service.")
    profile: ProductSettings = Field(ProductSettings(), description="Profile Service.")
    ajo: ProductSettings = Field(ProductSettings(), description="Journey Orchestrator.")
