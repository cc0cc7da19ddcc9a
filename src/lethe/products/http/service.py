"""A customer's service: where it is, and what it can do. A value that the settings build."""

import ipaddress
from dataclasses import dataclass, field
from typing import Final

import httpx2

IDS_PER_REQUEST_DEFAULT: Final = 5_000
RESPONSE_BYTES_DEFAULT: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpService:
    """One service. Raises ValueError for a URL over which identities could be read or requests be forged."""

    base_url: str
    secret: str = field(repr=False)
    """`whsec_` and base64, as Standard Webhooks has it; shared with the service."""
    can_verify: bool = False
    """Whether it answers `POST {base}/verify`."""
    timeout_seconds: float = 10.0
    """For each wait for the network, and for one exchange as a whole."""
    response_bytes_max: int = RESPONSE_BYTES_DEFAULT
    ids_per_request: int = IDS_PER_REQUEST_DEFAULT
    poll_seconds: float = 15.0
    """How long to leave it alone while it works, unless it says so itself."""

    def __post_init__(self) -> None:
        """Refuse what would not be safe, without repeating the URL."""
        try:
            url = httpx2.URL(self.base_url)
        except httpx2.InvalidURL:
            url = httpx2.URL("")
        if not url.host or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host))):
            raise ValueError("a service's URL begins with https:// (http:// only for this machine's loopback address)")
        if url.userinfo or url.query or url.fragment:
            raise ValueError("a service's URL holds neither a password, nor a query, nor a fragment")
        if min(self.timeout_seconds, self.response_bytes_max, self.ids_per_request, self.poll_seconds) <= 0:
            raise ValueError("a service's limits are greater than zero")

    def url(self, *parts: str) -> str:
        """The URL of a path below the base; the parts are percent-encoded already."""
        return "/".join((self.base_url.rstrip("/"), *parts))


def is_loopback(host: str) -> bool:
    """Whether this is an address of this very machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
