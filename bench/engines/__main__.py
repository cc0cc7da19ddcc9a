"""The engines' benchmark: `python -m bench engines [options]`; what it measures is in docs/benchmarks.md.

Every contender gets its own copy of the same files and a process of its own. Printed as Markdown, and written as JSON
after every run.
"""

import argparse
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.engines import tables
from bench.engines.checking import UNCHECKED, check
from bench.engines.contenders import CONTENDERS, Contender
from bench.engines.forms import Shelf
from bench.engines.measuring import Bench, Limits, measure
from bench.engines.report import table
from bench.engines.results import Case, Results
from bench.process_tree import adopt_orphans

OUT = Path(__file__).resolve().parents[1] / "out/engines.json"
FULL = [
    *(Case(10_000_000, layout, count) for layout in tables.LAYOUTS for count in (100, 10_000, 100_000)),
    *(Case(50_000_000, layout, count) for layout in ("scattered", "clustered") for count in (100, 10_000)),
    Case(tables.ROWS_PER_FILE, "scattered", 10_000),
]
"""The last is one file of which every page holds a match; the floor belongs to it."""


def main() -> int:
    options = _options()
    adopt_orphans()
    results = Results(options.out, _machine())
    if options.resume:
        results.load()
    given = options.work
    work = Path(given) if given else Path(tempfile.mkdtemp(prefix="lethe-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    bench = Bench(work, Limits(options.timeout, int(options.memory * 1e9)))
    session = Session([CONTENDERS[name] for name in options.only], options.repeat, bench, results)
    cases = FULL if options.full else _cases(options)
    shelf: Shelf | None = None
    made_for: tuple[int, str] | None = None
    try:
        for case in cases:
            if made_for != (case.rows, case.layout):
                if shelf is not None and not options.keep:
                    shelf.clear()
                made_for, shelf = (case.rows, case.layout), Shelf(work, case.rows, case.layout)
            if shelf is not None:
                session.run(case, shelf)
            print(f"\n{table(case, results.medians(case))}\n", flush=True)
        if shelf is not None and not options.keep:
            shelf.clear()
    finally:
        if not given:
            shutil.rmtree(work, ignore_errors=True)
    return 0


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m bench engines", description=__doc__)
    parser.add_argument("--full", action="store_true", help="10 and 50 million rows in all layouts: hours")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--identities", type=int, nargs="+", default=[10_000])
    parser.add_argument("--layouts", nargs="+", default=list(tables.LAYOUTS), choices=tables.LAYOUTS)
    parser.add_argument("--only", nargs="+", default=list(CONTENDERS), choices=list(CONTENDERS), metavar="CONTENDER")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; medians are shown")
    parser.add_argument("--resume", action="store_true", help="keep what the JSON has and run what is missing")
    parser.add_argument("--work", help="where tables are made; a temporary directory when absent")
    parser.add_argument("--keep", action="store_true", help="leave the tables there, for another benchmark")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds that one run may take")
    parser.add_argument("--memory", type=float, default=12, help="GB that one run may use")
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args()


def _cases(options: Any) -> Sequence[Case]:
    return [
        Case(rows, layout, identities)
        for rows in options.rows
        for layout in options.layouts
        for identities in options.identities
    ]


@dataclass(frozen=True)
class Session:
    """One run of the benchmark."""

    contenders: Sequence[Contender]
    repeat: int
    bench: Bench
    results: Results

    def run(self, case: Case, shelf: Shelf) -> None:
        """Every contender once, then every one again: what else the machine does meanwhile is spread over all."""
        values = tables.wanted(case.rows, case.identities)
        for round_ in range(self.repeat):
            for contender in self.contenders:
                if self.results.done(case, contender.name) > round_:
                    continue
                result = self._one(contender, case, shelf, values)
                self.results.add(case, contender.name, result)
                seconds = f"{result['cpu_s']:.1f} CPU s" if result["outcome"] == "done" else result["reason"]
                print(f"{case}: {contender.name}: {result['outcome']}, {seconds}", flush=True)

    def _one(self, contender: Contender, case: Case, shelf: Shelf, values: list[str]) -> dict[str, Any]:
        if case.layout in contender.cannot:
            return {"outcome": "cannot", "reason": contender.cannot[case.layout]}
        root = shelf.lay_out(contender.form)
        result = measure(contender.name, root, values, case.layout, self.bench)
        if result["outcome"] == "done":
            checked = contender.deletes
            result |= check(root, contender.form, shelf.plain, values, case.layout) if checked else UNCHECKED
        shutil.rmtree(root)
        return result


def _machine() -> dict[str, Any]:
    names = ("pyarrow", "pyiceberg", "deltalake", "duckdb", "polars", "pyspark")
    return {
        "processors": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in names},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    raise SystemExit(main())
