"""What every part of the settings has in common, and the kinds of values that several of them hold."""

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]
Signature = Annotated[str, StringConstraints(min_length=1, max_length=160, pattern=r"^[^\x00-\x1f\x7f]+$")]
Count = Annotated[int, Field(ge=0, le=10**15)]
SECRET_LENGTH_MIN: Final = 32


def _long_enough(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < SECRET_LENGTH_MIN:
        raise ValueError(f"has at least {SECRET_LENGTH_MIN} characters")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_long_enough)]


class Part(BaseModel):
    """A part of the settings: frozen, and nothing in it that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")
