"""The guard at the socket: connects only to addresses that the rule admits, and only for so long.

A name is resolved once, its addresses are judged, and one of those judged is connected to: there is no second look-up
whose answer could differ. The deadline counts for the exchange as a whole, so that a receiver that sends a byte at a
time ends, too.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore2

from lethe.domain.addresses import Address, AddressRule

Resolve = Callable[[str, int], Sequence[Address]]


class NotAdmitted(Exception):
    """The name leads to no address that may be connected to."""


def resolve(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name, in the system's order. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]


class Deadline:
    """How much of an exchange's time is left."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends_at = monotonic() + seconds

    def left(self) -> float:
        """Seconds. Raises httpcore2.ReadTimeout when there are none."""
        left = self._ends_at - self._monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("the time is up")
        return left


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens the connections of one exchange."""

    def __init__(self, rule: AddressRule, resolve: Resolve, deadline: Deadline) -> None:
        self._rule = rule
        self._resolve = resolve
        self._deadline = deadline
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first admitted address of the host that answers. Raises NotAdmitted."""
        admitted = [address for address in self._resolve(host, port) if self._rule.admits(address)]
        if not admitted:
            raise NotAdmitted
        for number, address in enumerate(admitted, 1):
            try:
                stream = self._sockets.connect_tcp(
                    str(address), port, self._deadline.left() / number, local_address, socket_options
                )
            except httpcore2.ConnectError:
                if number == len(admitted):
                    raise
            else:
                return _BoundedStream(stream, self._deadline)
        raise NotAdmitted


class _BoundedStream(httpcore2.NetworkStream):
    """A connection whose every wait ends with the exchange's time."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline counts
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - likewise
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - likewise
    ) -> httpcore2.NetworkStream:
        return _BoundedStream(
            self._stream.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
