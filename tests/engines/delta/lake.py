"""Delta tables for tests: written by deltalake, or with a log written by hand where it cannot write one."""

import base64
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
from deltalake import DeltaTable, WriterProperties, write_deltalake
from pyroaring import BitMap64

from engines.plug import BY_ID, VERIFIER, Hook
from engines.watched import Watched, unwatched
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.delta.engine import DeltaEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import Marker, PurgePolicy, Selector, Target
from lethe.engines.rewrite.choice import best_rewriter
from lethe.engines.storage.opening import StorageOpener, storage_opener

NOW = datetime(2035, 1, 1, tzinfo=UTC)
MARKER = Marker("BN-1/forget")
AT_ONCE = PurgePolicy(writers_grace=timedelta(0))
PLAIN = WriterProperties(compression="UNCOMPRESSED")


def engine(open_storage: StorageOpener | None = None, now: datetime = NOW) -> DeltaEngine:
    return DeltaEngine(
        open_storage or storage_opener(),
        InlineExecutor(),
        best_rewriter(),
        VERIFIER,
        new_name=lambda: str(uuid4()),
        clock=lambda: now,
    )


def target(root: Path | str, selector: Selector = BY_ID) -> Target:
    return Target(DatasetId("d1"), TableReference(TableFormat.DELTA, str(root)), selector)


def people(*ids: str | None, first: int = 0) -> pa.Table:
    """A row for each id, numbered."""
    numbers = [first + n for n in range(len(ids))]
    return pa.table(
        {"id": pa.array(ids, pa.string()), "n": pa.array(numbers, pa.int64()), "note": [f"note {n}" for n in numbers]}
    )


def write(root: Path, *tables: pa.Table, **options: Any) -> Path:
    """Each table as one commit."""
    for table in tables:
        write_deltalake(str(root), table, mode="append", writer_properties=PLAIN, **options)
    return root


def numbers(root: Path | str) -> list[int]:
    """The column n of every live row, in order, as deltalake reads the newest version."""
    return sorted(rows(root, "n"))


def rows(root: Path | str, column: str) -> list[Any]:
    return [row[column] for row in read(root)]


def read(root: Path | str) -> list[dict[str, Any]]:
    """Every live row, read through DataFusion, which knows deletion vectors and column mapping."""
    from deltalake import QueryBuilder

    found = QueryBuilder().register("t", DeltaTable(str(root))).execute("select * from t").read_all()
    return pa.table(found).to_pylist()


def log_files(root: Path) -> list[str]:
    return sorted(str(p.relative_to(root / "_delta_log")) for p in (root / "_delta_log").rglob("*") if p.is_file())


def data_files(root: Path) -> list[str]:
    files = (str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    return sorted(p for p in files if not p.startswith("_delta_log/"))


def actions(root: Path, version: int) -> list[dict[str, Any]]:
    text = (root / "_delta_log" / f"{version:020d}.json").read_text()
    return [json.loads(line) for line in text.splitlines() if line]


def commit(root: Path, version: int, *lines: Mapping[str, Any]) -> None:
    """Write a commit by hand."""
    (root / "_delta_log").mkdir(exist_ok=True, parents=True)
    text = "\n".join(json.dumps(line) for line in lines)
    (root / "_delta_log" / f"{version:020d}.json").write_text(text)


def protocol(*features: str, reader: Sequence[str] | None = None) -> dict[str, Any]:
    both = {"deletionVectors", "columnMapping", "timestampNtz", "v2Checkpoint", "typeWidening", "vacuumProtocolCheck"}
    readers = [f for f in features if f in both] if reader is None else list(reader)
    return {
        "protocol": {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": readers,
            "writerFeatures": list(features),
        }
    }


def metadata(root: Path, **settings: str) -> dict[str, Any]:
    """The table's metadata with more settings, to be committed by hand."""
    found = next(
        a["metaData"] for v in reversed(range(100)) if exists(root, v) for a in actions(root, v) if "metaData" in a
    )
    found["configuration"] = found["configuration"] | {key.replace("__", "."): value for key, value in settings.items()}
    return {"metaData": found}


def exists(root: Path, version: int) -> bool:
    return (root / "_delta_log" / f"{version:020d}.json").exists()


def adds(root: Path) -> list[dict[str, Any]]:
    """Every add of the JSON log, in order."""
    return [a["add"] for v in range(100) if exists(root, v) for a in actions(root, v) if "add" in a]


# Deletion vectors

_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"


def z85(data: bytes) -> str:
    padded = data + b"\0" * (-len(data) % 4)
    return base64.b85encode(padded).decode().translate(str.maketrans(_B85, _Z85))


def bitmap(*hidden: int) -> bytes:
    return struct.pack("<i", 1681511377) + BitMap64(hidden).serialize()


def inline_vector(*hidden: int) -> dict[str, Any]:
    data = bitmap(*hidden)
    return {"storageType": "i", "pathOrInlineDv": z85(data), "sizeInBytes": len(data), "cardinality": len(hidden)}


def stored_vector(root: Path, *hidden: int, prefix: str = "", number: int = 1, before: bytes = b"") -> dict[str, Any]:
    data, uuid = bitmap(*hidden), UUID(int=number)
    file = root / prefix / f"deletion_vector_{uuid}.bin"
    file.parent.mkdir(exist_ok=True)
    framed = len(data).to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big")
    file.write_bytes(b"\x01" + before + framed)
    return {
        "storageType": "u",
        "pathOrInlineDv": prefix + z85(uuid.bytes),
        "offset": 1 + len(before),
        "sizeInBytes": len(data),
        "cardinality": len(hidden),
    }


def hide(root: Path, version: int, add: Mapping[str, Any], vector: Mapping[str, Any]) -> None:
    """Commit a deletion vector for a file, as Spark's DELETE does; tables that lack the feature get it."""
    remove = {key: add[key] for key in ("path", "partitionValues", "size")}
    remove |= {"deletionTimestamp": 1, "dataChange": True, "extendedFileMetadata": True}
    if add.get("deletionVector"):
        remove["deletionVector"] = add["deletionVector"]
    upgrade = [protocol("deletionVectors"), metadata(root, delta__enableDeletionVectors="true")] if version == 1 else []
    commit(root, version, *upgrade, {"remove": remove}, {"add": {**add, "deletionVector": dict(vector)}})


# Storage that fails, or lets others act


def wrapped(before: Hook = unwatched, after: Hook = unwatched) -> StorageOpener:
    opener = storage_opener()
    return lambda location: Watched(opener(location), before, after)  # type: ignore[return-value]
