"""What all shapes of the wire have in common."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

DISPLAY_NAME_LENGTH_MAX: Final = 255
DESCRIPTION_LENGTH_MAX: Final = 1_000
FILTER_LENGTH_MAX: Final = 1_000
ID_LENGTH_MAX: Final = 255


def without_nul(text: str) -> str:
    """Refuse the one character that a database text cannot hold."""
    if "\0" in text:
        raise ValueError("must not contain the NUL character")
    return text


def _plain_integer(value: object) -> object:
    """Refuse what a lenient parser takes for an integer, such as `5.0` or `1_000`."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,20}", value):
        raise ValueError("must be an integer")
    return value


PLAIN_INTEGER: Final = BeforeValidator(_plain_integer)
"""Marks an integer of a query; stands behind its Field."""

NO_NUL: Final = AfterValidator(without_nul)
"""Stands last in an annotation: lengths behind it would be told in items instead of characters."""

Text = Annotated[str, NO_NUL]
DisplayName = Annotated[str, StringConstraints(max_length=DISPLAY_NAME_LENGTH_MAX), NO_NUL]
Description = Annotated[str, StringConstraints(max_length=DESCRIPTION_LENGTH_MAX), NO_NUL]
FilterText = Annotated[str, StringConstraints(max_length=FILTER_LENGTH_MAX), NO_NUL]
InstantText = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2024-03-28T16:41:24.262521Z"])]
"""An instant as it is answered: RFC 3339, UTC, with microseconds."""


def words(*known: str) -> FieldInfo:
    """Say in the schema of a text which words it may be. Nothing is checked: the answer is made of our own words."""
    described: FieldInfo = Field(json_schema_extra={"enum": [*known]})
    return described


def some_of(**types: str) -> dict[str, Any]:
    """Say in a schema that at least one of these properties is given, and is not null."""
    given = [{"required": [name], "properties": {name: {"type": kind}}} for name, kind in types.items()]
    return {"anyOf": given}


class Answer(BaseModel):
    """The body of an answer. What is None is left out."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid")

    def to_json(self) -> bytes:
        """The body, as UTF-8 JSON."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class Body(BaseModel):
    """The body of a request. A field that is not known is refused: a misspelt one must not widen a deletion."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="forbid", strict=True)


class Query(BaseModel):
    """The parameters of a list. Unknown ones are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore", populate_by_name=True)
