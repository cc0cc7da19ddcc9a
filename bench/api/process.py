"""A server process seen from outside: its CPU time and its memory, as Linux counts them."""

from pathlib import Path
from time import clock_gettime


class Watched:
    """One process, with all its threads, those that have ended included."""

    def __init__(self, pid: int) -> None:
        self._home = Path(f"/proc/{pid}")
        # How the kernel numbers the CPU clock of another process: see clock_getcpuclockid(3).
        self._clock = (~pid << 3) | 2

    @property
    def cpu_ms(self) -> float:
        return clock_gettime(self._clock) * 1_000

    @property
    def resident_mb(self) -> float:
        return self._status("VmRSS")

    @property
    def peak_mb(self) -> float:
        """The most since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        (self._home / "clear_refs").write_text("5")

    def _status(self, name: str) -> float:
        lines = (self._home / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1_024
