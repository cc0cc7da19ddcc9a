"""The floor: every page decompressed, compressed again and written. No rewriting of a whole file can cost less."""

from pathlib import Path
from typing import IO

import pyarrow as pa

from bench.engines.contenders import Ended
from lethe.engines.verify.parquet.footer import Chunk, read_footer
from lethe.engines.verify.parquet.thrift import Reader

_ZSTD = 6


def recompress(root: Path, values: list[str], layout: str, ended: Ended) -> None:
    codec = pa.Codec("zstd", compression_level=1)
    ended("start")
    for path in sorted(root.glob("*.parquet")):
        data = path.read_bytes()
        with path.with_suffix(".new").open("wb") as out:
            for _, chunks in read_footer(data).groups:
                for chunk in chunks:
                    _copy(data, chunk, codec, out)
        path.with_suffix(".new").rename(path)
    ended("forget")


def _copy(data: bytes, chunk: Chunk, codec: pa.Codec, out: IO[bytes]) -> None:
    if chunk.codec != _ZSTD:
        raise ValueError("the benchmark's tables are written with zstd")
    position, end, view = chunk.start, chunk.start + chunk.size_bytes, memoryview(data)
    while position < end:
        reader = Reader(data, position)
        header = reader.struct()
        body = reader.position
        position = body + header[3]
        out.write(codec.compress(codec.decompress(view[body:position], decompressed_size=header[2])))
