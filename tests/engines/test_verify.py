"""The independent reader can fail: one residue of every kind, planted or left by what users would do."""

import gzip
import io
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, EMAIL, asked, order
from engines.plug import BY_ID
from engines.tables import wide
from engines.test_rewriter import LAYOUTS, PEOPLE, judge, rewritten, written
from lethe.domain.dataset import PrimaryIdentity
from lethe.engines import verify
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import Evidence, IdentityMap, ResidueKind, Selector
from lethe.engines.matching import compile_matcher
from lethe.engines.rewrite.judges import MatchJudge
from lethe.engines.rewrite.scan import scan
from lethe.engines.storage.local import LocalStorage
from lethe.engines.verify.findings import Findings
from lethe.engines.verify.interface import Surroundings
from lethe.engines.verify.needles import needles_of
from lethe.engines.verify.parquet.bloom import hashed
from lethe.engines.verify.parquet.examine import examine
from lethe.engines.verify.parts import Parts, Sliced
from lethe.engines.verify.verifier import ByteVerifier

SECRET = "ann.secret@example.com"
OTHER = "someone.else@example.com"


def verified(
    root: Path, *ids: str, live: set[str] | None = None, selector: Selector = BY_ID, namespace: Any = CRM
) -> Evidence:
    paths = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    around = Surroundings("s", frozenset(paths if live is None else live))
    verifier = ByteVerifier(InlineExecutor(), full=True)
    return verifier.verify(LocalStorage(str(root)), selector, asked(order(namespace, *(ids or (SECRET,)))), around)


def kinds(evidence: Evidence) -> set[ResidueKind]:
    return {residue.kind for residue in evidence.residues}


def places(evidence: Evidence) -> str:
    return " | ".join(residue.where for residue in evidence.residues)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "item"])
def test_a_row_is_found_in_every_layout(layout: str, tmp_path: Path) -> None:
    people = [SECRET if p == "ann" else p for p in PEOPLE]
    data = written(wide(people), **LAYOUTS[layout])
    (tmp_path / "a.parquet").write_bytes(data)
    evidence = verified(tmp_path)
    rows = [r.count for r in evidence.residues if r.kind is ResidueKind.LIVE_ROW]
    assert rows == [people.count(SECRET)]
    assert verified(tmp_path, "cy", "dee").residues
    (tmp_path / "a.parquet").write_bytes(rewritten(data, judge(SECRET)))
    by_map = verified(tmp_path, "never@example.com")
    assert by_map.gone
    assert by_map.rows_examined == 30 - people.count(SECRET)


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "item"])
def test_a_correct_copy_holds_nothing(layout: str, tmp_path: Path) -> None:
    table = wide([SECRET if p == "ann" else p for p in PEOPLE]).drop_columns(["identityMap", "who"])
    options = {k: v for k, v in LAYOUTS[layout].items() if "who" not in str(v)}
    data = written(table, **options)
    assert "dictionary" in layout or SECRET.encode() in data or "compress" not in layout
    (tmp_path / "a.parquet").write_bytes(rewritten(data, judge(SECRET)))
    evidence = verified(tmp_path)
    assert evidence.gone, evidence.residues
    assert evidence.rows_examined == 24


def test_a_stale_dictionary_entry(tmp_path: Path) -> None:
    """Reading as dictionary and writing back, as several tools do, keeps the deleted value in the dictionary page."""
    table = pa.table({"id": pa.array([SECRET, OTHER, None]).dictionary_encode(), "seq": [0, 1, 2]})
    pq.write_table(table.slice(1), tmp_path / "a.parquet", compression="zstd")
    evidence = verified(tmp_path)
    assert kinds(evidence) == {ResidueKind.VALUE}
    assert "dictionary entries that no row uses" in places(evidence)


def test_stale_bounds(tmp_path: Path) -> None:
    """Bounds that a copy kept from its source."""
    pq.write_table(pa.table({"id": [SECRET]}), tmp_path / "a.parquet", compression="NONE", use_dictionary=False)
    data = (tmp_path / "a.parquet").read_bytes()
    stored = len(SECRET).to_bytes(4, "little")
    assert stored + SECRET.encode() in data
    (tmp_path / "a.parquet").write_bytes(data.replace(stored + b"a", stored + b"X"))
    evidence = verified(tmp_path)
    assert "bounds" in places(evidence)
    assert ResidueKind.LIVE_ROW not in kinds(evidence)


