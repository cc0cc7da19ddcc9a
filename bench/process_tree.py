"""What a process and all that it started have used, read from /proc.

A process that has ended and was waited for is in its parent's sums; one that waits to be waited for still has its own.
So nothing is lost as long as orphans stay in the tree, for which the measured process adopts them (`adopt_orphans`).
"""

import ctypes
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


@dataclass(frozen=True)
class Used:
    """Since the tree began."""

    cpu_s: float
    """User and system."""
    written_bytes: int
    """Handed to `write` and its kin, whether or not it reached the disk."""


def adopt_orphans() -> None:
    """What outlives its parent becomes a child of this process instead of leaving the tree."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def end_with_parent() -> None:
    """A process that is measured must not go on in the next one's table when the benchmark is stopped."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def used(root: int) -> Used:
    """By a process and its descendants."""
    cpu = written = 0
    for pid in _members(root):
        try:
            fields = _stat(pid)
            # The process's own and those of the children that it has waited for: user, system, each.
            cpu += sum(int(field) for field in fields[11:15])
            lines = (_PROC / str(pid) / "io").read_text().splitlines()
            written += int(dict(line.split(": ") for line in lines)["wchar"])
        except OSError:
            continue
    return Used(cpu / _TICKS, written)


def resident_bytes(root: int) -> int:
    """Memory of a process and its descendants now; pages that several share count for each."""
    total = 0
    for pid in _members(root):
        try:
            total += int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE
        except OSError:
            continue
    return total


def peak_bytes(pid: int) -> int:
    """The largest that one process has been; 0 when it is gone."""
    try:
        status = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")), 0)


def _stat(pid: int) -> list[str]:
    """The fields after the command's name, which may hold anything; the first of them is the state."""
    return (_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()


def _members(root: int) -> Iterator[int]:
    parents: dict[int, int] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(_stat(int(entry.name))[1])
            except OSError:
                continue
    for pid in parents:
        above: int | None = pid
        while above is not None and above != root:
            above = parents.get(above)
        if above == root:
            yield pid
