"""Datasets that are registered at start."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from lethe.settings.part import Name, Part


class DatasetSettings(Part):
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
