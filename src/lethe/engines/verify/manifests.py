"""Manifests of Iceberg tables, and lists of them: bounds and partition values, compared by the types of their columns.

A bound is binary. Of the identity's column it is compared with the identities as its type says; of other columns too
where they hold text, bytes or uuids, or integers so wide that they are nobody else's by chance. Text and bytes may be
cut short, and the last character of an upper bound raised by one. So a bound that is the beginning of an identity, or
was before it was raised, speaks of it, unless a surviving value begins so. Nothing else explains that the bound of
the identity's column, or a partition's value, is an identity: a row with that value would match.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import Selector
from lethe.engines.verify import avro
from lethe.engines.verify.avro_records import field_names, records
from lethe.engines.verify.cut import CUT_USUALLY, before_raising
from lethe.engines.verify.findings import Bound, Findings, Unreadable
from lethe.engines.verify.interface import Numbering, PartitionField
from lethe.engines.verify.needles import EXACT, WIDE_INTEGER, Needles, path_forms

CUT_MIN: Final = 4
"""A beginning of fewer characters names nobody."""

_UNKNOWN: Final = PartitionField(-1, "identity")
_NO_NUMBERING: Final = Numbering(None, {}, {}, frozenset())
_UUID_BYTES: Final = 16


def is_manifest(data: bytes) -> bool:
    """Whether an Avro container is a manifest or a list of them. Raises Unreadable."""
    return not field_names(data).isdisjoint({"data_file", "manifest_path"})


def examine(data: bytes, selector: Selector, needles: Needles, numbering: Numbering | None, findings: Findings) -> None:
    """Examine a manifest, or a list of them. Raises Unreadable."""
    header = avro.header(data)
    findings.ask_elsewhere(needles.in_names(b"\n".join(b"\n".join(pair) for pair in header.items())), "Avro header")
    reader = _Reader(needles, *_numbered(header, selector, numbering or _NO_NUMBERING), findings)
    try:
        for record in records(data):
            if isinstance(record.get("data_file"), Mapping):
                reader.entry(record)
            else:
                reader.manifest(record)
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise Unreadable("the manifest's structures contradict each other") from error


def kinds_of(fields: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The types of all columns of a schema that are not nested themselves, by field id."""
    return {int(number): kind for field in fields for number, kind in _kinds(field["id"], field["type"])}


def _kinds(number: int, kind: Any) -> Iterator[tuple[int, str]]:
    if not isinstance(kind, Mapping):
        yield number, str(kind)
        return
    for field in kind.get("fields", ()):
        yield from _kinds(field["id"], field["type"])
    for inner in ("element", "key", "value"):
        if inner in kind:
            yield from _kinds(kind[f"{inner}-id"], kind[inner])


def _numbered(
    header: Mapping[bytes, bytes], selector: Selector, known: Numbering
) -> tuple[Numbering, Sequence[PartitionField]]:
    """What the table says of its columns; and what the manifest does, which may be older than all that is known."""
    try:
        schema = json.loads(header.get(b"schema", b"{}"))
        parts = json.loads(header.get(b"partition-spec", b"[]"))
        fields = schema.get("fields", ())
        kinds = kinds_of(fields)
        spec = tuple(PartitionField(part.get("source-id", -1), part["transform"]) for part in parts)
    except (AttributeError, LookupError, TypeError, ValueError):
        return known, ()
    identity = known.identity
    if identity is None and isinstance(selector, PrimaryIdentity):
        identity = _field_id(fields, selector.path)
    return Numbering(identity, {**known.kinds, **kinds}, known.specs, known.widths), spec


def _field_id(fields: Sequence[Mapping[str, Any]], path: Sequence[str]) -> int | None:
    number = None
    for name in path:
        field = next((f for f in fields if f["name"] == name), None)
        if field is None:
            return None
        number, inner = int(field["id"]), field["type"]
        fields = inner.get("fields", ()) if isinstance(inner, Mapping) else ()
    return number


