"""What workers do with one file: search it, or prepare its change."""

from dataclasses import dataclass

from lethe.domain.plan import FileAction
from lethe.engines.directory.formats import FileFormat, Searched
from lethe.engines.directory.journal import Change
from lethe.engines.interface import TableRefused
from lethe.engines.matching import Matcher
from lethe.engines.storage.interface import FileMissing, Storage
from lethe.engines.tally import Counts


class FileRefused(TableRefused):
    """One file cannot be deleted from; its path, which may hold an identity, is for the engine alone."""

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(reason)
        self.path = path

    def __reduce__(self) -> tuple[type["FileRefused"], tuple[str, str]]:
        """Workers are other processes."""
        return FileRefused, (str(self), self.path)


@dataclass(frozen=True, slots=True)
class FileFound:
    """One file as a find saw it."""

    path: str
    version: str
    size_bytes: int
    rows: int
    counts: Counts
    identified: bool
    method: str
    """How some of its rows would leave it."""


@dataclass(frozen=True, slots=True)
class Searching:
    """The task of a find."""

    storage: Storage
    format: FileFormat
    matcher: Matcher

    def __call__(self, path: str) -> FileFound | None:
        """Search one file; None when it is gone."""
        try:
            stat = self.storage.stat(path)
            with self.storage.open(path) as source:
                searched = self.format.search(source, path, self.matcher)
        except FileMissing:
            return None
        except TableRefused as error:
            raise FileRefused(str(error), path) from None
        return FileFound(
            path, stat.version, stat.size_bytes, searched.rows, searched.counts, searched.identified, searched.method
        )


@dataclass(frozen=True, slots=True)
class Intent:
    """One file that should change."""

    path: str
    action: FileAction
    new: str
    """Where new content is to wait."""


@dataclass(frozen=True, slots=True)
class Preparing:
    """The task of a forget: write the new content aside, check it, change nothing."""

    storage: Storage
    format: FileFormat
    matcher: Matcher

    def __call__(self, intent: Intent) -> Change | None:
        """Prepare one file's change; None when another writer changed or removed the file meanwhile.

        A file is dropped only after all its rows were seen to match, whatever the plan says.
        """
        try:
            stat = self.storage.stat(intent.path)
            with self.storage.open(intent.path) as source:
                searched = None
                if intent.action is FileAction.DROP:
                    searched = self.format.search(source, intent.path, self.matcher)
                drop = searched is not None and searched.counts.rows == searched.rows
                if searched is None or not drop:
                    searched = self._copy(source, intent)
            if self.storage.stat(intent.path).version != stat.version:
                return None
        except FileMissing:
            return None
        except TableRefused as error:
            raise FileRefused(str(error), intent.path) from None
        new = None if drop else intent.new
        rows, counts = searched.rows, searched.counts
        return Change(intent.path, stat.version, new, rows, stat.size_bytes, counts, searched.fell_back)

    def _copy(self, source: object, intent: Intent) -> Searched:
        with self.storage.create(intent.new) as sink:
            anew = intent.action is FileAction.SCRUB
            copied = self.format.copy(source, intent.path, sink, self.matcher, anew=anew)
        with self.storage.open(intent.new) as result:
            return self.format.require_same_form(source, result, copied)