def test_a_stale_page_index(tmp_path: Path) -> None:
    table = pa.table({"id": [f"{SECRET}"] + ["zed"] * 9})
    pq.write_table(
        table,
        tmp_path / "a.parquet",
        compression="NONE",
        write_page_index=True,
        use_dictionary=False,
        write_statistics=["id"],
    )
    data = (tmp_path / "a.parquet").read_bytes()
    where = [i for i in range(len(data)) if data.startswith(SECRET.encode(), i)]
    assert len(where) >= 3
    for number, place in enumerate(where):
        only = bytearray(data)
        for other in where:
            if other != place:
                only[other : other + 1] = b"b"
        (tmp_path / "a.parquet").write_bytes(only)
        assert not verified(tmp_path).gone, number


def test_a_stale_bloom_filter(tmp_path: Path) -> None:
    options = {
        "compression": "NONE",
        "use_dictionary": False,
        "write_statistics": False,
        "bloom_filter_options": {"id": {"ndv": 100}},
    }
    pq.write_table(pa.table({"id": [SECRET, OTHER]}), tmp_path / "a.parquet", **options)
    data = (tmp_path / "a.parquet").read_bytes().replace(SECRET.encode(), b"X" + SECRET.encode()[1:])
    (tmp_path / "a.parquet").write_bytes(data)
    assert "bloom filter" in places(verified(tmp_path))
    pq.write_table(pa.table({"id": [OTHER, None]}), tmp_path / "a.parquet", **options)
    assert verified(tmp_path).gone
    assert not verified(tmp_path, OTHER).gone


UID = "6f1ed002-ab59-4b65-8c1a-0a6d3c0f0d6e"


