"""The built-in issuer's signing keys, as files that only this user can read.

The directory (mode 700) holds one file a key (mode 600): `000001.jwk`, `000002.jwk`, … The highest number signs;
every key that is there verifies. A number's content never changes, so the list of names tells whether anything did.
Deleting an older file ends the life of the tokens that it signed.

A key is written whole to a file of its own, made durable, then linked to its number. The link is the only effect that
others see, and it fails when the number is taken: of two processes that start or rotate at once, one wins and both
use its key. A crash before the link leaves a file that nobody reads.
"""

import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from lethe.auth.algorithms import BUILT_IN_ALGORITHM

_KEY_FILE: Final = re.compile(r"[0-9]{6}\.jwk")
_ACCESS_OF_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class SigningKeysUnusable(Exception):
    """The signing keys cannot be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class _Loaded:
    names: tuple[str, ...]
    signing: OKPKey
    verifying: KeySet


class SigningKeys:
    """The Ed25519 keys in one directory. Safe to share between threads, and with other processes."""

    def __init__(self, directory: Path) -> None:
        """Opens the directory; makes it, and the first key, when there is none. Raises SigningKeysUnusable."""
        self._directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_access_of_others(directory, directory.stat().st_mode, "700")
            if not self._names():
                self._add("000001.jwk")
        except OSError as error:
            raise SigningKeysUnusable(f"{directory}: {error.strerror}; it must be writable by this user") from error
        self._loaded = self._load(self._names())

    def signing_key(self) -> OKPKey:
        """The private key that signs now; its `kid` is its RFC 7638 thumbprint. Raises SigningKeysUnusable."""
        return self._now_loaded().signing

    def verifying_keys(self) -> KeySet:
        """The public halves of all keys; the same object until a key comes or goes. Raises SigningKeysUnusable."""
        return self._now_loaded().verifying

    def rotate(self) -> str:
        """Sign with a new key from now on, and return its kid; older keys still verify. Raises SigningKeysUnusable.

        Rotations at the same instant become one: each asks for a key newer than what it saw, and gets one.
        """
        newest = int(self._now_loaded().names[-1].removesuffix(".jwk"))
        try:
            self._add(f"{newest + 1:06}.jwk")
        except OSError as error:
            raise SigningKeysUnusable(f"{self._directory}: {error.strerror}; it must be writable") from error
        return str(self.signing_key().kid)

    def _now_loaded(self) -> _Loaded:
        try:
            names = self._names()
        except OSError as error:
            raise SigningKeysUnusable(f"{self._directory}: {error.strerror}") from error
        if names != self._loaded.names:
            self._loaded = self._load(names)
        return self._loaded

    def _names(self) -> tuple[str, ...]:
        return tuple(sorted(filter(_KEY_FILE.fullmatch, os.listdir(self._directory))))  # noqa: PTH208  every request

    def _load(self, names: tuple[str, ...]) -> _Loaded:
        if not names:
            raise SigningKeysUnusable(f"{self._directory} holds no key: restore it, or restart to make a new one")
        keys = [_read(self._directory / name) for name in names]
        return _Loaded(names, keys[-1], KeySet([_public_half(key) for key in keys]))

    def _add(self, name: str) -> None:
        key = OKPKey.generate_key("Ed25519")
        draft = self._directory / f".{key.thumbprint()}"
        # O_EXCL with the mode in the same call: at no instant can others open the file.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump(key.as_dict(private=True), file)
                file.flush()
                os.fsync(file.fileno())
            try:
                (self._directory / name).hardlink_to(draft)
            except FileExistsError:
                return  # another process was first, and its key is as good
        finally:
            draft.unlink()
        _make_durable(self._directory)


def _read(path: Path) -> OKPKey:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="ascii") as file:
            _refuse_access_of_others(path, os.fstat(file.fileno()).st_mode, "600")
            key = OKPKey.import_key(json.load(file))
        if key.curve_name != "Ed25519" or not key.is_private:
            raise SigningKeysUnusable(f"{path} is no Ed25519 private key: remove it, or restore it from a backup")
        return OKPKey.import_key(key.raw_value, {"kid": key.thumbprint()})
    except OSError as error:
        raise SigningKeysUnusable(f"{path}: {error.strerror}; it must be a file readable by this user") from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise SigningKeysUnusable(f"{path} is no key: remove it, or restore it from a backup") from error


def _public_half(key: OKPKey) -> OKPKey:
    return OKPKey.import_key({**key.as_dict(private=False), "use": "sig", "alg": BUILT_IN_ALGORITHM})


def _refuse_access_of_others(path: Path, mode: int, right_mode: str) -> None:
    if mode & _ACCESS_OF_OTHERS:
        raise SigningKeysUnusable(
            f"{path} is open to other users (mode {stat.S_IMODE(mode):o}): run `chmod {right_mode} {path}`, "
            "and rotate the keys if somebody may have read them"
        )


def _make_durable(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
