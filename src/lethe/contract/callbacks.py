"""`/callbacks`: what a service says by itself (Lethe's own)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from lethe.contract.shape import Answer, words


class CallbackIn(BaseModel):
    """How far the service is with one request. It is asked again at once; what it answers then counts."""

    model_config = ConfigDict(extra="ignore")

    request_key: Annotated[str, Field(description="The key of the request, as the service was given it.")]
    status: Annotated[str, words("pending", "in_progress", "completed", "refused")]


class CallbackOut(Answer):
    """The callback was heard."""

    status: Annotated[str, words("accepted")] = "accepted"
