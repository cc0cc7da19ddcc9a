"""What of a Delta log may hold somebody's id: by the protocol, some of its fields are numbers and words of its own.

A short id such as `1234` or `true` may equal a file's size or a word of the protocol. Such a field is passed over only
for short ids, only where the protocol says what it holds, and only while it holds that; every other field, and whatever
the protocol does not know, is searched. Long ids are searched in the whole file, whatever its fields mean.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from lethe.engines.verify import text
from lethe.engines.verify.cut import CUT_USUALLY, before_raising
from lethe.engines.verify.needles import Needles, unquoted

_COUNTS: Final = {
    "add": {"size", "modificationTime", "dataChange", "baseRowId", "defaultRowCommitVersion"},
    "remove": {
        "size",
        "deletionTimestamp",
        "dataChange",
        "extendedFileMetadata",
        "baseRowId",
        "defaultRowCommitVersion",
    },
    "cdc": {"size", "dataChange"},
    "sidecar": {"sizeInBytes", "modificationTime"},
    "metaData": {"createdTime"},
    "txn": {"version", "lastUpdated"},
    "protocol": {"minReaderVersion", "minWriterVersion"},
    "checkpointMetadata": {"version"},
    "domainMetadata": {"removed"},
    "commitInfo": {"timestamp", "inCommitTimestamp", "readVersion", "isBlindAppend"},
}
"""By kind of action, the fields that are numbers or truth values."""

_HINT: Final = {"version", "size", "parts", "sizeInBytes", "numOfAddFiles"}
"""The numbers of `_last_checkpoint`."""

_LEVELS: Final = re.compile(r"Serializable|WriteSerializable|SnapshotIsolation")
_OPERATIONS: Final = re.compile(
    r"WRITE|DELETE|MERGE|UPDATE|OPTIMIZE|TRUNCATE|RESTORE|CREATE TABLE|CREATE OR REPLACE TABLE|REPLACE TABLE"
    r"|SET TBLPROPERTIES|STREAMING UPDATE|ADD COLUMNS|VACUUM (?:START|END)|FSCK|CONVERT|CLONE|LETHE SEAL"
)
_NUMERAL: Final = re.compile(r"[0-9]+")
_METRIC: Final = re.compile(r"(?:num[A-Z]|[a-z]+Time(?:Ms)?\Z|execution_time_ms|[a-z_]*_ms\Z|num_)")
_SETTING: Final = re.compile(r"true|false|[0-9]+|none|name|id|interval(?: [0-9]+ [a-z]+)+")
_TYPES: Final = re.compile(
    r"string|long|integer|short|byte|float|double|boolean|binary|date|timestamp|timestamp_ntz|variant"
    r"|decimal\([0-9]+, ?[0-9]+\)|struct|array|map"
)
_FILE: Final = re.compile(r"part-[0-9]{5}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-c[0-9]{3}(?:\.[a-z]+)?\.parquet")

_FORMAT: Final = {"provider": "parquet"}
_VECTOR: Final = {"storageType", "pathOrInlineDv", "offset", "sizeInBytes", "cardinality"}
_STATISTICS_OF_COLUMNS: Final = {"nullCount", "minValues", "maxValues"}
_NESTED: Final = {"type", "elementType", "keyType", "valueType", "fields", "metadata"}
_SCHEMA_FLAGS: Final = {"nullable", "containsNull", "valueContainsNull", "delta.columnMapping.id"}

STATISTICS: Final = ("add", "stats")
SCHEMA: Final = ("metaData", "schemaString")


def is_log(path: str) -> bool:
    """Whether a file belongs to the log of a Delta table, by its place."""
    return "_delta_log" in path.split("/")[:-1]


def identities_in(data: bytes, needles: Needles) -> set[int]:
    """The identities in a file of the log that is JSON."""
    found = text.identities_in(data, needles)
    if not needles.short(found):
        return found
    documents = list(text.documents(data))
    lines = sum(1 for line in data.split(b"\n") if line.strip())
    if len(documents) not in {lines, 1} or not all(isinstance(each, dict) for each in documents):
        return found
    if len(documents) < lines and text.parsed(data) is None:
        # A line that is no document is no log: nothing is known of its words.
        return found
    return _confirmed(found, needles, (t for each in documents for t in _of_document(each)))


def identities_in_values(values: Iterable[Any], column: tuple[str, ...], found: set[int], needles: Needles) -> set[int]:
    """Of the identities found in a column of a checkpoint, those that its values may hold."""
    tiny = needles.tiny if column == STATISTICS else frozenset[int]()
    if column not in {STATISTICS, SCHEMA} or not (tiny or needles.short(found)):
        return found
    texts = [value.decode("utf-8", "replace") for value in values]
    tell = _of_statistics if column == STATISTICS else _of_schema
    return _confirmed(found, needles, (t for each in texts for t in tell(each)), tiny)


def cut_bounds_in(data: bytes, needles: Needles) -> Iterator[tuple[bytes, ...]]:
    """The bounds in a file of the log, or in one of its actions, with which an identity begins that goes on.

    Of each all that it may have been before its writer cut it: an upper one is raised, or has a character more.
    """
    if not needles.may_begin_in(data):
        return
    for document in text.documents(data):
        for fields in (document, *document.values()) if isinstance(document, dict) else ():
            if isinstance(fields, dict) and "stats" in fields:
                yield from cut_bounds_of(fields["stats"], needles)


def cut_bounds_of(stats: Any, needles: Needles) -> Iterator[tuple[bytes, ...]]:
    """The same for the statistics of one file."""
    document = _document(stats)
    for name in ("minValues", "maxValues") if isinstance(document, dict) else ():
        for value in _leaves(document.get(name)):
            yield from cut_bound(value.encode("utf-8", "surrogatepass"), needles, upper=name == "maxValues")


def cut_bound(bound: bytes, needles: Needles, *, upper: bool) -> Iterator[tuple[bytes, ...]]:
    """The same for one bound."""
    forms = (bound, *(before_raising(bound, as_text=True) if upper else ()))
    if upper:
        forms += (bound.decode("utf-8", "ignore")[:-1].encode(),)
    forms = tuple(form for form in forms if len(form) >= CUT_USUALLY)
    if any(needles.begins(form) for form in forms):
        yield forms


def holds_values(column: tuple[str, ...]) -> bool:
    """Whether a column of a checkpoint repeats values of the table's columns, whole and in their types."""
    return column[0] in {"add", "remove"} and (
        column[1:2] in {("partitionValues_parsed",), ("partitionValues",)}
        or column[1:3] in {("stats_parsed", "minValues"), ("stats_parsed", "maxValues")}
    )


