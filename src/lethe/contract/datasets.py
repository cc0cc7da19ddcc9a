"""The catalog's data sets."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, RootModel, model_validator

from lethe.contract.shape import (
    ID_LENGTH_MAX,
    NO_NUL,
    PLAIN_INTEGER,
    Answer,
    Body,
    Description,
    DisplayName,
    FilterText,
    Query,
    Text,
    some_of,
)

DATASETS_LIMIT_DEFAULT: Final = 20
DATASETS_LIMIT_MAX: Final = 100
EXPIRY_TAG: Final = "adobe/hygiene/ttl"
"""The tag that says, in epoch milliseconds, when a data set expires."""


class SchemaRef(Answer):
    """The schema of a data set."""

    id: str
    content_type: str = "application/vnd.adobe.xed-full+json;version=1"


class ClassificationOut(Answer):
    """What kind of data set it is."""

    data_behavior: str
    managed_by: str


class TableOut(Answer):
    """Where the rows are (Lethe's own)."""

    format: str
    location: str | None = None
    catalog: str | None = None
    identifier: str | None = None


class DatasetOut(Answer):
    """One data set: all of this, or the properties that were asked for."""

    name: str | None = None
    description: str | None = None
    tags: dict[str, list[str]] | None = None
    schema_ref: SchemaRef | None = None
    classification: ClassificationOut | None = None
    state: str | None = None
    ims_org: str | None = None
    sandbox_id: str | None = None
    created: int | None = None
    updated: int | None = None
    table: TableOut | None = None


class DatasetsOut(RootModel[dict[str, DatasetOut]]):
    """Data sets by their ids."""

    def to_json(self) -> bytes:
        """The body, as UTF-8 JSON."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class DatasetCreated(RootModel[list[str]]):
    """`["@/dataSets/<id>"]`, as the published catalog answers."""

    def to_json(self) -> bytes:
        """The body, as UTF-8 JSON."""
        return self.model_dump_json().encode()


class SchemaRefIn(Body):
    """A schema by its `$id`."""

    id: Annotated[str, Field(min_length=1, max_length=1_000), NO_NUL]
    content_type: Text | None = None


class PrimaryIdentityIn(Body):
    """The field whose value names the person of a row; `path` is the list of field names from the root."""

    path: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=255), NO_NUL]], Field(min_length=1, max_length=32)
    ]
    namespace: Annotated[str, Field(min_length=1, max_length=100), NO_NUL]


class SchemaIn(Body):
    """A schema given with its data set."""

    title: DisplayName | None = None
    primary_identity: PrimaryIdentityIn | None = None
    identity_map: bool = False
    properties: dict[str, Any] = Field(default_factory=dict)


class TableIn(Body):
    """Where the rows are: a location, or a table's identifier in a catalog of the settings."""

    model_config = ConfigDict(json_schema_extra=some_of(location="string", identifier="string"))

    format: Literal["iceberg", "delta", "parquet", "ndjson"]
    location: Annotated[str, Field(max_length=2_000), NO_NUL] | None = None
    catalog: Annotated[str, Field(max_length=255), NO_NUL] | None = None
    identifier: Annotated[str, Field(max_length=1_000), NO_NUL] | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if self.location is None and self.identifier is None:
            raise ValueError("either location or identifier is required")
        if (self.catalog is None) != (self.identifier is None):
            raise ValueError("catalog and identifier are given together, or not at all")
        return self


class DatasetCreate(Body):
    """A data set to register. `id` may be given to keep that of another catalog."""

    model_config = ConfigDict(json_schema_extra=some_of(schemaRef="object", schema="object"))

    id: Annotated[str | None, Field(pattern=rf"^[A-Za-z0-9_-]{{1,{ID_LENGTH_MAX}}}$")] = None
    name: Annotated[DisplayName, Field(min_length=1)]
    description: Description = ""
    tags: dict[Text, list[Text]] = Field(default_factory=dict)
    schema_ref: SchemaRefIn | None = None
    schema_: Annotated[SchemaIn | None, Field(alias="schema")] = None
    table: TableIn

    @model_validator(mode="after")
    def _schema_known(self) -> Self:
        if self.schema_ref is None and self.schema_ is None:
            raise ValueError("schemaRef of a known schema, or a schema, is required")
        return self


class DatasetsQuery(Query):
    """Which data sets to list."""

    limit: Annotated[int, Field(ge=1, le=DATASETS_LIMIT_MAX), PLAIN_INTEGER] = DATASETS_LIMIT_DEFAULT
    start: Annotated[int, Field(ge=0, le=1_000_000_000), PLAIN_INTEGER] = 0
    properties: Annotated[FilterText | None, Field(description="A comma list of the properties to answer.")] = None
