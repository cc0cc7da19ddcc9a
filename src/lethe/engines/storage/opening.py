"""From a location to its storage: a path, a `file:` URL, or an object store's URL; credentials are the settings'."""

import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from obstore.store import from_url

from lethe.engines.interface import TableRefused
from lethe.engines.storage.interface import Storage
from lethe.engines.storage.local import LocalStorage
from lethe.engines.storage.objects import ObjectStorage

StorageOpener = Callable[[str], Storage]
"""Opens a location; given to the engines, so that tests can wrap what it answers."""


def storage_opener(options: Mapping[str, Mapping[str, Any]] | None = None) -> StorageOpener:
    """An opener with the settings' options per scheme (`s3`, `gs`, `az`), as obstore names them.

    Options never come from a table's own properties.
    """
    by_scheme = dict(options or {})

    def open_storage(location: str) -> Storage:
        parts = urlsplit(location)
        if parts.scheme in {"", "file"}:
            path = location if not parts.scheme else unquote(parts.path)
            return LocalStorage(os.path.realpath(path))
        if parts.username or parts.password or parts.query:
            raise TableRefused("a location must not carry credentials or a query")
        scheme = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "abfss": "az", "abfs": "az"}.get(parts.scheme, parts.scheme)
        store = from_url(location.replace(f"{parts.scheme}:", f"{scheme}:", 1), **by_scheme.get(scheme, {}))
        return ObjectStorage(location, store)

    return open_storage
