"""The store of the settings, and the secret from which its keys come."""

import os
import secrets
from pathlib import Path
from typing import Final

from lethe.settings import Settings
from lethe.storage.store import SqlStore
from lethe.storage.vault_keys import VaultKeys

SECRET_FILE: Final = "secret.key"  # noqa: S105 - the file's name
KEYS_DIRECTORY: Final = "keys"
DATABASE_FILE: Final = "lethe.db"


def open_store(settings: Settings) -> SqlStore:
    """Open the store of the settings; it is not migrated."""
    url = settings.database_url.get_secret_value() if settings.database_url else None
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    previous = [key.get_secret_value().encode() for key in settings.previous_secret_keys]
    keys = VaultKeys.from_secret(_secret(settings), previous=previous)
    return SqlStore(url or f"sqlite:///{(settings.data_dir / DATABASE_FILE).resolve()}", keys)


def database_file(settings: Settings) -> Path | None:
    """The file of a SQLite database; None on PostgreSQL."""
    if settings.database_url is None:
        return settings.data_dir / DATABASE_FILE
    url = settings.database_url.get_secret_value()
    return Path(url.removeprefix("sqlite:///").partition("?")[0]) if url.startswith("sqlite:///") else None


def _secret(settings: Settings) -> bytes:
    """The settings' secret key, or the one in the data directory, made when it is missing.

    The file is written under another name and linked into place, so that two processes that start at once agree, and
    none reads half a key.
    """
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    path = settings.data_dir / KEYS_DIRECTORY / SECRET_FILE
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(f".{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first, and its key counts
        finally:
            draft.unlink()
    return path.read_bytes()