def _confirmed(
    found: set[int], needles: Needles, telling: Iterable[str], tiny: frozenset[int] = frozenset()
) -> set[int]:
    """Those found, without the short ones of which no field that may hold them speaks; of tiny ones those that do."""
    spoken: set[int] = set()
    for each in telling:
        for form in unquoted(each):
            spoken |= needles.in_text(form)
    return (found - needles.short(found)) | ((found | tiny) & spoken)


def _of_document(document: Mapping[str, Any]) -> Iterator[str]:
    """The texts of an action, or of the hint, that could be anything."""
    for kind, fields in document.items():
        if kind in _COUNTS and isinstance(fields, dict):
            yield from _of_action(kind, fields)
        elif kind not in _HINT or not isinstance(fields, int):
            yield kind
            yield from text.strings(fields)


def _of_action(kind: str, fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if value is None or (name in _COUNTS[kind] and isinstance(value, int)):
            continue
        tell = _TELL.get((kind, name))
        if tell is None:
            yield from text.strings({name: value} if kind == "commitInfo" else value)
        else:
            yield from tell(value)


def _of_word(words: re.Pattern[str]) -> Callable[[Any], Iterator[str]]:
    """Of a field that is one of some words, or else could be anything."""
    return lambda value: iter(()) if words.fullmatch(str(value)) else text.strings(value)


def _of_metrics(value: Any) -> Iterator[str]:
    return _unless(value, lambda key, v: bool(_METRIC.match(key) and _NUMERAL.fullmatch(v)))


def _of_settings(value: Any) -> Iterator[str]:
    return _unless(value, lambda key, v: key.startswith("delta.") and bool(_SETTING.fullmatch(v)))


def _unless(value: Any, harmless: Callable[[str, str], bool]) -> Iterator[str]:
    if isinstance(value, dict):
        value = {key: inner for key, inner in value.items() if not harmless(key, str(inner))}
    return text.strings(value)


def _of_format(value: Any) -> Iterator[str]:
    return text.strings(value.get("options")) if value == {**_FORMAT, **value} else text.strings(value)


def _of_path(value: Any) -> Iterator[str]:
    directory, _, file = str(value).rpartition("/")
    yield directory
    if not _FILE.fullmatch(file):
        yield file


def _of_vector(value: Any) -> Iterator[str]:
    """Its own name or its own positions, in an alphabet of its own, beside numbers."""
    return text.strings({k: v for k, v in value.items() if k not in _VECTOR} if isinstance(value, dict) else value)


def _of_statistics(stats: Any) -> Iterator[str]:
    """Bounds are values; counts are not. The columns' names are those of the schema, which is searched for itself."""
    document = _document(stats)
    if not isinstance(document, dict):
        yield from text.strings(stats)
        return
    for name, value in document.items():
        if name in _STATISTICS_OF_COLUMNS:
            yield from (t for t in _leaves(value) if name != "nullCount" or not _NUMERAL.fullmatch(t))
        elif name not in {"numRecords", "tightBounds"} or not isinstance(value, int):
            yield name
            yield from text.strings(value)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    else:
        yield from text.strings(value)


def _of_schema(schema: Any) -> Iterator[str]:
    """Names and descriptions; not the words for types."""
    document = _document(schema)
    return text.strings(schema) if document is None else _of_type(document)


def _of_type(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _of_type(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict | list):
                yield "" if key in _NESTED else key
                yield from _of_type(inner)
            elif not _is_of_the_schema(key, inner):
                yield from text.strings(inner if key == "name" else {key: inner})
    else:
        yield from text.strings(value)


def _is_of_the_schema(key: str, value: Any) -> bool:
    return (key in _NESTED and isinstance(value, str) and bool(_TYPES.fullmatch(value))) or key in _SCHEMA_FLAGS


def _document(value: Any) -> Any:
    try:
        return json.loads(value)
    except (TypeError, ValueError, RecursionError):
        return None


_TELL: Final[dict[tuple[str, str], Callable[[Any], Iterator[str]]]] = {
    ("protocol", "readerFeatures"): lambda _: iter(()),
    ("protocol", "writerFeatures"): lambda _: iter(()),
    ("commitInfo", "engineInfo"): lambda _: iter(()),
    ("commitInfo", "clientVersion"): lambda _: iter(()),
    ("commitInfo", "isolationLevel"): _of_word(_LEVELS),
    ("commitInfo", "operation"): _of_word(_OPERATIONS),
    ("commitInfo", "operationMetrics"): _of_metrics,
    ("metaData", "configuration"): _of_settings,
    ("metaData", "format"): _of_format,
    ("metaData", "schemaString"): _of_schema,
    **{(kind, "path"): _of_path for kind in ("add", "remove", "cdc")},
    **{(kind, "stats"): _of_statistics for kind in ("add", "remove")},
    **{(kind, "deletionVector"): _of_vector for kind in ("add", "remove")},
}
"""The texts of a field that could be anything, for the fields that hold more than one value of their own."""
