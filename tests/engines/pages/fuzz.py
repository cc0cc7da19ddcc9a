"""Random files with random masks, and random damage, at length: `python -m engines.pages.fuzz --help`.

A case is made from its seed alone. Workers are processes of their own, so that one that crashes or hangs is told from
one that finds: what a worker was doing when it went is what it announced last. A new worker goes on behind it.
"""

import argparse
import faulthandler
import json
import os
import queue
import re
import resource
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

SILENCE_SECONDS_MAX: Final = 300
"""A case takes less than a second; a worker that says nothing for so long hangs."""

_MEMORY_BYTES_MAX: Final = 6 << 30


@dataclass
class Report:
    """What all workers said."""

    totals: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    """Refusals by their reason, or what became of broken files."""
    failures: list[tuple[int, str, str]] = field(default_factory=list)
    oracle_died: list[int] = field(default_factory=list)
    """Broken files over which Arrow itself died, after the rewriter was done with them."""

    def lines(self, seconds: float) -> Sequence[str]:
        """In words."""
        lines = [f"{name:28} {count}" for name, count in sorted(self.totals.items())]
        lines += [f"  {count:6} {reason}" for reason, count in self.told.most_common(30)]
        kinds = Counter(re.sub(r"\d+", "N", what)[:160] for _, what, _ in self.failures)
        lines += [f"FAILED {count:6} {what}" for what, count in kinds.most_common(40)]
        lines += [f"  seed {seed}: {what[:200]}\n{where}" for seed, what, where in self.failures[:5]]
        lines.append(f"{self.totals['cases']} cases, {len(self.failures)} failures, {seconds:.0f} seconds")
        return lines


def work(kind: str, name: str, seeds: range) -> None:
    """Announce, do and report one seed after another, a line each."""
    from engines.pages.broken import rewrite_broken
    from engines.pages.cases import case
    from engines.pages.check import check
    from engines.pages.damage import damaged
    from engines.pages.subjects import faulty, subjects

    faulthandler.enable()
    subject = (subjects() | faulty())[name]
    for seed in seeds:
        _say("making", seed)
        try:
            if kind == "rows":
                made = case(seed)
                _say("rewriting", seed)
                _say("done", asdict(check(made, subject)))
            else:
                broken = damaged(seed)
                _say("rewriting", seed)
                _say("done", {"refused": rewrite_broken(broken, subject, lambda seed=seed: _say("judging", seed))})
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            where = "".join(traceback.format_exception(error, limit=-5))
            _say("failed", [seed, f"{type(error).__name__}: {error}", where])


def _say(what: str, value: Any) -> None:
    print(what, json.dumps(value), flush=True)


def run(kind: str, name: str, first: int, count: int, processes: int) -> Report:
    """Share the seeds among workers, and gather."""
    report = Report()
    lock = threading.Lock()
    waiting: queue.SimpleQueue[range] = queue.SimpleQueue()
    size = max(1, min(250, count // processes))
    for start in range(first, first + count, size):
        waiting.put(range(start, min(start + size, first + count)))

    def gather() -> None:
        while True:
            try:
                seeds = waiting.get_nowait()
            except queue.Empty:
                return
            while seeds:
                seeds = _one_worker(kind, name, seeds, report, lock)

    threads = [threading.Thread(target=gather) for _ in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return report


def _one_worker(kind: str, name: str, seeds: range, report: Report, lock: threading.Lock) -> range:
    """Answers the seeds that are left when the worker went before its end."""
    command = [sys.executable, "-m", "engines.pages.fuzz", kind, "--rewriter", name, "--seed", str(seeds.start),
               "--count", str(len(seeds)), "--work"]  # fmt: skip
    errors: list[str] = []
    phase, seed = "starting", seeds.start
    paths = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(Path(__file__).parents[2])]))
    inside = os.environ | {"PYTHONPATH": paths}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=inside) as worker:
        assert worker.stdout is not None
        assert worker.stderr is not None
        reading = threading.Thread(target=_drain, args=(worker.stderr, errors))
        reading.start()
        silent = threading.Timer(SILENCE_SECONDS_MAX, worker.kill)
        silent.start()
        for line in worker.stdout:
            silent.cancel()
            silent = threading.Timer(SILENCE_SECONDS_MAX, worker.kill)
            silent.start()
            what, _, value = line.partition(" ")
            said = json.loads(value)
            with lock:
                if what in {"making", "rewriting", "judging"}:
                    phase, seed = what, said
                else:
                    _note(report, what, said)
                    phase = "between"
        silent.cancel()
        reading.join()
    if worker.returncode == 0:
        return range(0)
    with lock:
        report.totals["cases"] += 1
        if phase == "judging":
            report.oracle_died.append(seed)
            report.told["Arrow died over the source or the result"] += 1
        else:
            end = "".join(errors)[-6000:]
            report.failures.append((seed, f"worker ended with {worker.returncode} while {phase}", end))
    # One that did not even start would not do so for another seed.
    return range(0) if phase == "starting" else range(seed + 1, seeds.stop)


def _drain(stream: IO[str], into: list[str]) -> None:
    for line in stream:
        into.append(line)
        del into[:-200]


def _note(report: Report, what: str, said: Any) -> None:
    report.totals["cases"] += 1
    if what == "failed":
        report.failures.append((said[0], said[1], said[2]))
        return
    refused = said.pop("refused")
    if refused:
        report.told[re.sub(r" of [\w.]+$", " of …", refused)] += 1
    for key, count in said.items():
        report.totals[key] += count


def main() -> int:
    """Ends with 1 when any case failed."""
    parser = argparse.ArgumentParser(description="Rewrites random Parquet files and checks every claim.")
    parser.add_argument("kind", choices=["rows", "damage"], help="sound files with random masks, or broken files")
    parser.add_argument("--rewriter", default="pages", help="its name among the subjects")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, help="of the first case; without it, one is drawn and printed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--one", action="store_true", help="replay the one case of --seed in this process")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    first = time.time_ns() // 1000 % (1 << 40) if asked.seed is None else asked.seed
    if asked.one or asked.work:
        if asked.work and not _sanitized():
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
        work(asked.kind, asked.rewriter, range(first, first + (1 if asked.one else asked.count)))
        # The writers' libraries are not asked to end their threads: what they do then is not under proof.
        sys.stdout.flush()
        os._exit(0)
    last = first + asked.count - 1
    print(f"{asked.kind} through {asked.rewriter}: seeds {first} to {last}; replay one with --one --seed", flush=True)
    began = time.monotonic()
    report = run(asked.kind, asked.rewriter, first, asked.count, asked.processes)
    print("\n".join(report.lines(time.monotonic() - began)))
    return 1 if report.failures or report.totals["cases"] != asked.count else 0


def _sanitized() -> bool:
    """Whether a sanitizer's shadow memory, terabytes of addresses, must stay allowed."""
    return "libasan" in os.environ.get("LD_PRELOAD", "")


if __name__ == "__main__":
    sys.exit(main())
