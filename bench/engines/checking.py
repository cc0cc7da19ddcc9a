"""Whether a contender did what was asked, seen by readers that no contender is: DuckDB, and a search of every byte."""

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench.engines import forms
from bench.engines.asking import selector, wanted
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.storage.local import LocalStorage
from lethe.engines.verify.interface import Surroundings
from lethe.engines.verify.verifier import ByteVerifier

UNCHECKED = {"rows_check": "", "values_check": "", "schema_check": "", "residue": None}
"""Of what does not delete."""

_SOUGHT_MAX = 1_000
"""People whose traces are looked for: where all are still there, counting each takes longer than deleting them."""

_FIELD_ID = re.compile(r" field_id=(-?\d+)")


def check(root: Path, form: str, plain: Path, values: list[str], layout: str) -> dict[str, Any]:
    """The rows, their values and the physical schema, as "ok" or what is wrong; and how many places still speak."""
    live = forms.live_files(root, form)
    expected = _expected(plain, tuple(values), layout)
    got = _digest(live, (), layout)
    return {
        "rows_check": _agreement(expected[:2], got[:2]),
        "values_check": _agreement(expected[2:], got[2:]),
        "schema_check": ", ".join(sorted(_differences(plain, live))) or "ok",
        "residue": _residue(forms.location(root, form), live, values, layout),
    }


def _agreement(expected: Sequence[int], got: Sequence[int]) -> str:
    return "ok" if expected == got else "wrong"


@cache
def _expected(plain: Path, gone: tuple[str, ...], layout: str) -> tuple[int, ...]:
    """The same for every contender: nobody touches the source."""
    return _digest([str(path) for path in sorted(plain.glob("*.parquet"))], gone, layout)


def _digest(files: Sequence[str], gone: Sequence[str], layout: str) -> tuple[int, ...]:
    """Of the rows that are left: how many, a sum over their ids, and one over all their values."""
    import duckdb
    import pyarrow as pa

    if not files:
        return (0, 0, 0)
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '4GB'; SET TimeZone = 'UTC'; SET threads = 2")
    connection.register("gone", pa.table({"value": pa.array(gone, pa.string())}))
    who = "t.email"
    if layout == "identityMap":
        who = "t.\"identityMap\"['Email'][1].id"  # The tables have one entry a row, and it is primary.
    columns = []
    for name, kind, *_ in connection.execute("DESCRIBE SELECT * FROM read_parquet($1)", [list(files)]).fetchall():
        columns.append(f'map_entries(t."{name}")' if kind.startswith("MAP") else f't."{name}"')
    query = (
        f"SELECT count(*), sum(hash(t.event_id)), sum(hash({', '.join(columns)})) FROM read_parquet($1) t"
        f" WHERE NOT EXISTS (SELECT 1 FROM gone g WHERE g.value = {who})"
    )
    row = connection.execute(query, [list(files)]).fetchone()
    return tuple(int(value or 0) for value in row or ())


def _differences(plain: Path, live: Sequence[str]) -> set[str]:
    """What of the physical form is no longer that of the source."""
    before = _form(str(next(iter(sorted(plain.glob("*.parquet"))))))
    found: set[str] = set()
    for path in live:
        after = _form(path)
        found |= {name for name in before if before[name] != after[name]}
    return found


def _form(path: str) -> dict[str, Any]:
    metadata = pq.read_metadata(path)
    schema = str(metadata.schema).split("\n", 2)[2]
    group = metadata.row_group(0) if metadata.num_row_groups else None
    codecs = {group.column(i).compression for i in range(metadata.num_columns)} if group else set()
    return {
        "types": _FIELD_ID.sub("", schema),
        "field ids": _FIELD_ID.findall(schema),
        "metadata": json.dumps(sorted((str(k), str(v)) for k, v in (metadata.metadata or {}).items())),
        "codec": codecs,
    }


def _residue(location: Path, live: Sequence[str], values: list[str], layout: str) -> int:
    storage = LocalStorage(str(location))
    paths = frozenset(str(Path(path).relative_to(location)) for path in live)
    evidence = ByteVerifier(InlineExecutor()).verify(storage, selector(layout), wanted(values), Surroundings("", paths))
    return sum(residue.count for residue in evidence.residues)
