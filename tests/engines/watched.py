"""A storage of which every call can be watched, made to fail, or used by others as the moment to act."""

from typing import Any

from engines.plug import Hook
from lethe.engines.storage.interface import Storage


def unwatched(call: str, path: str) -> None:
    """Nobody looks."""


class Watched:
    """Wraps a storage; tells of each call before it is made, and after."""

    def __init__(self, inner: Storage, before: Hook = unwatched, after: Hook = unwatched) -> None:
        self._inner = inner
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            path = str(args[0]) if args else ""
            self._before(name, path)
            answer = found(*args, **options)
            self._after(name, path)
            return answer

        return call
