"""What all results have in common."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Result(BaseModel):
    """A value that the server answered: frozen, typed, instants aware. Fields that a newer server adds are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore", hide_input_in_errors=True)

    def to_wire(self) -> dict[str, object]:
        """The value in the words of the wire, ready for JSON; what is None is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