def _raw(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


@dataclass(frozen=True)
class Typed:
    """A column whose values are not their text."""

    type: pa.DataType
    value: Any
    stored: bytes
    """As a page, a bound and a filter hold it."""
    other: bytes
    """Another value, as long, further inside of the bounds."""
    text: str
    namespace: Any = CRM


TYPED = {
    "uuid": Typed(pa.uuid(), _raw(UID), _raw(UID), b"\x60" + bytes(15), UID.upper()),
    "sixteen bytes": Typed(pa.binary(16), _raw(UID), _raw(UID), b"\x60" + bytes(15), UID),
    "decimal": Typed(
        pa.decimal128(30, 2),
        Decimal("1234567890123456789012.00"),
        (123456789012345678901200).to_bytes(13, "big"),
        (5).to_bytes(13, "big"),
        "1234567890123456789012.0",
    ),
    "negative decimal": Typed(
        pa.decimal128(30, 2),
        Decimal("-1234567890123456789012.50"),
        (-123456789012345678901250).to_bytes(13, "big", signed=True),
        (-5).to_bytes(13, "big", signed=True),
        "-1234567890123456789012.5",
    ),
    "short decimal": Typed(
        pa.decimal128(20, 2), Decimal("70.50"), (7050).to_bytes(9, "big"), (7049).to_bytes(9, "big"), "70.5"
    ),
    "integer": Typed(pa.int64(), 1234567, (1234567).to_bytes(8, "little"), (1234566).to_bytes(8, "little"), "1234567"),
    "folded": Typed(pa.string(), "Ann@STRASSE.de", b"Ann@STRASSE.de", b"Ann@STRASSE.dd", "ann@straße.DE", EMAIL),
    "short text": Typed(pa.string(), "bob", b"\3\0\0\0bob", b"\3\0\0\0bab", "bob"),
}


def _of_typed(root: Path, typed: Typed) -> Evidence:
    return verified(
        root, typed.text, selector=PrimaryIdentity(("id",), typed.namespace.code), namespace=typed.namespace
    )


@pytest.mark.parametrize("name", TYPED)
def test_a_stale_filter_of_every_type(name: str, tmp_path: Path) -> None:
    typed = TYPED[name]
    options = {
        "compression": "NONE",
        "use_dictionary": False,
        "write_statistics": False,
        "bloom_filter_options": {"id": {"ndv": 100}},
    }
    pq.write_table(pa.table({"id": pa.array([typed.value, None], typed.type)}), tmp_path / "a.parquet", **options)
    assert ResidueKind.LIVE_ROW in kinds(_of_typed(tmp_path, typed))
    data = (tmp_path / "a.parquet").read_bytes()
    assert data.count(typed.stored) == 1
    (tmp_path / "a.parquet").write_bytes(data.replace(typed.stored, typed.other))
    evidence = _of_typed(tmp_path, typed)
    assert "bloom filter" in places(evidence)
    assert kinds(evidence) == {ResidueKind.VALUE}
    table = pq.read_table(tmp_path / "a.parquet")
    pq.write_table(table, tmp_path / "a.parquet", **options)
    assert _of_typed(tmp_path, typed).gone


@pytest.mark.parametrize("index", [False, True])
@pytest.mark.parametrize("name", TYPED)
def test_stale_bounds_of_every_type(name: str, index: bool, tmp_path: Path) -> None:
    """Of all places but one in which the file holds the value, another is put; the last is a bound, or the row."""
    typed = TYPED[name]
    table = pa.table({"id": pa.array([typed.value], typed.type)})
    pq.write_table(table, tmp_path / "a.parquet", compression="NONE", use_dictionary=False, write_page_index=index)
    data = (tmp_path / "a.parquet").read_bytes()
    stored, other = (one.removeprefix(b"\3\0\0\0") for one in (typed.stored, typed.other))
    where = [found.start() for found in re.finditer(re.escape(stored), data)]
    assert len(where) >= (5 if index else 3)
    for kept in where:
        changed = bytearray(data)
        for place in where:
            if place != kept:
                changed[place : place + len(stored)] = other
        (tmp_path / "a.parquet").write_bytes(changed)
        evidence = _of_typed(tmp_path, typed)
        if pq.read_table(tmp_path / "a.parquet").equals(table):
            assert ResidueKind.LIVE_ROW in kinds(evidence)
        else:
            assert places(evidence) == "column id: bounds"


def test_a_cut_bound_of_a_long_value(tmp_path: Path) -> None:
    """Some writers keep 64 bytes of a bound, raised where it is an upper one."""
    secret, raised = "long." * 20 + SECRET, "long." * 12 + "lonh"
    pq.write_table(pa.table({"id": [secret[:64]]}), tmp_path / "a.parquet", compression="NONE", use_dictionary=False)
    data = (tmp_path / "a.parquet").read_bytes()
    first = data.rindex(b"\x40\0\0\0" + secret[:64].encode()) + 4
    for bound in (secret[:64], raised):
        stale = bytearray(data.replace(secret[:64].encode(), bound.encode()))
        stale[first : first + 64] = secret[:64].encode()
        (tmp_path / "a.parquet").write_bytes(stale)
        assert verified(tmp_path, secret).gone, "a row begins so"
        stale[first] = ord("X")
        (tmp_path / "a.parquet").write_bytes(stale)
        assert places(verified(tmp_path, secret)) == "column id: bounds"
        assert verified(tmp_path, SECRET).gone


def test_a_filter_that_says_maybe_by_chance_is_explained(tmp_path: Path) -> None:
    table = pa.table({"id": [f"person{n}" for n in range(400)]})
    pq.write_table(table, tmp_path / "a.parquet", bloom_filter_options={"id": {"ndv": 10, "fpp": 0.9}})
    assert verified(tmp_path, *[f"absent{n}" for n in range(200)]).gone


def test_the_hash_of_the_filters_is_the_published_one() -> None:
    assert hashed([b""]).tolist() == [0xEF46DB3751D8E999]
    assert hashed([b"abc"]).tolist() == [0x44BC2CF5AD770999]
    assert hashed([b"Nobody inspects the spammish repetition"]).tolist() == [0xFBCEA83C8A378BF1]


def test_key_value_metadata_and_slack(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"id": [OTHER]}).replace_schema_metadata({"note": f"about {SECRET}"}), tmp_path / "a.parquet"
    )
    assert "key-value metadata" in places(verified(tmp_path))
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [OTHER]}), sink)
    data = sink.getvalue()
    length = int.from_bytes(data[-8:-4], "little") + 8
    (tmp_path / "a.parquet").write_bytes(data[:-length] + SECRET.encode() + data[-length:])
    assert "no part of the file" in places(verified(tmp_path))


