"""What was measured so far: one file of JSON, complete after every run, so that a stopped benchmark goes on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

Result = dict[str, Any]


@dataclass(frozen=True, order=True)
class Case:
    """One table and one question."""

    rows: int
    layout: str
    identities: int

    def __str__(self) -> str:
        return f"{self.rows:,} rows, {self.layout}, {self.identities:,} identities"


@dataclass
class Results:
    """Runs in the order in which they were made."""

    path: Path
    machine: dict[str, Any]
    runs: list[Result] = field(default_factory=list)

    def load(self) -> None:
        """Take up what the file has."""
        if self.path.exists():
            self.runs = json.loads(self.path.read_text())["runs"]

    def add(self, case: Case, contender: str, result: Result) -> None:
        """Keep a run, in place."""
        where = {"rows": case.rows, "layout": case.layout, "identities": case.identities, "contender": contender}
        self.runs.append(where | result)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        medians = [
            {"rows": each.rows, "layout": each.layout, "identities": each.identities, "contender": name, **middle}
            for each in self.cases()
            for name, middle in self.medians(each).items()
        ]
        document = {"machine": self.machine, "medians": medians, "runs": self.runs}
        new.write_text(json.dumps(document, indent=1))
        new.replace(self.path)

    def done(self, case: Case, contender: str) -> int:
        """How many runs there are."""
        return len(self._of(case, contender))

    def cases(self) -> Sequence[Case]:
        """In the order in which they were begun."""
        return list(dict.fromkeys(Case(run["rows"], run["layout"], run["identities"]) for run in self.runs))

    def medians(self, case: Case) -> dict[str, Result]:
        """Per contender: the middle of its runs' figures, and what the worst of them says of its work."""
        names = dict.fromkeys(run["contender"] for run in self._of(case))
        return {name: _middle(self._of(case, name)) for name in names}

    def _of(self, case: Case, contender: str | None = None) -> list[Result]:
        return [
            run
            for run in self.runs
            if Case(run["rows"], run["layout"], run["identities"]) == case and contender in {None, run["contender"]}
        ]


def _middle(runs: list[Result]) -> Result:
    failed = next((run for run in runs if run["outcome"] != "done"), None)
    if failed is not None:
        return {"outcome": failed["outcome"], "reason": failed["reason"]}
    figures = ("cpu_s", "wall_s", "rss_mb", "written_mb")
    middle: Result = {"outcome": "done", "runs": len(runs)}
    middle |= {name: median(run[name] for run in runs) for name in figures}
    middle["phases"] = {
        phase: {name: median(run["phases"][phase][name] for run in runs) for name in ("cpu_s", "wall_s")}
        for phase in runs[0]["phases"]
    }
    for name in ("rows_check", "values_check", "schema_check"):
        middle[name] = next((run[name] for run in runs if run[name] != "ok"), runs[0][name])
    middle["residue"] = max((run["residue"] for run in runs if run["residue"] is not None), default=None)
    return middle
