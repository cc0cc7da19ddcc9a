"""Certificates (Lethe's own)."""

from typing import Any

from lethe.contract.shape import Answer


class CertificateOut(Answer):
    """A certificate: its content, and the same content signed (JSON Web Signature, Ed25519)."""

    certificate: dict[str, Any]
    jws: str


class CertificateKeysOut(Answer):
    """The keys that sign certificates (RFC 7517)."""

    keys: list[dict[str, Any]]
