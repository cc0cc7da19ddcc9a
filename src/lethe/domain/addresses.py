"""Which addresses a webhook may lead to: the public ones, and those that the settings allow besides.

Whoever may create a webhook chooses where this server connects to. Without this rule that could be a metadata service,
a database's port or a neighbour that trusts the network. A name is judged by the addresses to which it resolves at the
moment of connecting, not before: it can be made to resolve otherwise later.
"""

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from lethe.domain.errors import InvalidField

URL_LENGTH_MAX: Final = 2_048

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAMES: Final = frozenset({"localhost"})


@dataclass(frozen=True, slots=True)
class AddressRule:
    """Public addresses are admitted; private, link-local, loopback and other special ones only within `networks`."""

    networks: tuple[Network, ...] = ()

    def admits(self, address: Address) -> bool:
        """Whether a connection to this address may be opened."""
        meant = _embedded(address)
        if any(meant.version == network.version and meant in network for network in self.networks):
            return True
        return meant.is_global and not meant.is_multicast and not meant.is_reserved

    def require_url(self, url: str, field: str) -> None:
        """Refuse a URL that cannot be delivered to. Raises InvalidField, which does not repeat it.

        `https`; `http` only for this machine's loopback address, where the rule admits it.
        """
        if len(url) > URL_LENGTH_MAX:
            raise InvalidField(f"has at most {URL_LENGTH_MAX} characters", field=field)
        parts = _split(url)
        if parts is None or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            raise InvalidField("is not a URL in ASCII with a host", field=field)
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise InvalidField("holds neither a user, nor a password, nor a fragment", field=field)
        address = _literal(parts.hostname or "")
        is_loopback = parts.hostname in _LOCAL_NAMES or (address is not None and address.is_loopback)
        if not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback)):
            raise InvalidField("begins with https://", field=field)
        local = ipaddress.ip_address("127.0.0.1") if parts.hostname in _LOCAL_NAMES else address
        if local is not None and not self.admits(local):
            raise InvalidField("leads to an address that is not public", field=field)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname else None


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