OTHER_COLUMNS = {
    "integer": (pa.int64(), 987654321, "987654321"),
    "small type": (pa.uint32(), 4000000000, "4000000000"),
    "decimal": (pa.decimal128(30, 2), Decimal("987654321.50"), "987654321.5"),
    "decimal in an integer": (pa.decimal64(15, 2), Decimal("987654321.50"), "987654321.5"),
    "uuid": (pa.binary(16), _raw(UID), UID),
    "short text": (pa.string(), "bob", "bob"),
    "text": (pa.string(), f"to {SECRET}", SECRET),
}


@pytest.mark.parametrize("name", OTHER_COLUMNS)
def test_another_column_of_a_file_that_nothing_refers_to(name: str, tmp_path: Path) -> None:
    kind, value, text = OTHER_COLUMNS[name]
    other = pa.table({"id": [OTHER], "other": pa.array([value], kind)})
    pq.write_table(other, tmp_path / "orphan.parquet", store_decimal_as_integer=True)
    pq.write_table(pa.table({"id": [OTHER], "other": pa.array([None], kind)}), tmp_path / "live.parquet")
    evidence = verified(tmp_path, text, live={"live.parquet"})
    assert {(r.path, r.where) for r in evidence.residues} == {("orphan.parquet", "row group 0, column other")}
    pq.write_table(other, tmp_path / "live.parquet", store_decimal_as_integer=True)
    evidence = verified(tmp_path, text, live={"live.parquet"})
    assert evidence.gone, "a surviving row explains it"


def test_numbers_that_are_no_ids_name_nobody(tmp_path: Path) -> None:
    """Instants, and integers that many things count."""
    at = pa.array([1700000000000000], pa.timestamp("us"))
    pq.write_table(pa.table({"id": [OTHER], "at": at, "n": [4711]}), tmp_path / "orphan.parquet")
    pq.write_table(pa.table({"id": [OTHER]}), tmp_path / "live.parquet")
    assert verified(tmp_path, "1700000000000000", "4711", live={"live.parquet"}).gone


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("bob.parquet", True),
        ("bob/a.parquet", True),
        ("part=bob/a.parquet", True),
        ("part=Bob/a.parquet", False),
        ("copy for bob.tar.gz", True),
        ("bobby/a.parquet", False),
        ("part-00000-bobbob.bob", False),
        ("_bob_/a.parquet", False),
        ("bob=1/a.parquet", False),
    ],
)
def test_a_short_id_in_a_name(path: str, found: bool, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [OTHER]}), tmp_path / "live.parquet")
    (tmp_path / path).parent.mkdir(exist_ok=True)
    pq.write_table(pa.table({"id": [OTHER]}), tmp_path / path)
    evidence = verified(tmp_path, "bob", live={"live.parquet"})
    assert bool(evidence.residues) == found
    assert all(residue.path.startswith("file ") and "bob" not in residue.where for residue in evidence.residues)


@pytest.mark.parametrize(
    "path", ["part=7/a.parquet", "00007-7-6f1ed002-ab59-4b65-8c1a-0a6d3c0f0d6e-00007.parquet", "snap-7-1-a.avro", "7/a"]
)
def test_a_short_number_in_a_name_counts_as_a_partition_alone(path: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [OTHER]}), tmp_path / "live.parquet")
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_bytes(b"")
    assert bool(verified(tmp_path, "7", live={"live.parquet"}).residues) == ("=" in path)


@pytest.mark.parametrize("name", ["x=Ann+Maria+Secret", "x=Ann%20Maria%2520Secret", "Ann+Maria%20Secret"])
def test_a_space_in_a_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "a.bin").write_bytes(b"")
    assert verified(tmp_path, "Ann Maria Secret", live=set()).residues
    assert verified(tmp_path, "Ann Maria Other", live=set()).gone


