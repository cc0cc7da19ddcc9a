"""Errors of object stores name keys, and a key may hold an identity: only the kind of error goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from obstore import exceptions

from lethe.engines.storage.interface import FileExists, FileMissing, StorageFailed


@contextmanager
def failures(call: str) -> Iterator[None]:
    """Turn obstore's errors in a call into StorageFailed, FileMissing and FileExists."""
    try:
        yield
    except FileNotFoundError:
        raise FileMissing(f"{call}: no such object") from None
    except exceptions.AlreadyExistsError:
        raise FileExists(f"{call}: the object exists") from None
    except (exceptions.BaseError, PermissionError, OSError) as error:
        raise StorageFailed(f"{call}: {type(error).__name__}") from None
