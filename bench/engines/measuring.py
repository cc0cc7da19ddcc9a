"""One contender in a process of its own, and what it took: `python -m bench.engines.measuring NAME ROOT VALUES LAYOUT`.

The process prints one line of JSON: per phase, the CPU seconds and bytes written of its whole tree and the wall time.
The one that started it looks at the tree's memory meanwhile, and counts every CPU second from the interpreter's start
to the end of the last child. A contender that dies, takes too long or too much memory is an answer too.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.engines.contenders import CONTENDERS
from bench.process_tree import adopt_orphans, end_with_parent, peak_bytes, resident_bytes, used

_LOOK_EVERY_S = 0.05
_ORPHANS_END_WITHIN_S = 20


@dataclass(frozen=True)
class Limits:
    """After which a contender is stopped."""

    seconds: float
    memory_bytes: int


@dataclass(frozen=True)
class Bench:
    """Where contenders run."""

    scratch: Path
    limits: Limits


def measure(name: str, root: Path, values: list[str], layout: str, bench: Bench) -> dict[str, Any]:
    """Run a contender. The answer has `outcome`, and unless it is "done" a `reason`; the figures are there if done."""
    scratch, limits = bench.scratch, bench.limits
    values_file = scratch / "values.json"
    values_file.write_text(json.dumps(values))
    log = scratch / "contender.log"
    before = _cpu_of_ended_children()
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, name, str(root), str(values_file), layout],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        with process:
            peak, stopped = _watch(process, limits)
            printed = process.stdout.read() if process.stdout else ""
    cpu = _cpu_of_ended_children() - before
    if stopped:
        return {"outcome": "stopped", "reason": stopped}
    if process.returncode:
        return _ended_badly(process.returncode, log.read_text(errors="replace"))
    result = json.loads(printed.splitlines()[-1])
    return {"outcome": "done", "cpu_s": cpu, "rss_mb": max(peak, result.pop("own_peak")) / 1e6, **result}


def _watch(process: "subprocess.Popen[str]", limits: Limits) -> tuple[int, str]:
    """Until it ends: the most memory that its tree had, and why it was stopped, if it was."""
    begun_at, peak = time.monotonic(), 0
    while process.poll() is None:
        now = resident_bytes(process.pid)
        peak = max(peak, now)
        reason = ""
        if now > limits.memory_bytes:
            reason = f"used more than {limits.memory_bytes / 1e9:.0f} GB"
        elif time.monotonic() - begun_at > limits.seconds:
            reason = f"took longer than {limits.seconds:.0f} s"
        if reason:
            os.killpg(process.pid, signal.SIGKILL)
            return peak, reason
        time.sleep(_LOOK_EVERY_S)
    return peak, ""


def _ended_badly(status: int, log: str) -> dict[str, Any]:
    if "ModuleNotFoundError" in log:
        missing = log.rsplit("No module named", 1)[-1].strip().splitlines()[0]
        return {"outcome": "not installed", "reason": f"{missing} is missing: `pip install --group bench`"}
    lines = [line for line in log.strip().splitlines() if line.strip()]
    how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    return {"outcome": "crashed", "reason": f"{how}: {lines[-1][:160] if lines else 'no message'}"}


def _cpu_of_ended_children() -> float:
    """CPU seconds of all children so far, once all have ended: the servers of pools outlive their parent a little."""
    import resource

    deadline = time.monotonic() + _ORPHANS_END_WITHIN_S
    with suppress(ChildProcessError):
        while time.monotonic() < deadline:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.02)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """In the measured process."""
    name, root, values_file, layout = sys.argv[1:]
    end_with_parent()
    adopt_orphans()
    values = json.loads(Path(values_file).read_text())
    phases: dict[str, dict[str, float]] = {}
    me = os.getpid()
    last_wall, last = time.perf_counter(), used(me)

    def ended(phase: str) -> None:
        nonlocal last, last_wall
        now, wall = used(me), time.perf_counter()
        phases[phase] = {"cpu_s": now.cpu_s - last.cpu_s, "wall_s": wall - last_wall}
        last, last_wall = now, wall

    begun_at = last_wall
    CONTENDERS[name].load()(Path(root), values, layout, ended)
    result = {
        "wall_s": time.perf_counter() - begun_at,
        "written_mb": used(me).written_bytes / 1e6,
        "own_peak": peak_bytes(me),
        "phases": phases,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
