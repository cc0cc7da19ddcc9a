"""Certificates of completed work orders and expirations, signed."""

import json

from fastapi import Request, Response

from lethe.api.answers import answer, call_of
from lethe.api.gate import SandboxUse, services_of
from lethe.api.resource import PUBLIC, ROOT, Resource
from lethe.api.ttl import ExpirationKey
from lethe.api.ttl_rendering import key_of
from lethe.api.workorder import WorkOrderKey
from lethe.api.workorder_rendering import work_order_id_of
from lethe.contract import error_codes as codes
from lethe.contract.certificate import CertificateKeysOut, CertificateOut
from lethe.domain.caller import Permission
from lethe.operations.certificates import expiration_certificate, work_order_certificate

certificates = Resource(ROOT, "Certificates")


@certificates.route(
    "GET",
    "/workorder/{WORKORDER_ID}/certificate",
    permission=Permission.VIEW,
    answer=CertificateOut,
    errors=[codes.WORK_ORDER_UNKNOWN, codes.CERTIFICATE_UNKNOWN, codes.INVALID_PARAMETER],
)
def get_workorder_certificate(request: Request, key: WorkOrderKey) -> Response:
    """Give the signed certificate of a completed work order; `lethe certificate check` verifies it offline."""
    with services_of(request).store.read() as tx:
        document = work_order_certificate(tx, call_of(request), work_order_id_of(key))
    return _signed(request, document)


@certificates.route(
    "GET",
    "/ttl/{ID}/certificate",
    permission=Permission.VIEW,
    answer=CertificateOut,
    errors=[codes.EXPIRATION_UNKNOWN, codes.CERTIFICATE_UNKNOWN, codes.INVALID_PARAMETER],
)
def get_expiration_certificate(request: Request, key: ExpirationKey) -> Response:
    """Give the signed certificate of a completed expiration; `lethe certificate check` verifies it offline."""
    with services_of(request).store.read() as tx:
        document = expiration_certificate(tx, call_of(request), key_of(key))
    return _signed(request, document)


@certificates.route(
    "GET", "/certificate/keys", permission=PUBLIC, sandbox_use=SandboxUse.IGNORED, answer=CertificateKeysOut
)
def get_certificate_keys(request: Request) -> Response:
    """Show the keys that sign certificates."""
    return answer(CertificateKeysOut(keys=list(services_of(request).signer.public_keys()["keys"])))


def _signed(request: Request, document: str) -> Response:
    jws = services_of(request).signer.sign(document.encode())
    return answer(CertificateOut(certificate=json.loads(document), jws=jws))
