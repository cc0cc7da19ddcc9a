"""What the independent reader must know of a table: which files are live, and by which path each holds the identity.

Read from the metadata file, which is JSON, and from manifests, which are Avro, without the library and the code that
wrote them.
"""

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.iceberg.places import Places, below, canonical
from lethe.engines.iceberg.whole import OUTSIDE, WholeTable
from lethe.engines.interface import IdentityMap, Selector, TableRefused
from lethe.engines.storage.interface import Storage
from lethe.engines.verify.avro_records import records
from lethe.engines.verify.findings import Unreadable
from lethe.engines.verify.interface import Numbering, PartitionField, Surroundings
from lethe.engines.verify.manifests import kinds_of

_DELETED: Final = 2
_DATA: Final = 0
_NO_SNAPSHOT: Final = "none"
_METRICS: Final = "write.metadata.metrics."
_TRUNCATED: Final = re.compile(r"truncate\(([0-9]+)\)")


@dataclass(frozen=True, slots=True)
class Whole:
    """A table as the independent reader is shown it."""

    storage: WholeTable
    around: Surroundings
    root: str
    elsewhere: Mapping[str, str]
    """Canonical locations of live files outside of the table's, by the path under which the reader is shown them."""

    def location(self, path: str) -> str:
        """The canonical location of a file that the reader names."""
        return self.elsewhere.get(path, f"{self.root}/{path}")


def whole(places: Places, metadata_location: str, selector: Selector) -> Whole:
    """Read the current snapshot. Raises TableRefused when its metadata cannot be read, StorageFailed."""
    document = _document(_read(places, metadata_location))
    current = document.get("current-snapshot-id")
    snapshot = next((s for s in document.get("snapshots", ()) if s["snapshot-id"] == current), None)
    live = sorted(set(_live(places, snapshot))) if snapshot is not None else []
    inside = [path for path in (below(places.root, location) for location in live) if path is not None]
    elsewhere = [location for location in live if below(places.root, location) is None]
    outside = {f"{OUTSIDE}/{number}": places.of(location) for number, location in enumerate(elsewhere)}
    storage = WholeTable(places.storage, outside)
    around = Surroundings(
        _NO_SNAPSHOT if snapshot is None else str(current),
        frozenset((*inside, *outside)),
        _selectors(storage, document, selector),
        _numbering(document, selector),
    )
    named = {f"{OUTSIDE}/{number}": location for number, location in enumerate(elsewhere)}
    return Whole(storage, around, places.root, named)


def _document(raw: bytes) -> Any:
    """A metadata file, which may be compressed. Raises TableRefused."""
    try:
        return json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except (ValueError, OSError, EOFError) as error:
        raise TableRefused("the table's metadata file cannot be read") from error


def _live(places: Places, snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Canonical locations of data and delete files."""
    try:
        if "manifest-list" in snapshot:
            manifests = [m["manifest_path"] for m in records(_read(places, snapshot["manifest-list"]))]
        else:
            manifests = snapshot.get("manifests", [])
        for manifest in manifests:
            for entry in records(_read(places, manifest)):
                if entry["status"] != _DELETED:
                    yield canonical(entry["data_file"]["file_path"])
    except (Unreadable, KeyError) as error:
        raise TableRefused("a manifest of the table cannot be read") from error


def _read(places: Places, location: str) -> bytes:
    storage, path = places.of(location)
    return storage.read(path)


def _numbering(document: Mapping[str, Any], selector: Selector) -> Numbering:
    """How the table's manifests speak of its columns."""
    schemas = document.get("schemas") or [document["schema"]]
    current = next((s for s in schemas if s.get("schema-id") == document.get("current-schema-id")), schemas[-1])
    specs = document.get("partition-specs") or [{"spec-id": 0, "fields": document.get("partition-spec", ())}]
    modes = (str(value) for key, value in document.get("properties", {}).items() if key.startswith(_METRICS))
    return Numbering(
        _field_id(current["fields"], selector.path) if isinstance(selector, PrimaryIdentity) else None,
        {number: kind for schema in (*schemas, current) for number, kind in kinds_of(schema["fields"]).items()},
        {
            int(spec["spec-id"]): tuple(PartitionField(f.get("source-id", -1), f["transform"]) for f in spec["fields"])
            for spec in specs
        },
        frozenset(int(width) for mode in modes for width in _TRUNCATED.findall(mode)),
    )


def _selectors(storage: Storage, document: Mapping[str, Any], selector: Selector) -> dict[str, Selector]:
    """For every Parquet file under the location, live or not, how it names the identity's column, where it differs."""
    mapping = document.get("properties", {}).get("schema.name-mapping.default")
    if len(document.get("schemas", ())) <= 1 and mapping is None:
        return {}
    schema = next(s for s in document["schemas"] if s["schema-id"] == document["current-schema-id"])
    path = selector.path if isinstance(selector, PrimaryIdentity) else (selector.column,)
    number = _field_id(schema["fields"], path)
    names = dict(_mapped(json.loads(mapping), ())) if mapping else {}
    found: dict[str, Selector] = {}
    for stat in storage.list():
        there = _path_in(storage, stat.path, number, names) if _is_parquet(storage, stat.path) else None
        if there is not None and there != path:
            found[stat.path] = _moved(selector, there)
    return found


def _moved(selector: Selector, path: tuple[str, ...]) -> Selector:
    """The selector at another path; at none, where nothing is to be found."""
    if isinstance(selector, IdentityMap):
        return IdentityMap(path[0] if path else "")
    return PrimaryIdentity(path, selector.namespace_code)


def _field_id(fields: Sequence[Mapping[str, Any]], path: tuple[str, ...]) -> int | None:
    field = next((f for f in fields if f["name"] == path[0]), None)
    if field is None:
        return None
    if len(path) == 1:
        return int(field["id"])
    return _field_id(field["type"]["fields"], path[1:]) if isinstance(field["type"], dict) else None


def _mapped(fields: Sequence[Mapping[str, Any]], parent: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    for field in fields:
        for name in field["names"]:
            if "field-id" in field:
                yield (*parent, name), field["field-id"]
            yield from _mapped(field.get("fields") or (), (*parent, name))


def _is_parquet(storage: Storage, path: str) -> bool:
    with storage.open(path) as source:
        return bool(source.read(4) == b"PAR1")


def _path_in(
    storage: Storage, path: str, number: int | None, names: Mapping[tuple[str, ...], int]
) -> tuple[str, ...] | None:
    """Where a file has the identity's column; empty where it has none, None where it does not tell."""
    try:
        with storage.open(path) as source:
            schema = pq.read_schema(source)
    except pa.ArrowException:
        return None
    found = list(_fields(schema, ()))
    if any(field_id is not None for _, field_id in found):
        # A column that bears the name without the number is another one, which bore it before.
        return next((there for there, field_id in found if field_id == number), () if number is not None else None)
    return next((there for there, _ in found if names.get(there) == number), None)


def _fields(fields: Any, parent: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int | None]]:
    for field in fields:
        raw = (field.metadata or {}).get(b"PARQUET:field_id")
        yield (*parent, field.name), None if raw is None else int(raw)
        if pa.types.is_struct(field.type):
            yield from _fields(field.type, (*parent, field.name))
