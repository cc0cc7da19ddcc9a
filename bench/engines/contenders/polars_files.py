"""Polars: every file that holds a match, once more without it."""

from pathlib import Path

import polars as pl

from bench.engines.contenders import Ended


def anti_join(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    gone = pl.LazyFrame({"value": values})
    ended("start")
    hit = [path for path in sorted(root.glob("*.parquet")) if _holds(path, values, gone, layout)]
    ended("find")
    for path in hit:
        new = path.with_suffix(".new")
        rows = pl.scan_parquet(path)
        if layout == "identityMap":
            left = rows.filter(~_named(values).fill_null(value=False))
        else:
            left = rows.join(gone, left_on="email", right_on="value", how="anti", maintain_order="left")
        left.sink_parquet(new, compression="zstd", compression_level=1, row_group_size=500_000)
        new.rename(path)
    ended("forget")


def _holds(path: Path, values: list[str], gone: pl.LazyFrame, layout: str) -> bool:
    rows = pl.scan_parquet(path)
    if layout == "identityMap":
        found = rows.filter(_named(values))
    else:
        found = rows.join(gone, left_on="email", right_on="value", how="semi")
    return bool(found.select(pl.len()).collect().item())


def _named(values: list[str]) -> pl.Expr:
    entry = pl.element()
    wanted = entry.struct.field("primary") & entry.struct.field("id").is_in(values)
    return pl.col("identityMap").map.get("Email").list.eval(wanted).list.any()
