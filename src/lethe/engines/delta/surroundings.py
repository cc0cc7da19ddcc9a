"""What the verification is told about a table: its version, its live files, and what they call the identity's column.

The log is walked once more here, plainly and from its beginning on, by code that shares nothing with the reader on
which the deletion relied (`log`, `snapshot`, `checkpoint`, `column_mapping`): a mistake there must not hide itself from
the check. A log that the walk does not understand tells nothing: then rows of a live file count as rows of one that is
not, which is no smaller find.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import IdentityMap, Selector
from lethe.engines.storage.interface import Storage
from lethe.engines.verify.interface import Surroundings

_LOG: Final = "_delta_log/"
_VERSION_DIGITS: Final = 20


@dataclass(slots=True)
class _Walk:
    """What the log says, up to one of its files."""

    version: int = -1
    live: dict[tuple[str, str], str] = field(default_factory=dict)
    schema: str = '{"fields":[]}'
    mapped: bool = False


def read_surroundings(storage: Storage, selector: Selector) -> Surroundings:
    """Raises StorageFailed. A table that is missing has no version and no live files."""
    paths = [stat.path for stat in storage.list()]
    try:
        walk = _walked(storage, paths)
        physical = _physical(walk, selector)
    except (ValueError, KeyError, TypeError, pa.ArrowException):
        return Surroundings("")
    files = [path for path in paths if not path.startswith(_LOG)] if physical != selector else []
    version = "" if walk.version < 0 else str(walk.version)
    return Surroundings(version, frozenset(walk.live.values()), dict.fromkeys(files, physical))


def _walked(storage: Storage, paths: Sequence[str]) -> _Walk:
    log = [path for path in paths if path.startswith(_LOG) and path[len(_LOG) :][:_VERSION_DIGITS].isdigit()]
    walk = _Walk()
    checkpoints = [path for path in log if ".checkpoint." in path and _is_whole(path, log)]
    newest = max((_version(path) for path in checkpoints), default=-1)
    for path in sorted(path for path in checkpoints if _version(path) == newest):
        _take(walk, _checkpoint(storage, path), newest)
    for path in sorted(path for path in log if path.endswith(".json") and "." not in path[len(_LOG) : -5]):
        if _version(path) > newest:
            _take(walk, _lines(storage.read(path)), _version(path))
    return walk


def _is_whole(path: str, log: Sequence[str]) -> bool:
    """Whether a checkpoint in parts has all of them: `<version>.checkpoint.<part>.<parts>.parquet`."""
    version, _, _, *rest = path.split(".")
    if len(rest) != 2:  # noqa: PLR2004 - the number of parts, and the ending
        return True
    return sum(p.startswith(f"{version}.checkpoint.") and p.endswith(".".join(["", *rest])) for p in log) == int(
        rest[0]
    )


def _version(path: str) -> int:
    return int(path[len(_LOG) :][:_VERSION_DIGITS])


def _lines(data: bytes) -> Iterator[Mapping[str, Any]]:
    return (json.loads(line) for line in data.split(b"\n") if line.strip())


def _checkpoint(storage: Storage, path: str) -> Iterator[Mapping[str, Any]]:
    if path.endswith(".json"):
        actions = list(_lines(storage.read(path)))
    else:
        with storage.open(path) as source:
            rows = pq.read_table(source, use_threads=False).to_pylist(maps_as_pydicts="strict")
        actions = [{kind: fields for kind, fields in row.items() if fields is not None} for row in rows]
    for action in actions:
        yield action
        if "sidecar" in action:
            yield from _checkpoint(storage, f"{_LOG}_sidecars/{action['sidecar']['path']}")


def _take(walk: _Walk, actions: Iterator[Mapping[str, Any]], version: int) -> None:
    for action in actions:
        if "remove" in action:
            walk.live.pop(_name(action["remove"]), None)
        if "add" in action:
            walk.live[_name(action["add"])] = unquote(action["add"]["path"])
        if "metaData" in action:
            walk.schema = action["metaData"]["schemaString"]
            mode = (action["metaData"].get("configuration") or {}).get("delta.columnMapping.mode", "none")
            walk.mapped = mode != "none"
    walk.version = version


def _name(fields: Mapping[str, Any]) -> tuple[str, str]:
    vector = fields.get("deletionVector") or {}
    return unquote(fields["path"]), f"{vector.get('storageType')}{vector.get('pathOrInlineDv')}@{vector.get('offset')}"


def _physical(walk: _Walk, selector: Selector) -> Selector:
    """The selector in the words of the files."""
    if not walk.mapped:
        return selector
    match selector:
        case PrimaryIdentity(path=path, namespace_code=code):
            return PrimaryIdentity(tuple(_renamed(json.loads(walk.schema), path)), code)
        case IdentityMap(column=column):
            return IdentityMap(next(iter(_renamed(json.loads(walk.schema), (column,)))))


def _renamed(struct: Any, path: Sequence[str]) -> Iterator[str]:
    for name in path:
        fields = struct.get("fields", []) if isinstance(struct, dict) else []
        found: dict[str, Any] = next((one for one in fields if one["name"] == name), {})
        yield str(found.get("metadata", {}).get("delta.columnMapping.physicalName", name))
        struct = found.get("type")
