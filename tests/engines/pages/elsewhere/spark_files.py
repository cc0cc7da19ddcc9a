"""Spark as a writer and as a reader. Runs where Spark is, which need not be where Lethe is: it imports nothing of ours.

python spark_files.py write DIRECTORY ROWS     one file a way of writing, and `spark.json` that names the options
python spark_files.py compare BEFORE AFTER     every file of AFTER is that of BEFORE, minus the rows that
                                               AFTER/deleted.json names by their positions
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from pyspark.sql import SparkSession

ROWS: Final = """
    SELECT if(n % 11 = 7, NULL,
              concat('user-', lpad(CAST(n * 37 % 23 AS STRING), 4, '0'), '@example.com')) AS id,
           n AS seq,
           if(n % 5 = 0, NULL, CAST(n AS DOUBLE) / 8) AS real,
           CAST(n AS FLOAT) / 3 AS single,
           n % 3 = 0 AS flag,
           CAST(n % 120 AS TINYINT) AS tiny,
           CAST(n * 1000003 AS INT) AS whole,
           date_add(DATE'2020-01-01', CAST(n % 400 AS INT)) AS day,
           timestamp_micros(1600000000000000 + n * 1234567) AS at,
           CAST(n AS DECIMAL(9,2)) / 4 AS price,
           CAST(n * 7 AS DECIMAL(30,5)) AS large,
           CAST(concat('raw', n) AS BINARY) AS raw,
           if(n % 7 = 0, NULL, transform(sequence(0, CAST(n % 4 AS INT)),
                                         i -> if(i = 2, NULL, concat('tag', i + n % 3)))) AS tags,
           if(n % 13 = 0, NULL, named_struct('mail', concat('m', n, '@x.org'), 'age', n % 90)) AS who,
           map(concat('k', n % 4), CAST(n AS INT)) AS props,
           if(n % 9 = 0, NULL, map('CRM', array(named_struct('id', concat('crm-', lpad(CAST(n % 31 AS STRING), 6, '0')),
                                                             'primary', n % 2 = 0)))) AS identityMap
    FROM (SELECT id AS n FROM range({rows}))
"""

WAYS: Final[dict[str, dict[str, str]]] = {
    "default": {},
    "v2": {"parquet.writer.version": "v2"},
    "v2_small_pages": {"parquet.writer.version": "v2", "parquet.page.row.count.limit": "20", "compression": "zstd"},
    "small_pages": {"parquet.page.row.count.limit": "16", "compression": "gzip"},
    "no_dictionary": {"parquet.enable.dictionary": "false", "parquet.page.row.count.limit": "32",
                      "compression": "lz4_raw"},
    "v2_no_dictionary": {"parquet.writer.version": "v2", "parquet.enable.dictionary": "false", "compression": "none"},
    "dictionary_overflows": {"parquet.dictionary.page.size": "300", "parquet.page.row.count.limit": "16",
                             "parquet.page.size.row.check.min": "4", "parquet.page.size.row.check.max": "4"},
    "bloom": {"parquet.bloom.filter.enabled#id": "true", "parquet.bloom.filter.expected.ndv#id": "30",
              "parquet.bloom.filter.enabled#seq": "true", "parquet.bloom.filter.expected.ndv#seq": "200"},
    "short_bounds": {"parquet.columnindex.truncate.length": "6", "parquet.statistics.truncate.length": "6",
                     "parquet.page.row.count.limit": "30"},
    "small_row_groups": {"parquet.block.row.count.limit": "30"},
    "micros": {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS", "parquet.page.row.count.limit": "30"},
    "int96": {"spark.sql.parquet.outputTimestampType": "INT96", "parquet.page.row.count.limit": "30"},
    "legacy": {"spark.sql.parquet.writeLegacyFormat": "true", "compression": "lz4"},
    "byte_stream_split": {"parquet.enable.dictionary": "false", "parquet.enable.bytestreamsplit": "true"},
}  # fmt: skip


def _session() -> SparkSession:
    return (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.parquet.int96RebaseModeInWrite", "CORRECTED")
        .config("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")
        .config("spark.sql.parquet.enableVectorizedReader", "true")
        .getOrCreate()
    )


def write(directory: Path, rows: int) -> None:
    """One file a way."""
    spark = _session()
    manifest: dict[str, Any] = {}
    for name, options in WAYS.items():
        settings = {key: value for key, value in options.items() if key.startswith("spark.")}
        for key, value in settings.items():
            spark.conf.set(key, value)
        frame = spark.sql(ROWS.format(rows=rows)).coalesce(1)
        with tempfile.TemporaryDirectory() as place:
            frame.write.options(**{k: v for k, v in options.items() if k not in settings}).mode("overwrite").parquet(
                place
            )
            (file,) = Path(place).glob("*.parquet")
            shutil.copyfile(file, directory / f"spark_{name}.parquet")
        for key in settings:
            spark.conf.unset(key)
        manifest[f"spark_{name}.parquet"] = {"writer": f"Spark {spark.version}", "options": options}
    (directory / "spark.json").write_text(json.dumps(manifest, indent=1))


def compare(before: Path, after: Path) -> int:
    """Both of Spark's readers, the vectorized and the other. Ends with 1 when any file differs."""
    spark = _session()
    deleted = json.loads((after / "deleted.json").read_text())
    wrong = 0
    for name, positions in sorted(deleted.items()):
        for vectorized in ("true", "false"):
            spark.conf.set("spark.sql.parquet.enableVectorizedReader", vectorized)
            gone = set(positions)
            source = spark.read.parquet(str(before / name))
            result = spark.read.parquet(str(after / name))
            expected = [repr(row) for number, row in enumerate(source.collect()) if number not in gone]
            same = expected == [repr(row) for row in result.collect()] and source.schema == result.schema
            wrong += not same
            print(f"{'equal' if same else 'DIFFERENT'} {len(expected):4} rows  vectorized={vectorized}  {name}")
    print(f"{len(deleted)} files read by Spark {spark.version}, {wrong} differences")
    return 1 if wrong or not deleted else 0


if __name__ == "__main__":
    verb, *paths = sys.argv[1:]
    sys.exit(compare(*map(Path, paths)) if verb == "compare" else write(Path(paths[0]), int(paths[1])))
