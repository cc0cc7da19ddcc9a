"""DuckDB: every file that holds a match, once more without it."""

from pathlib import Path

import duckdb
import pyarrow as pa

from bench.engines.contenders import Ended

_WRITTEN = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 500000)"
_NAMED = {
    "email": "SELECT filename, file_row_number AS row FROM {files} t WHERE t.email IN (SELECT value FROM gone)",
    "identityMap": (
        "SELECT DISTINCT filename, row FROM (SELECT filename, file_row_number AS row,"
        " unnest(\"identityMap\"['Email']) AS entry FROM {files})"
        ' WHERE entry."primary" AND entry.id IN (SELECT value FROM gone)'
    ),
}


def anti_join(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    connection = duckdb.connect()
    connection.execute("SET memory_limit = '2GB'; SET preserve_insertion_order = true")
    connection.register("gone", pa.table({"value": values}))
    ended("start")
    files = f"read_parquet('{root}/*.parquet', file_row_number = true, filename = true)"
    named = _NAMED["identityMap" if layout == "identityMap" else "email"].format(files=files)
    connection.execute(f"CREATE TEMP TABLE rows_gone AS {named}")
    hit = [name for (name,) in connection.execute("SELECT DISTINCT filename FROM rows_gone ORDER BY 1").fetchall()]
    ended("find")
    for name in hit:
        path = Path(name)
        new = path.with_suffix(".new")
        if layout == "identityMap":
            mine = f"SELECT row FROM rows_gone WHERE filename = '{name}'"
            source = f"read_parquet('{path}', file_row_number = true)"
            query = f"SELECT * EXCLUDE (file_row_number) FROM {source} WHERE file_row_number NOT IN ({mine})"
        else:
            query = (
                f"SELECT * FROM read_parquet('{path}') t"
                " WHERE NOT EXISTS (SELECT 1 FROM gone g WHERE g.value = t.email)"
            )
        connection.execute(f"COPY ({query}) TO '{new}' {_WRITTEN}")
        new.rename(path)
    ended("forget")
