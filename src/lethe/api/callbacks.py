"""`/callbacks`: services say that they have news. Admitted by the signature on the body, not by a token."""

from typing import Annotated, Final

from fastapi import Depends, Path, Request, Response

from lethe.api.answers import answer
from lethe.api.bodies import bounded_bytes
from lethe.api.gate import SandboxUse, services_of
from lethe.api.resource import ROOT, SIGNED, Resource
from lethe.contract import error_codes as codes
from lethe.contract.callbacks import CallbackIn, CallbackOut
from lethe.domain.errors import CallbackNotVerified, UnknownCallback
from lethe.domain.product import Product
from lethe.operations.callbacks import hear_callback
from lethe.products.interface import BadCallback

callbacks = Resource(f"{ROOT}/callbacks", "Callbacks of services")

BODY_BYTES_MAX: Final = 65_536


async def read_message(request: Request) -> bytes:
    """Read a message, which is short. Raises NotJsonBody, BodyTooLarge."""
    return await bounded_bytes(request, min(BODY_BYTES_MAX, services_of(request).limits.body_bytes_max))


@callbacks.route(
    "POST",
    "/{PRODUCT}",
    permission=SIGNED,
    sandbox_use=SandboxUse.IGNORED,
    answer=CallbackOut,
    status=202,
    body=CallbackIn,
    errors=[codes.CALLBACK_NOT_VERIFIED, codes.CALLBACK_UNKNOWN, codes.INVALID_PARAMETER],
)
def receive_callback(
    request: Request,
    name: Annotated[str, Path(alias="PRODUCT", max_length=32, description="identity, profile or ajo.")],
    body: Annotated[bytes, Depends(read_message)],
) -> Response:
    """Hear how far a service is with a request, and ask it at once.

    Signed after Standard Webhooks with the secret that Lethe and the service share. A message may come any number of
    times; one older than five minutes is refused.
    """
    services = services_of(request)
    product = Product(name) if name in set(Product) else None
    verifier = None if product is None else services.callbacks.get(product)
    if product is None or verifier is None:
        raise UnknownCallback("no such service is configured to be asked over HTTP")
    try:
        heard = verifier.callback(request.headers, body)
    except BadCallback as error:
        raise CallbackNotVerified(str(error)) from error
    with services.store.write() as tx:
        hear_callback(tx, product, heard.message_id, heard.key)
        return answer(CallbackOut(), 202)
