"""Telling a watcher how far a verb is."""

from lethe.engines.interface import Phase, Progress, Watcher


class Meter:
    """Counts files and bytes, and tells after every file."""

    def __init__(self, watch: Watcher, phase: Phase, files_total: int, bytes_total: int) -> None:
        self._watch = watch
        self._phase = phase
        self._files_total = files_total
        self._bytes_total = bytes_total
        self._files = 0
        self._bytes = 0

    def step(self, size_bytes: int) -> None:
        """One file is done."""
        self._files += 1
        self._bytes += size_bytes
        self._watch(Progress(self._phase, self._files, self._files_total, self._bytes, self._bytes_total))
