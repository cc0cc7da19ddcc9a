"""Spark SQL on this machine: the files that hold a match, once more without it.

An anti-join where the identity is a column; `exists` over the entries of the map where it is not. Two threads, as many
as Spark finds processors; the driver's memory is its default.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from pyspark.sql import SparkSession

from bench.engines.contenders import Ended

_OPTIONS = {
    "spark.ui.enabled": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.hadoop.parquet.compression.codec.zstd.level": "1",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.session.timeZone": "UTC",
}


def anti_join(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    builder = SparkSession.builder.master(f"local[{os.cpu_count()}]")
    for key, value in (_OPTIONS | {"spark.local.dir": str(root.parent / "spark")}).items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    ended("start")
    _register(spark, values)
    named, left = _clauses(values, layout)
    _read(spark, [str(root)])
    found = spark.sql(f"SELECT DISTINCT input_file_name() AS name FROM events t {named}").collect()
    hit = [unquote(urlsplit(row["name"]).path) for row in found]
    ended("find")
    new = root / "_new"
    if hit:
        _read(spark, hit)
        spark.sql(f"SELECT * FROM events t {left}").write.parquet(str(new))
        for path in new.glob("*.parquet"):
            path.rename(root / path.name)
        for path in hit:
            Path(path).unlink()
    ended("forget")
    spark.stop()


def _read(spark: Any, paths: list[str]) -> None:
    spark.read.parquet(*paths).createOrReplaceTempView("events")


def _register(spark: Any, values: list[str]) -> None:
    spark.createDataFrame(pa.table({"value": values})).createOrReplaceTempView("gone")


def _clauses(values: list[str], layout: str) -> tuple[str, str]:
    """Which rows are named, and which are left."""
    if layout != "identityMap":
        return "LEFT SEMI JOIN gone g ON t.email = g.value", "LEFT ANTI JOIN gone g ON t.email = g.value"
    listed = ",".join(f"'{value}'" for value in values)
    exists = f"coalesce(exists(t.identityMap['Email'], e -> e.primary AND e.id IN ({listed})), false)"
    return f"WHERE {exists}", f"WHERE NOT {exists}"
