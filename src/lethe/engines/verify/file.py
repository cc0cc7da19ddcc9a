"""One file of any kind: recognised by its first bytes, and searched in every form that it has."""

import gzip
import struct
import zlib
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

import pyarrow as pa

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import ResidueKind, Selector
from lethe.engines.storage.interface import FileMissing, Storage
from lethe.engines.verify import avro, delta_log, manifests, text
from lethe.engines.verify.findings import Bound, Explained, Findings, Unreadable
from lethe.engines.verify.interface import Numbering
from lethe.engines.verify.needles import Needles, unquoted
from lethe.engines.verify.parquet import examine as parquet
from lethe.engines.verify.parquet.footer import MAGIC, MAGIC_ENCRYPTED
from lethe.engines.verify.parts import Sliced, parts_of

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True)
class Examining:
    """The task of the first pass."""

    storage: Storage
    selector: Selector
    needles: Needles
    live: frozenset[str] = field(repr=False)
    selectors: dict[str, Selector] = field(repr=False)
    full: bool
    numbering: Numbering | None = None

    def __call__(self, path: str) -> Findings | None:
        """Examine one file; None when it is gone."""
        findings = Findings(path)
        live = path in self.live
        selector = self.selectors.get(path, self.selector)
        try:
            with self.storage.open(path) as file:
                data = parts_of(file)
                findings.bytes_examined = len(data)
                log = not live and delta_log.is_log(path)
                if data[:4] == avro.MAGIC:
                    self._examine_avro(data[:], findings)
                else:
                    _examine(data, selector, self.needles, findings, live=live, full=self.full, log=log)
        except FileMissing:
            return None
        except Unreadable as error:
            findings.residue(ResidueKind.UNREADABLE, str(error))
        _name(path, selector, self.needles, findings, live=live)
        return findings

    def _examine_avro(self, data: bytes, findings: Findings) -> None:
        if manifests.is_manifest(data):
            manifests.examine(data, self.selector, self.needles, self.numbering, findings)
            return
        for where, part in avro.parts(data):
            findings.ask_elsewhere(self.needles.in_names(part), f"Avro {where}")


@dataclass(frozen=True, slots=True)
class Explaining:
    """The task of the second pass: which of a few identities and beginnings stand in surviving rows of a live file."""

    storage: Storage
    needles: Needles
    beginnings: frozenset[bytes] = field(default=frozenset(), repr=False)

    def __call__(self, path: str) -> Explained:
        """What some row of the file holds, the values of its partition's directories among them."""
        try:
            values = [form for part in path.split("/")[:-1] for form in unquoted(part.partition("=")[2])]
            raw = [value.encode("utf-8", "surrogateescape") for value in values]
            begun = {begun for begun in self.beginnings for value in raw if value.startswith(begun)}
            found = Explained(frozenset(self.needles.in_bytes(b"\n".join(raw))), frozenset(begun))
            with self.storage.open(path) as file:
                data = parts_of(file)
                if data[:4] == MAGIC:
                    return found | parquet.explained_by_rows(data, self.needles, self.beginnings)
                return found | Explained(frozenset(text.identities_in(_opened(data[:]), self.needles)))
        except (FileMissing, Unreadable):
            return Explained()


def _examine(
    data: Sliced, selector: Selector, needles: Needles, findings: Findings, *, live: bool, full: bool, log: bool
) -> None:
    if data[:4] == MAGIC and data[-4:] == MAGIC:
        _examine_parquet(data, selector, needles, findings, live=live, full=full, log=log)
    elif data[:4] == MAGIC_ENCRYPTED:
        raise Unreadable("the file is encrypted")
    elif log:
        opened = _opened(data[:])
        findings.ask_elsewhere(delta_log.identities_in(opened, needles), "text")
        findings.bounds += [
            Bound("statistics", None, beginnings=cut) for cut in delta_log.cut_bounds_in(opened, needles)
        ]
    else:
        whole = data[:]
        text.examine(_opened(whole), selector, needles, findings, live=live)
        findings.ask_elsewhere(needles.in_bytes(whole) if whole[:2] == _GZIP else set(), "compressed bytes")


def _examine_parquet(
    data: Sliced, selector: Selector, needles: Needles, findings: Findings, *, live: bool, full: bool, log: bool
) -> None:
    """Damage may show anywhere in a walk through bytes; whatever it breaks, the file was not examined."""
    try:
        parquet.examine(data, selector, needles, findings, live=live, full=full, log=log)
    except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError, struct.error) as error:
        raise Unreadable("the file's structures contradict each other") from error


def _opened(data: bytes) -> bytes:
    """Without a compression around the whole file. Raises Unreadable."""
    try:
        if data[:2] == _GZIP:
            return gzip.decompress(data)
        if data[:4] == _ZSTD:
            with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
                return bytes(stream.read())
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable("the file cannot be decompressed") from error
    return data


def _name(path: str, selector: Selector, needles: Needles, findings: Findings, *, live: bool) -> None:
    """The name of a file may speak, and a partition's directory may be the identity itself."""
    if isinstance(selector, PrimaryIdentity) and len(selector.path) == 1:
        for part in path.split("/")[:-1]:
            column, _, value = part.partition("=")
            code = selector.namespace_code.casefold()
            is_named = any(needles.named_by(form, code) is not None for form in unquoted(value))
            if unquote(column) == selector.path[0] and is_named:
                findings.residue(ResidueKind.LIVE_ROW if live else ResidueKind.STORED_ROW, "directory name")
                return
    findings.ask_elsewhere(needles.in_path(path), "file name")
