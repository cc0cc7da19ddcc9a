"""The engines' benchmark: `python bench/engines/run.py --rows 1000000 --identities 10000`.

Every contender gets its own copy of the table and a process of its own. Printed as one table and written as JSON: CPU
seconds and wall per phase, CPU seconds of the whole process tree with its start (the one to read for pools), peak RSS
of the main process, bytes written, whether exactly the right rows survived, whether the physical schema did, and the
residue that the independent reader finds.
"""

import argparse
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))

import contenders
import tables

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import IdentityMap
from lethe.engines.storage.local import LocalStorage
from lethe.engines.verify.interface import Surroundings
from lethe.engines.verify.verifier import ByteVerifier


def cpu() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def measure(name: str, root: Path, values_file: Path, layout: str) -> None:
    """In a process of its own: run one contender and print what it took."""
    values = json.loads(values_file.read_text())
    phases: dict[str, dict[str, float]] = {}
    last = [cpu(), time.perf_counter()]

    def ended(phase: str) -> None:
        now = [cpu(), time.perf_counter()]
        phases[phase] = {"cpu": now[0] - last[0], "wall": now[1] - last[1]}
        last[:] = now

    contenders.CONTENDERS[name](root, values, layout, ended)
    print(json.dumps({"phases": phases, "rss_mb": _peak_mb(), "written": _written()}))


def _peak_mb() -> float:
    """Of this program alone: the peak that `getrusage` tells begins with that of the process it was forked from."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


def _written() -> int:
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["wchar"])


def adopt_orphans() -> None:
    """The servers from which pools fork outlive their parent; adopted, their CPU seconds are counted."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def cpu_of_children() -> float:
    """After all of them have ended."""
    with suppress(ChildProcessError):
        while True:
            os.wait()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def one(name: str, plain: Path, work: Path, values: list[str], layout: str) -> dict[str, Any]:
    root = work / "table"
    contenders.prepare(name, plain, root)
    values_file = work / "values.json"
    values_file.write_text(json.dumps(values))
    before = cpu_of_children()
    done = subprocess.run(
        [sys.executable, __file__, "--measure", name, str(root), str(values_file), layout],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        shutil.rmtree(root)
        return {"contender": name, "failed": (done.stderr or "killed").strip().splitlines()[-1][:200]}
    result: dict[str, Any] = {"contender": name, **json.loads(done.stdout.splitlines()[-1])}
    result["cpu_with_start"] = cpu_of_children() - before
    result["cpu"] = sum(phase["cpu"] for phase in result["phases"].values())
    result["wall"] = sum(phase["wall"] for phase in result["phases"].values())
    result["rows_correct"] = _right(name, plain, root, values, layout)
    if not name.startswith(("deltalake", "pyiceberg")):
        result["schema_faithful"] = _form(plain) == _form(root)
    selector = IdentityMap() if layout == "identityMap" else PrimaryIdentity(("email",), "Email")
    live = frozenset(stat.path for stat in LocalStorage(str(root)).list() if stat.path.endswith(".parquet"))
    evidence = ByteVerifier(InlineExecutor()).verify(
        LocalStorage(str(root)), selector, contenders.wanted(values, 1), Surroundings("", live)
    )
    result["residue"] = sum(residue.count for residue in evidence.residues)
    shutil.rmtree(root)
    return result


def _right(name: str, plain: Path, root: Path, values: list[str], layout: str) -> bool:
    before = ds.dataset(plain).to_table(columns=["event_id", "identityMap" if layout == "identityMap" else "email"])
    if layout == "identityMap":
        entries = pc.list_flatten(pc.map_lookup(before["identityMap"], "Email", "first"))
        who = pc.struct_field(entries, "id")
    else:
        who = before["email"]
    expected = before.filter(pc.invert(pc.is_in(who, value_set=pa.array(values))))["event_id"]
    got = contenders.live_rows(name, root)["event_id"]
    return bool(np.array_equal(np.sort(expected.to_numpy()), np.sort(got.to_numpy())))


def _form(root: Path) -> set[str]:
    """Physical schema, key-value metadata and codecs of every file."""
    found = set()
    for path in root.glob("*.parquet"):
        metadata = pq.read_metadata(path)
        codecs = [metadata.row_group(0).column(i).compression for i in range(metadata.num_columns)]
        found.add(str(metadata.schema).split("\n", 1)[1] + str(metadata.metadata) + str(codecs))
    return found


def main() -> None:
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000])
    parser.add_argument("--identities", type=int, nargs="+", default=[10_000])
    parser.add_argument("--layouts", nargs="+", default=["scattered", "clustered", "identityMap"])
    parser.add_argument("--only", nargs="+", default=list(contenders.CONTENDERS))
    parser.add_argument("--rows-per-file", type=int, default=1_500_000, help="about 128 MB")
    parser.add_argument("--out", type=Path, default=Path("bench/out/engines.json"))
    options = parser.parse_args()
    adopt_orphans()
    results = []
    for rows in options.rows:
        for layout in options.layouts:
            with tempfile.TemporaryDirectory() as directory:
                plain = Path(directory) / "plain"
                tables.write(plain, rows, layout, options.rows_per_file)
                for count in options.identities:
                    people = rows // tables.ROWS_PER_PERSON
                    values = tables.emails_of(range(0, people, max(1, people // count)))[:count]
                    if layout == "clustered":
                        values = tables.emails_of(range(min(count, people)))
                    for name in options.only:
                        if layout == "identityMap" and not name.startswith("lethe"):
                            continue
                        result = {"rows": rows, "layout": layout, "identities": len(values)}
                        result |= one(name, plain, Path(directory), values, layout)
                        results.append(result)
                        print(_line(result), flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1))


def _line(result: dict[str, Any]) -> str:
    head = f"{result['rows']:>10,} {result['layout']:<11} {result['identities']:>7,}  {result['contender']:<18}"
    if "failed" in result:
        return f"{head} failed: {result['failed']}"
    phases = " ".join(f"{name} {phase['cpu']:.2f}" for name, phase in result["phases"].items())
    return (
        f"{head} cpu {result['cpu']:7.2f} s  (process {result['cpu_with_start']:6.2f})  "
        f"wall {result['wall']:7.2f} s  rss {result['rss_mb']:6.0f} MB  "
        f"written {result['written'] / 1e6:7.0f} MB  rows {'ok' if result['rows_correct'] else 'WRONG'}  "
        f"schema {({True: 'same', False: 'CHANGED'}).get(result.get('schema_faithful'), '-')}  "
        f"residue {result['residue']}  ({phases})"
    )


if __name__ == "__main__":
    main()