def test_a_short_id_in_text_that_is_no_json(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [OTHER]}), tmp_path / "live.parquet")
    for content, found in [
        (b"name,city\nbob,rome\n", True),
        (b"7\nbob\n", True),
        (b"\0bob\0", True),
        (b"bobby,rome\n", False),
        (b"BOB", False),
        (b"\xff\0bob\0\xfe", False),
    ]:
        (tmp_path / "foreign").write_bytes(content)
        assert bool(verified(tmp_path, "bob", live={"live.parquet"}).residues) == found, content


def test_a_file_that_nothing_refers_to(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [OTHER]}), tmp_path / "live.parquet")
    pq.write_table(pa.table({"id": [SECRET]}), tmp_path / "orphan.parquet")
    evidence = verified(tmp_path, live={"live.parquet"})
    assert ResidueKind.STORED_ROW in kinds(evidence)
    assert {residue.path for residue in evidence.residues} == {"orphan.parquet"}


def test_logs_statistics_and_names(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [OTHER]}), tmp_path / "live.parquet")
    log = tmp_path / "log"
    log.mkdir()
    stats = json.dumps({"minValues": {"id": SECRET.replace(".", "\\u002e")}}).replace("\\\\u", "\\u")
    for name, content in {
        "raw.json": json.dumps({"predicate": f"id = '{SECRET}'"}).encode(),
        "nested.json": json.dumps({"add": {"stats": stats}}).encode(),
        "escaped.json": b'{"x": "' + "".join(f"\\u{ord(c):04x}" for c in SECRET).encode() + b'"}',
        "percent.json": json.dumps({"path": f"id={SECRET.replace('@', '%40')}/x"}).encode(),
        "packed.json.gz": gzip.compress(f'{{"x": "{SECRET}"}}'.encode()),
        "anything.bin": b"\x00\xff" + SECRET.encode() + b"\xff",
        "twice.json": json.dumps({"path": f"id={SECRET.replace('@', '%2540')}/x"}).encode(),
        "three times.txt": SECRET.replace("@", "%252540").encode(),
        f"twice {SECRET.replace('@', '%2540')}": b"",
        f"named {SECRET}": b"",
        f"named {SECRET.replace('@', '%40')}": b"",
    }.items():
        (log / name).write_bytes(content)
        evidence = verified(tmp_path, live={"live.parquet"})
        assert kinds(evidence) == {ResidueKind.VALUE}, name
        assert SECRET not in str(evidence.residues)
        (log / name).unlink()
        assert verified(tmp_path, live={"live.parquet"}).gone


def test_avro_is_opened(tmp_path: Path) -> None:
    avro = pytest.importorskip("pyiceberg.avro.file")
    from pyiceberg.io.pyarrow import PyArrowFileIO
    from pyiceberg.schema import Schema
    from pyiceberg.typedef import Record
    from pyiceberg.types import NestedField, StringType

    schema = Schema(NestedField(1, "bound", StringType(), required=True))
    for codec in ("null", "deflate"):
        path = tmp_path / "m.avro"
        with avro.AvroOutputFile(
            PyArrowFileIO().new_output(str(path)),
            schema,
            "m",
            metadata={"write.avro.compression-codec": codec, "avro.codec": codec},
        ) as out:
            out.write_block([Record(SECRET * 3), Record(OTHER)])
        assert not verified(tmp_path, live=set()).gone
        assert verified(tmp_path, "nobody@example.com", live=set()).gone


def test_a_value_that_survives_rightly_is_explained(tmp_path: Path) -> None:
    """In another column, as part of a longer value, and in metadata that repeats either."""
    pq.write_table(pa.table({"id": [OTHER, f"x{SECRET}x"], "note": [f"met {SECRET}", None]}), tmp_path / "live.parquet")
    (tmp_path / "log.json").write_text(json.dumps({"max": f"x{SECRET}x"}))
    evidence = verified(tmp_path, live={"live.parquet"})
    assert evidence.gone, evidence.residues
    assert evidence.finds_explained > 0
    pq.write_table(pa.table({"id": [OTHER]}), tmp_path / "live.parquet")
    assert not verified(tmp_path, live={"live.parquet"}).gone


