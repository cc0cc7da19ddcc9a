"""Reading a request's body: its type, its size, its shape."""

import re
from collections.abc import Callable
from typing import Annotated, Final, TypeVar

from fastapi import Depends, Request
from pydantic import ValidationError

from lethe.api.gate import services_of
from lethe.api.problems import body_refusal
from lethe.api.refusals import BodyTooLarge, NotJsonBody
from lethe.contract.json_body import DuplicateKey, NotJson, require_unique_keys
from lethe.contract.shape import Body
from lethe.domain.errors import InvalidField, Refusal

Shape = TypeVar("Shape", bound=Body)

_JSON_TYPE: Final = re.compile(r"application/([a-z0-9.+-]+\+)?json\s*(;.*)?", re.IGNORECASE | re.DOTALL)


async def json_bytes(request: Request) -> bytes:
    """Read the body as bytes. Raises NotJsonBody, BodyTooLarge."""
    return await bounded_bytes(request, services_of(request).limits.body_bytes_max)


async def bounded_bytes(request: Request, maximum: int) -> bytes:
    """Read a JSON body of at most so many bytes. Raises NotJsonBody, BodyTooLarge."""
    too_large = BodyTooLarge(f"the request body may have at most {maximum} bytes", maximum=maximum)
    announced = request.headers.get("content-length", "0").lstrip("0")
    if announced.isdecimal() and (len(announced) > len(str(maximum)) or int(announced) > maximum):
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > maximum:
            raise too_large
    if not body:
        raise NotJsonBody("the request has no body")
    if not _JSON_TYPE.fullmatch(request.headers.get("content-type", "")):
        raise NotJsonBody("a request body needs Content-Type: application/json", field="Content-Type")
    return bytes(body)


JsonBytes = Annotated[bytes, Depends(json_bytes)]


def body_of(shape: type[Shape]) -> Callable[[bytes], Shape]:
    """Make the dependency that reads the body into its shape."""

    def read(body: JsonBytes) -> Shape:
        try:
            require_unique_keys(body)
            return shape.model_validate_json(body)
        except (NotJson, DuplicateKey) as error:
            raise json_refusal(error) from error
        except ValidationError as error:
            if any(found["type"] == "json_invalid" for found in error.errors(include_input=False)):
                raise NotJsonBody from None
            raise body_refusal(error) from None

    return read


def json_refusal(error: NotJson | DuplicateKey) -> Refusal:
    """Refuse a body that is no JSON, or has a key twice."""
    if isinstance(error, DuplicateKey):
        return InvalidField(str(error), field=error.key)
    return NotJsonBody(str(error))
