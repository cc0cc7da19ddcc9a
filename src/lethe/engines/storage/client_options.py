"""obstore's options of a client, as far as other clients of the same store follow them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def verifies(options: Mapping[str, Any]) -> bool:
    """Whether certificates must be valid."""
    return str(options.get("allow_invalid_certificates", "")).lower() != "true"


def proxy(options: Mapping[str, Any]) -> str | None:
    """The proxy that was chosen."""
    return str(options["proxy_url"]) if options.get("proxy_url") else None


def is_here(address: str) -> bool:
    """Whether a proxy of the environment cannot reach an address: it is this machine's own loopback."""
    return urlsplit(address).hostname in {"localhost", "127.0.0.1", "::1"}
