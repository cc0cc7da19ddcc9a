"""A way to the database that can be cut at a commit."""

import socket
from enum import Enum, auto
from threading import Thread

COMMIT = b"COMMIT\0"
"""The statement, and the tag of its answer; an isolation level only begins alike."""


class Cut(Enum):
    """When the connection breaks."""

    NEVER = auto()
    BEFORE_COMMIT = auto()
    """The server never hears of the commit."""
    AFTER_COMMIT = auto()
    """The server has answered the commit, the client never hears of it."""


class Proxy:
    """Passes bytes between clients and one server on the loopback; `close` refuses whoever comes later."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self.cut = Cut.NEVER
        self.then_refuse = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Shutting down wakes the thread that accepts; closing alone would leave it waiting.
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            return
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            Thread(target=self._to_server, args=(client, server), daemon=True).start()
            Thread(target=self._to_client, args=(client, server), daemon=True).start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        for chunk in _chunks(client):
            if COMMIT in chunk and self.cut is Cut.BEFORE_COMMIT:
                break
            server.sendall(chunk)
        self._break(client, server)

    def _to_client(self, client: socket.socket, server: socket.socket) -> None:
        for chunk in _chunks(server):
            if chunk.startswith(b"C") and COMMIT in chunk and self.cut is Cut.AFTER_COMMIT:
                break
            client.sendall(chunk)
        self._break(client, server)

    def _break(self, client: socket.socket, server: socket.socket) -> None:
        if self.then_refuse and self.cut is not Cut.NEVER:
            self.close()
        self.cut = Cut.NEVER
        for end in (client, server):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            end.close()


def _chunks(source: socket.socket):  # type: ignore[no-untyped-def]
    while True:
        try:
            chunk = source.recv(65_536)
        except OSError:
            return
        if not chunk:
            return
        yield chunk
