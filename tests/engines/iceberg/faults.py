"""Faults and other writers, put exactly where they hurt."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from engines.faults import Faults, FaultyStorage
from engines.iceberg.lake import QuietCatalog
from lethe.engines.rewrite.interface import Judge, Rewritten
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter
from lethe.engines.storage.interface import Storage, StorageFailed
from lethe.engines.storage.local import LocalStorage


class Killed(BaseException):
    """The process ends here: no handler of errors sees it."""


@dataclass
class Meanwhile:
    """A rewriter before whose first copy something else happens."""

    action: Callable[[], object]
    calls: int = 0

    def rewrite(self, source: Any, sink: IO[bytes], judge: Judge, *, anew: bool = False) -> Rewritten:
        self.calls += 1
        if self.calls == 1:
            self.action()
        return PyarrowRewriter().rewrite(source, sink, judge)


class HookedCatalog(QuietCatalog):
    """A catalog before and after whose commits something happens."""

    before: Callable[[int], object] = staticmethod(lambda _: None)
    after: Callable[[int], object] = staticmethod(lambda _: None)
    commits: int = 0

    def commit_table(self, table: Any, requirements: Any, updates: Any) -> Any:
        self.commits += 1
        number = self.commits
        self.before(number)
        answer = super().commit_table(table, requirements, updates)
        self.after(number)
        return answer


def hooked(directory: Path) -> HookedCatalog:
    """A second connection to the catalog of a lake, for the engine under test."""
    uri = f"sqlite:///{directory}/catalog.db"
    return HookedCatalog("lake", uri=uri, warehouse=f"file://{directory}/warehouse")


@dataclass
class Death:
    """The blow after which no call of this process reaches the storage any more."""

    dead: bool = False

    def __call__(self) -> None:
        self.dead = True
        raise Killed


@dataclass
class Mortal(FaultyStorage):
    """A storage that a dead process no longer reaches, not even to clean up."""

    death: Death = field(default_factory=Death)

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name not in {"death", "inner", "faults", "url"} and self.death.dead:
            raise Killed
        return super().__getattribute__(name)


def faulty(faults: Faults, death: Death) -> Callable[[str], Storage]:
    """An opener of local directories in which faults strike."""
    return lambda location: Mortal(LocalStorage(location), faults, death)


@dataclass
class Refusing:
    """A storage that does not remove some files."""

    inner: Storage
    refuses: Callable[[str], bool]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def remove(self, path: str) -> None:
        if self.refuses(path):
            raise StorageFailed("remove: EACCES")
        self.inner.remove(path)
