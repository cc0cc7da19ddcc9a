"""Faults and other writers, put exactly where they hurt."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from engines.iceberg.lake import QuietCatalog
from lethe.engines.rewrite.interface import Judge, Rewritten
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter
from lethe.engines.storage.interface import FileStat, Storage, StorageFailed
from lethe.engines.storage.local import LocalStorage


class Killed(BaseException):
    """The process ends here: no handler of errors sees it."""


@dataclass
class Meanwhile:
    """A rewriter before whose first copy something else happens."""

    action: Callable[[], object]
    calls: int = 0

    def rewrite(self, source: Any, sink: IO[bytes], judge: Judge) -> Rewritten:
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
class Plan:
    """At which call of the storage what happens."""

    at: int = -1
    fault: type[BaseException] = Killed
    after: bool = False
    calls: list[str] = field(default_factory=list)

    @contextmanager
    def around(self, call: str, path: str) -> Iterator[None]:
        self.calls.append(f"{call} {path}")
        here = len(self.calls) - 1 == self.at
        if here and not self.after:
            raise self.fault(f"at {call}")
        yield
        if here and self.after:
            raise self.fault(f"after {call}")


@dataclass
class Faulty:
    """A storage that counts its calls and fails at one of them."""

    inner: Storage
    plan: Plan

    @property
    def url(self) -> str:
        return self.inner.url

    def list(self, prefix: str = "") -> Iterator[FileStat]:
        with self.plan.around("list", prefix):
            found = [*self.inner.list(prefix)]
        yield from found

    def stat(self, path: str) -> FileStat:
        with self.plan.around("stat", path):
            return self.inner.stat(path)

    def read(self, path: str) -> bytes:
        with self.plan.around("read", path):
            return self.inner.read(path)

    def open(self, path: str) -> AbstractContextManager[Any]:
        with self.plan.around("open", path):
            return self.inner.open(path)

    @contextmanager
    def create(self, path: str) -> Iterator[IO[bytes]]:
        with self.plan.around("create", path), self.inner.create(path) as sink:
            yield sink

    def put(self, path: str, data: bytes, *, if_absent: bool = False) -> None:
        with self.plan.around("put", path):
            self.inner.put(path, data, if_absent=if_absent)

    def replace(self, source: str, destination: str) -> None:
        with self.plan.around("replace", source):
            self.inner.replace(source, destination)

    def remove(self, path: str) -> None:
        with self.plan.around("remove", path):
            self.inner.remove(path)

    def remove_empty_directories(self) -> None:
        with self.plan.around("remove directories", ""):
            self.inner.remove_empty_directories()


def faulty(plan: Plan) -> Callable[[str], Storage]:
    """An opener of local directories that follows a plan."""
    return lambda location: Faulty(LocalStorage(location), plan)


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