def test_json_lines(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"id": OTHER, "note": SECRET}) + "\n")
    assert verified(tmp_path).gone
    (tmp_path / "a.json").write_text('{"id": "' + "".join(f"\\u{ord(c):04x}" for c in SECRET) + '"}\n')
    assert kinds(verified(tmp_path)) == {ResidueKind.LIVE_ROW}


def test_short_and_typed_identities(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a", "ab", "b"]}), tmp_path / "a.parquet")
    assert not verified(tmp_path, "a").gone
    assert verified(tmp_path, "c").gone
    for kind, value, wanted in [
        (pa.int64(), 7, "7"),
        (pa.int32(), -5, "-5"),
        (pa.uint64(), 2**64 - 1, str(2**64 - 1)),
        (pa.decimal128(10, 2), 3, "3.00"),
        (pa.decimal128(30, 2), 3, "3.0"),
        (pa.decimal128(38, 2), Decimal("9" * 36 + ".25"), "9" * 36 + ".25"),
    ]:
        pq.write_table(
            pa.table({"id": pa.array([value, None], kind)}), tmp_path / "a.parquet", store_decimal_as_integer=True
        )
        assert ResidueKind.LIVE_ROW in kinds(verified(tmp_path, wanted)), kind
        assert verified(tmp_path, "4").gone
    uid = "6f1ed002-ab59-4b65-8c1a-0a6d3c0f0d6e"
    pq.write_table(pa.table({"id": pa.array([bytes.fromhex(uid.replace("-", ""))], pa.uuid())}), tmp_path / "a.parquet")
    assert ResidueKind.LIVE_ROW in kinds(verified(tmp_path, uid.upper()))


def test_case_folded(tmp_path: Path) -> None:
    selector = PrimaryIdentity(("id",), "Email")
    for stored in ("ANN@STRASSE.de", "ann@straße.DE"):
        pq.write_table(pa.table({"id": [stored]}), tmp_path / "a.parquet")
        assert ResidueKind.LIVE_ROW in kinds(verified(tmp_path, "Ann@Straße.de", selector=selector, namespace=EMAIL))
        (tmp_path / "a.parquet").rename(tmp_path / "a.bin")
        (tmp_path / "a.bin").write_bytes(stored.encode())
        assert not verified(tmp_path, "Ann@Straße.de", selector=selector, namespace=EMAIL, live=set()).gone


def test_identity_maps_are_assembled(tmp_path: Path) -> None:
    table = wide([SECRET, SECRET, OTHER, None, SECRET])  # rows 0, 2 and 4 have a primary entry
    for version in ("1.0", "2.0"):
        for dictionary in (True, False):
            pq.write_table(table, tmp_path / "a.parquet", data_page_version=version, use_dictionary=dictionary)
            found = verified(tmp_path, selector=IdentityMap())
            assert [r.count for r in found.residues if r.kind is ResidueKind.LIVE_ROW] == [2]
            pq.write_table(table.take([1, 2, 3]), tmp_path / "a.parquet", data_page_version=version)
            assert verified(tmp_path, selector=IdentityMap()).gone


_INNER = pa.struct([("id", pa.string()), ("primary", pa.bool_())])
_IDS = pa.struct([("id", pa.string()), ("primary", pa.bool_()), ("inner", _INNER)])


def _entry(who: str, primary: bool | None) -> dict[str, Any]:
    return {"id": who, "primary": primary, "inner": {"id": SECRET, "primary": True}}


_LISTS = {
    "CRM": [[_entry(OTHER, True), _entry(SECRET, True)], [_entry(SECRET, False)], [], None, [_entry(OTHER, True)]],
    "Email": [None, [_entry(SECRET, True)], [_entry(SECRET, None)], [], [_entry(SECRET, True), _entry(OTHER, True)]],
}
"""Row 0 alone has a primary entry of the secret in its namespace."""


def _paired(first: str, second: str) -> list[list[dict[str, Any]]]:
    return [[{first: code, second: listed[row]} for code, listed in _LISTS.items()] for row in range(5)]


MAP_SHAPES = {
    "map": pa.array(
        [[(c, rows[n]) for c, rows in _LISTS.items()] for n in range(5)], pa.map_(pa.string(), pa.list_(_IDS))
    ),
    "map of large lists": pa.array(
        [[(c, rows[n]) for c, rows in _LISTS.items()] for n in range(5)],
        pa.map_(pa.large_string(), pa.large_list(_IDS)),
    ),
    "list of keys and values": pa.array(
        _paired("key", "value"), pa.list_(pa.struct([("key", pa.string()), ("value", pa.list_(_IDS))]))
    ),
    "list of codes and entries": pa.array(
        _paired("code", "entries"), pa.list_(pa.struct([("code", pa.string()), ("entries", pa.list_(_IDS))]))
    ),
    "codes that are called id": pa.array(
        _paired("id", "primary"), pa.large_list(pa.struct([("id", pa.string()), ("primary", pa.list_(_IDS))]))
    ),
    "decimal ids": pa.array(
        [[("CRM", [{"id": 1234567, "primary": True}])], *[[]] * 4],
        pa.map_(pa.string(), pa.list_(pa.struct([("id", pa.decimal128(30, 2)), ("primary", pa.bool_())]))),
    ),
    "struct": pa.array(
        [{"CRM": _LISTS["CRM"][n], "Email": _LISTS["Email"][n]} for n in range(5)],
        pa.struct([("CRM", pa.list_(_IDS)), ("Email", pa.list_(_IDS))]),
    ),
    "marks that are no marks": pa.array(
        [[("CRM", [{"id": SECRET, "primary": "true"}])]],
        pa.map_(pa.string(), pa.list_(pa.struct([("id", pa.string()), ("primary", pa.string())]))),
    ),
}


@pytest.mark.parametrize("compliant", [True, False])
@pytest.mark.parametrize("shape", MAP_SHAPES)
def test_every_shape_of_an_identity_map_that_is_deleted_from_is_seen(
    shape: str, compliant: bool, tmp_path: Path
) -> None:
    """A list of pairs is what is left of a map where a writer knows no maps: Polars and Daft do so."""
    table = pa.table({"seq": pa.array(range(len(MAP_SHAPES[shape]))), "identityMap": MAP_SHAPES[shape]})
    matched = compile_matcher(IdentityMap(), asked(order(CRM, SECRET, "1234567.0"))).match(table).mask
    assert matched.to_pylist() == ([False] if shape == "marks that are no marks" else [True, *[False] * 4])
    pq.write_table(table, tmp_path / "a.parquet", use_compliant_nested_type=compliant)
    evidence = verified(tmp_path, SECRET, "1234567.0", selector=IdentityMap())
    assert [r.count for r in evidence.residues if r.kind is ResidueKind.LIVE_ROW] == [1] * matched.true_count
    pq.write_table(table.filter(pc.invert(matched)), tmp_path / "a.parquet", use_compliant_nested_type=compliant)
    assert verified(tmp_path, SECRET, "1234567.0", selector=IdentityMap()).gone


@pytest.mark.parametrize("named_by", [BY_ID, IdentityMap()], ids=["column", "identity map"])
def test_a_row_that_bounds_hide_from_the_find_is_seen(named_by: Selector, tmp_path: Path) -> None:
    """The find believes bounds of row groups, and the verification nobody."""
    maps = pa.array([[("CRM", [{"id": SECRET, "primary": True}])]], pa.map_(pa.string(), pa.list_(_INNER)))
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [SECRET], "identityMap": maps}), path)
    data = path.read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    bounds = data[footer:].count(SECRET.encode())
    path.write_bytes(data[:footer] + data[footer:].replace(SECRET.encode(), b"z" * len(SECRET)))
    assert bounds >= 4
    judge_ = MatchJudge(compile_matcher(named_by, asked(order(CRM, SECRET))))
    assert scan(pa.BufferReader(data), judge_).counts.rows == 1
    assert scan(pa.BufferReader(path.read_bytes()), judge_).counts.rows == 0
    assert ResidueKind.LIVE_ROW in kinds(verified(tmp_path, selector=named_by))


