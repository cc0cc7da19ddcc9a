"""Access tokens: one that was given, or those that the issuer gives for a client's secret, renewed in time."""

from threading import Lock
from typing import Final, Protocol

import httpx2
from pydantic import BaseModel

from lethe.client.answers import Repeat, again_or_never, document_of, read, send
from lethe.client.errors import refusal
from lethe.client.retrying import Patience, persist
from lethe.client.surroundings import Surroundings

TOKEN_PATH: Final = "/ims/token/v3"  # noqa: S105 - a path
_MARGIN_SECONDS: Final = 60
"""A token is renewed this long before it expires, for requests on their way and clocks that differ."""


class Tokens(Protocol):
    """Where a call's token comes from."""

    def current(self) -> str:
        """A token to send. Raises LetheError."""
        ...

    def renew(self, refused: str) -> bool:
        """Say that this token was refused; whether another can be had."""
        ...


class GivenToken:
    """A token that cannot be renewed."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        """The token."""
        return self._token

    def renew(self, refused: str) -> bool:  # noqa: ARG002 - there is no other
        """There is no other."""
        return False


class _Issued(BaseModel):
    access_token: str
    expires_in: float


class ClientCredentials:
    """Tokens for a client's id and secret, kept until shortly before they expire. Threads may share it."""

    def __init__(
        self, http: httpx2.Client, client_id: str, secret: str, patience: Patience, around: Surroundings
    ) -> None:
        self._http = http
        self._form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "scope": "openid",
        }
        self._patience = patience
        self._around = around
        self._lock = Lock()
        self._token: str | None = None
        self._good_until = 0.0

    def current(self) -> str:
        """The token at hand, or a new one."""
        with self._lock:
            if self._token is None or self._around.monotonic() >= self._good_until:
                asked_at = self._around.monotonic()
                issued = persist(self._fetch, self._patience, self._around)
                self._token = issued.access_token
                margin = min(_MARGIN_SECONDS, issued.expires_in / 10)
                self._good_until = asked_at + issued.expires_in - margin
            return self._token

    def renew(self, refused: str) -> bool:
        """Forget the token that was refused, unless another thread has renewed it already."""
        with self._lock:
            if self._token == refused:
                self._token = None
        return True

    def _fetch(self) -> _Issued:
        response = send(lambda: self._http.post(TOKEN_PATH, data=self._form), f"POST {TOKEN_PATH}", Repeat.ALWAYS)
        if response.is_success:
            return read(response, _Issued)
        document = document_of(response)
        raise again_or_never(refusal(document), document, Repeat.ALWAYS, response)