@dataclass(frozen=True, slots=True)
class _Reader:
    needles: Needles
    numbering: Numbering
    spec: Sequence[PartitionField]
    """Of all entries, as the header says."""
    findings: Findings

    def entry(self, entry: Mapping[str, Any]) -> None:
        """A data or delete file, live or not."""
        file = dict(entry["data_file"])
        about = str(file["file_path"])
        for name, upper in (("lower_bounds", False), ("upper_bounds", True)):
            for pair in _pairs(file.pop(name, None)):
                self._bound(*pair, f"{name.replace('_', ' ')} of a file", about, upper=upper)
        for number, value in enumerate((file.pop("partition", None) or {}).values()):
            if value is not None:
                part = self.spec[number] if number < len(self.spec) else _UNKNOWN
                self._partition_value(part, value, "partition of a file", about)
        self._others(file)

    def manifest(self, record: Mapping[str, Any]) -> None:
        """A manifest as its list describes it."""
        rest = dict(record)
        spec = self.numbering.specs.get(rest.get("partition_spec_id", 0), ())
        for number, summary in enumerate(rest.pop("partitions", None) or ()):
            part = spec[number] if number < len(spec) else _UNKNOWN
            for name in ("lower_bound", "upper_bound"):
                if summary.get(name) is not None:
                    self._partition_value(part, summary[name], f"partitions' {name.replace('_', ' ')}", None)
        self._others(rest)

    def _partition_value(self, part: PartitionField, value: Any, where: str, about: str | None) -> None:
        """A column's own value, or its beginning; of what else a transform makes of it nobody can be told."""
        kind = self.numbering.kinds.get(part.source, "string")
        raw = value.encode() if isinstance(value, str) else value
        is_own, number = part.source == self.numbering.identity, None
        if part.transform.startswith("truncate") and kind in {"string", "binary"}:
            number = self._named(kind, raw)
            if len(raw) >= CUT_MIN and (number is not None or self.needles.begins(raw)):
                self.findings.bounds.append(Bound(where, about, beginnings=(raw,)))
        elif part.transform == "identity":
            number = self._named(kind, raw)
            if number is not None and is_own:
                self.findings.bounds.append(Bound(where, about))
            elif number is not None and (kind not in {"int", "long"} or _is_wide(raw)):
                self.findings.bounds.append(Bound(where, about, number))
        if isinstance(raw, bytes) and kind in {"string", "binary"}:
            self._parts(raw, where, about, (), but=number)

    def _bound(self, number: int, raw: bytes, where: str, about: str, *, upper: bool) -> None:
        kind = self.numbering.kinds.get(number, "binary")
        is_own = number == self.numbering.identity
        named = self._named(kind, raw)
        may_be_cut = kind in {"string", "binary"} or kind.startswith("fixed")
        forms = (raw, *(before_raising(raw, as_text=kind == "string") if upper else ()))
        cut = tuple(form for form in forms if may_be_cut and self._may_be_cut(kind, form))
        if named is not None and is_own:
            self.findings.bounds.append(Bound(where, about, beginnings=cut))
        elif named is not None and (may_be_cut or kind == "uuid" or (kind in {"int", "long"} and _is_wide(raw))):
            self.findings.bounds.append(Bound(where, about, named, cut))
        elif any(self.needles.begins(beginning) for beginning in cut):
            self.findings.bounds.append(Bound(where, about, beginnings=cut))
        if may_be_cut:
            self._parts(raw, where, about, cut, but=named)

    def _parts(self, raw: bytes, where: str, about: str | None, cut: tuple[bytes, ...], *, but: int | None) -> None:
        """Identities inside of a longer text."""
        for number in sorted(self.needles.in_words(raw) - {but}):
            self.findings.bounds.append(Bound(where, about, number, cut))

    def _others(self, value: Any) -> None:
        """Paths, keys, and what no specification knows yet."""
        texts = b"\n".join(_texts(value))
        found = self.needles.in_names(texts)
        for form in path_forms(texts.decode("utf-8", "replace")) if b"%" in texts or b"+" in texts else ():
            found |= self.needles.in_names(form.encode("utf-8", "surrogatepass"))
        self.findings.ask_elsewhere(found, "manifest entry")

    def _may_be_cut(self, kind: str, raw: bytes) -> bool:
        length = len(raw.decode("utf-8", "replace")) if kind == "string" else len(raw)
        return length >= CUT_USUALLY or (length >= CUT_MIN and length in self.numbering.widths)

    def _named(self, kind: str, raw: Any) -> int | None:
        """The identity that a whole value of a type is."""
        needles = self.needles
        if kind in {"int", "long"}:
            value = raw if isinstance(raw, int) else int.from_bytes(raw, "little", signed=True)
            return needles.named_by(str(value))
        if not isinstance(raw, bytes):
            return None
        if kind.startswith("decimal"):
            scale = int(kind.rstrip(") ").rpartition(",")[2])
            return needles.decimals.get(Decimal(int.from_bytes(raw, "big", signed=True)).scaleb(-scale, context=EXACT))
        if len(raw) == _UUID_BYTES and kind != "string" and raw in needles.uuids:
            return needles.uuids[raw]
        if kind in {"string", "binary", "uuid"} or kind.startswith("fixed"):
            return needles.named_by_bytes(raw)
        return None


def _pairs(bounds: Any) -> Iterator[tuple[int, bytes]]:
    for pair in bounds or ():
        yield pair["key"], pair["value"]


def _is_wide(raw: Any) -> bool:
    value = raw if isinstance(raw, int) else int.from_bytes(raw, "little", signed=True)
    return bool(abs(value) >= WIDE_INTEGER)


def _texts(value: Any) -> Iterator[bytes]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value.encode("utf-8", "surrogatepass")
    elif isinstance(value, bytes):
        yield value