def test_what_cannot_be_read_is_a_residue(tmp_path: Path) -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": [OTHER] * 100}), sink, compression="zstd")
    data = sink.getvalue()
    for broken in (data[: len(data) // 2] + b"PAR1", data[:4] + b"\xff" * 20 + data[24:], b"PARE" + data[4:]):
        (tmp_path / "a.parquet").write_bytes(broken)
        assert kinds(verified(tmp_path)) == {ResidueKind.UNREADABLE}
    (tmp_path / "a.parquet").write_bytes(b"\x1f\x8b broken")
    assert kinds(verified(tmp_path)) == {ResidueKind.UNREADABLE}


def test_of_a_local_parquet_file_those_parts_are_read_that_are_looked_at(tmp_path: Path) -> None:
    """A column that names nobody and could hold no identity is not read; the same is seen as in the whole file."""
    rows = 50_000
    columns = {"id": [f"person-{n}@example.com" for n in range(rows)], "noise": np.random.default_rng(1).random(rows)}
    columns["id"][rows // 2] = SECRET
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", compression="none", data_page_size=4_096)
    size = (tmp_path / "a.parquet").stat().st_size
    with pa.OSFile(str(tmp_path / "a.parquet")) as file:
        parts = Counted(file)
        seen = [examined(data) for data in (parts, (tmp_path / "a.parquet").read_bytes())]
    assert seen[0] == seen[1]
    assert seen[0][1] == [(ResidueKind.LIVE_ROW, 1)]
    assert parts.bytes_read < size * 0.8


class Counted(Parts):
    """Counts what is read of a file."""

    bytes_read = 0

    def __getitem__(self, at: slice) -> bytes:
        found = super().__getitem__(at)
        self.bytes_read += len(found)
        return found


def examined(data: Sliced) -> tuple[int, list[tuple[ResidueKind, int]]]:
    """Rows, and what was found."""
    findings = Findings("a.parquet")
    selector = PrimaryIdentity(("id",), "CRM")
    examine(data, selector, needles_of(selector, asked(order(CRM, SECRET))), findings, live=True, full=False)
    return findings.rows, [(each.kind, each.count) for each in findings.residues]


@pytest.mark.parametrize("bound", ["short", "long"])
def test_a_page_header_longer_than_a_window_is_read(tmp_path: Path, bound: str) -> None:
    value = OTHER if bound == "short" else f"{OTHER}{'x' * 1_500}"
    pq.write_table(pa.table({"id": [value, value]}), tmp_path / "a.parquet", write_page_index=False)
    assert verified(tmp_path).gone
    assert not verified(tmp_path, value).gone


def test_the_reader_asks_no_parquet_library() -> None:
    """Only files, codecs and decompressing streams are Arrow's: what a library gets wrong alike would not be seen."""
    source = Path(verify.__file__).parent
    asked = {line.strip() for p in source.rglob("*.py") for line in p.read_text().splitlines() if "pa." in line}
    used = {word for line in asked for word in re.findall(r"\bpa\.(\w+)", line)}
    assert used == {"Codec", "CompressedInputStream", "BufferReader", "OSFile"}
    assert not any("pyarrow." in p.read_text() for p in source.rglob("*.py"))


def test_a_naive_deletion_leaves_residue(tmp_path: Path) -> None:
    """What a user would write by hand: read with dictionaries, filter with the null-safe condition, write it back."""
    root = tmp_path / "t"
    root.mkdir()
    pq.write_table(pa.table({"id": [SECRET, OTHER, None], "seq": [0, 1, 2]}), root / "a.parquet")
    table = pq.read_table(root / "a.parquet", read_dictionary=["id"])
    table = table.filter((ds.field("id") != SECRET) | ds.field("id").is_null())
    assert table.column("seq").to_pylist() == [1, 2]
    pq.write_table(table, root / "a.parquet")
    evidence = verified(root)
    assert "dictionary entries that no row uses" in places(evidence)
    assert ResidueKind.LIVE_ROW not in kinds(evidence)
