"""The table of one case, and how Lethe's figures stand to its peers' in the same table."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.engines.results import Case

_PHASES = ("start", "find", "forget", "purge", "verify")
_HEAD = (
    "contender",
    "CPU s",
    *_PHASES,
    "wall s",
    "peak MB",
    "written MB",
    "rows",
    "values",
    "schema",
    "residue",
)

_AIMS = (
    ("lethe iceberg", "pyiceberg delete", 0.75),
    ("lethe delta", "deltalake delete", 1.0),
    ("lethe parquet, 10 orders", "lethe parquet", 1.3),
)
"""CPU seconds of the one, divided by those of the other: at most so much."""

_PEAK_MB = 600
"""At most, for any of Lethe's."""


def table(case: Case, medians: Mapping[str, Mapping[str, Any]]) -> str:
    """As Markdown: CPU seconds in all and per phase, and what the checks say."""
    lines = [f"### {case}", "", _row(_HEAD), _row(["---", *["---:"] * 9, "---", "---", "---", "---:"])]
    lines += [_row(_cells(name, result)) for name, result in medians.items()]
    lines += ["", *ratios(medians)]
    return "\n".join(lines)


def _row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(name: str, result: Mapping[str, Any]) -> list[str]:
    if result["outcome"] != "done":
        return [name, result["outcome"], str(result["reason"]).replace("|", "/"), *[""] * (len(_HEAD) - 3)]
    phases = [f"{result['phases'][each]['cpu_s']:.1f}" if each in result["phases"] else "" for each in _PHASES]
    figures = [f"{result['wall_s']:.1f}", f"{result['rss_mb']:.0f}", f"{result['written_mb']:.0f}"]
    said = [result["rows_check"], result["values_check"], result["schema_check"]]
    residue = "" if result["residue"] is None else f"{result['residue']:,}"
    return [name, f"{result['cpu_s']:.1f}", *phases, *figures, *said, residue]


def ratios(medians: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One line each: what was reached, and what was aimed at."""
    done = {name: result for name, result in medians.items() if result["outcome"] == "done"}
    for one, other, aim in _AIMS:
        if one in done and other in done:
            yield f"- {one} / {other}: {done[one]['cpu_s'] / done[other]['cpu_s']:.2f} (aim: at most {aim})"
    ours = {name: result for name, result in done.items() if name.startswith("lethe")}
    peers = {name: result for name, result in done.items() if name not in ours and name != "floor"}
    if "lethe parquet" in ours and peers:
        mine = ours["lethe parquet"]
        verified = mine["phases"]["verify"]["cpu_s"]
        yield f"- CPU seconds of the others, lethe parquet being 1: {_relative(peers, mine['cpu_s'])}"
        yield f"- the same without its verification, which no other has: {_relative(peers, mine['cpu_s'] - verified)}"
    if ours:
        largest = max(ours, key=lambda name: ours[name]["rss_mb"])
        yield f"- peak memory of Lethe: {ours[largest]['rss_mb']:.0f} MB, {largest} (aim: at most {_PEAK_MB})"


def _relative(peers: Mapping[str, Mapping[str, Any]], mine: float) -> str:
    return ", ".join(f"{name} {result['cpu_s'] / mine:.1f}" for name, result in peers.items())
