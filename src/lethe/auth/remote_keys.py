"""The public keys of an external issuer, fetched when needed and kept for a while."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc.jwk import KeySet

from lethe.auth.fetch import FetchFailed, fetch_object, refuse_unprotected
from lethe.auth.key_sets import KeysUnavailable, holds, read_key_set


@dataclass(frozen=True, slots=True)
class _Held:
    keys: KeySet
    fetched_at: datetime


class RemoteKeys:
    """A JSON Web Key Set behind a URL; implements `KeySource`.

    The first token causes the first fetch, so that Lethe starts while the issuer is down. Later fetches happen when
    the set is older than `age_max`, or when a token names a key that is not in it (the issuer may have rotated); but
    never sooner than `refresh_interval` after the one before, since anybody can make up names of keys. When a fetch
    fails, the set that is held stays in use.

    One thread fetches at a time. Threads that can do with the held set never wait for it.
    """

    def __init__(
        self,
        issuer: str,
        *,
        now: Callable[[], datetime],
        key_set_url: str | None = None,
        timeout_seconds: float = 5.0,
        refresh_interval: timedelta = timedelta(seconds=30),
        age_max: timedelta = timedelta(hours=1),
    ) -> None:
        """Without `key_set_url` the issuer's OpenID discovery document says where the keys are.

        Raises ValueError when a URL is neither https nor on the loopback.
        """
        try:
            refuse_unprotected(key_set_url or issuer)
        except FetchFailed as error:
            raise ValueError(str(error)) from error
        self._issuer = issuer
        self._key_set_url = key_set_url
        self._now = now
        self._timeout_seconds = timeout_seconds
        self._refresh_interval = refresh_interval
        self._age_max = age_max
        self._fetching = threading.Lock()
        self._held: _Held | None = None
        self._tried_at: datetime | None = None
        self._failure: str | None = None

    @property
    def failure(self) -> str | None:
        """Why the last fetch failed; None when it succeeded, or there was none yet."""
        return self._failure

    def keys(self, kid: str | None) -> KeySet:
        """The issuer's keys, fetched anew when `kid` is not among them. Raises KeysUnavailable."""
        held = self._held
        if held is not None and holds(held.keys, kid):
            if _has_passed(self._age_max, held.fetched_at, self._now()) and self._fetching.acquire(blocking=False):
                try:
                    self._refresh()
                finally:
                    self._fetching.release()
        else:
            with self._fetching:
                # Whoever held the lock may have fetched meanwhile what this thread waits for.
                if self._held is held:
                    self._refresh()
        if self._held is None:
            raise KeysUnavailable(self._failure)
        return self._held.keys

    def _refresh(self) -> None:
        now = self._now()
        if self._tried_at is not None and not _has_passed(self._refresh_interval, self._tried_at, now):
            return
        self._tried_at = now
        try:
            url = self._key_set_url or self._discovered_url()
            self._held = _Held(read_key_set(self._fetch(url)), now)
        except (FetchFailed, KeysUnavailable) as error:
            self._failure = str(error)
        else:
            self._failure = None

    def _discovered_url(self) -> str:
        document = self._fetch(f"{self._issuer.removesuffix('/')}/.well-known/openid-configuration")
        # OpenID Connect Discovery, section 4.3: another name would let one issuer speak for another.
        if document.get("issuer") != self._issuer:
            raise FetchFailed(f"the discovery document of {self._issuer} is another issuer's")
        url = document.get("jwks_uri")
        if not isinstance(url, str):
            raise FetchFailed(f"the discovery document of {self._issuer} has no jwks_uri")
        return url

    def _fetch(self, url: str) -> dict[str, object]:
        return fetch_object(url, self._timeout_seconds, self._now)


def _has_passed(interval: timedelta, since: datetime, now: datetime) -> bool:
    # A clock that was set back counts as passed; otherwise no key would be fetched until it has caught up.
    return not timedelta(0) <= now - since < interval
