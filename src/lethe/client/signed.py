"""Certificates: what was deleted and verified, signed."""

from typing import Any

from lethe.client.result import Result


class Certificate(Result):
    """A certificate's content, and the same content signed (JSON Web Signature).

    `lethe certificate check` checks it offline.
    """

    certificate: dict[str, Any]
    jws: str
