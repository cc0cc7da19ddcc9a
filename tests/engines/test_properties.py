"""Tables of every shape times identities: what survives is what should, value for value, and nothing of the rest."""

import io
import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from engines.asking import CRM, EMAIL, asked, order
from engines.plug import LATER, VERIFIER
from lethe.domain.dataset import PrimaryIdentity, TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.domain.namespace import Namespace
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import Forgotten, IdentityMap, Marker, PurgePolicy, Selector, Target
from lethe.engines.matching import compile_matcher
from lethe.engines.parquet.format import ParquetFormat
from lethe.engines.storage.local import LocalStorage

PEOPLE = [
    "annegret@example.com",
    "ANNEGRET@example.com",
    "bob",
    "straße-7",
    "STRASSE-7",
    "x",
    "annegret@example.co",
    "ñandú",
]
ENTRY = pa.struct([("id", pa.string()), ("primary", pa.bool_())])
MAP = pa.map_(pa.string(), pa.list_(ENTRY))
person = st.none() | st.sampled_from(PEOPLE) | st.text(max_size=6)
digits = st.none() | st.lists(st.none() | st.integers(0, 9), max_size=2)
deep = st.none() | st.fixed_dictionaries({"a": digits})
pair = st.tuples(st.text(max_size=2), st.integers(0, 9))
entry = st.none() | st.fixed_dictionaries({"id": person, "primary": st.none() | st.booleans()})
SIDE: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "text": (pa.string(), person),
    "large": (pa.large_string(), person),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), person),
    "number": (pa.int64(), st.none() | st.integers(-(2**63), 2**63 - 1)),
    "real": (pa.float64(), st.none() | st.floats(allow_nan=False)),
    "raw": (pa.binary(), st.none() | st.binary(max_size=5)),
    "decimal": (pa.decimal128(12, 3), st.none() | st.decimals(-999, 999, places=3)),
    "when": (pa.timestamp("us", "UTC"), st.none() | st.integers(-(2**55), 2**55)),
    "list": (pa.list_(pa.string()), st.none() | st.lists(person, max_size=3)),
    "deep": (pa.list_(pa.struct([("a", pa.list_(pa.int32()))])), st.none() | st.lists(deep, max_size=2)),
    "map": (pa.map_(pa.string(), pa.int32()), st.none() | st.lists(pair, max_size=2)),
    "flag": (pa.bool_(), st.none() | st.booleans()),
}
entries = st.none() | st.lists(
    st.tuples(
        st.sampled_from(["CRM", "crm", "Email", "ECID"]),
        st.none()
        | st.lists(st.none() | st.fixed_dictionaries({"id": person, "primary": st.none() | st.booleans()}), max_size=3),
    ),
    max_size=3,
    unique_by=lambda pair: pair[0],
)
ID_TYPES = [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.binary()]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[tuple[str, pa.Table, dict[str, Any]]], Selector, Namespace, list[str]]:
    """Files with their options, a selector, the namespace that is asked for, and ids."""
    shape = draw(st.sampled_from(["flat", "nested", "map"]))
    names = draw(st.lists(st.sampled_from(sorted(SIDE)), max_size=4, unique=True))
    id_type = draw(st.sampled_from(ID_TYPES)) if shape != "map" else MAP
    inner = pa.field("wer.?", id_type)
    fields = [pa.field("seq", pa.int64(), nullable=False)]
    fields.append(pa.field("person", pa.struct([inner, pa.field("n", pa.int32())])) if shape == "nested" else inner)
    fields += [
        pa.field(name, SIDE[name][0], metadata={"PARQUET:field_id": str(n + 50)}) for n, name in enumerate(names)
    ]
    schema = pa.schema(fields, metadata={"k": "v"})
    files = []
    seq = 0
    for number in range(draw(st.integers(1, 3))):
        rows = []
        for _ in range(draw(st.integers(0, 12))):
            who = draw(entries) if shape == "map" else draw(person)
            if pa.types.is_binary(id_type) and who is not None:
                who = who.encode("utf-8", "replace")
            row: dict[str, Any] = {"seq": seq, **{name: draw(SIDE[name][1]) for name in names}}
            if shape == "nested":
                row["person"] = draw(st.none() | st.just({"wer.?": who, "n": seq}))
            else:
                row["wer.?"] = who
            rows.append(row)
            seq += 1
        options = {
            "compression": draw(st.sampled_from(["NONE", "SNAPPY", "ZSTD", "GZIP", "LZ4", "BROTLI"])),
            "row_group_size": draw(st.integers(1, 9)),
            "use_dictionary": draw(st.booleans()),
            "data_page_version": draw(st.sampled_from(["1.0", "2.0"])),
            "write_page_index": draw(st.booleans()),
            "write_statistics": draw(st.booleans()),
            "store_schema": draw(st.booleans()),
            "store_decimal_as_integer": draw(st.booleans()),
        }
        if shape == "flat" and draw(st.booleans()):
            options["bloom_filter_options"] = {"wer.?": {"ndv": draw(st.integers(1, 50))}}
        folder = draw(st.sampled_from(["", "d=1/", "d=ü%20/e=/", "a b/"]))
        files.append((f"{folder}{number}.parquet", pa.Table.from_pylist(rows, schema=schema), options))
    namespace = draw(st.sampled_from([CRM, EMAIL]))
    path = ("person", "wer.?") if shape == "nested" else ("wer.?",)
    selector: Selector = IdentityMap("wer.?") if shape == "map" else PrimaryIdentity(path, namespace.code)
    ids = draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True))
    if namespace.case_insensitive:
        ids = list({value.casefold(): value for value in ids}.values())
    return files, selector, namespace, ids


@contextmanager
def skipping(*errors: type[Exception]) -> Iterator[None]:
    try:
        yield
    except errors:
        reject()


def is_named(row: dict[str, Any], selector: Selector, namespace: Namespace, ids: list[str]) -> bool:
    """The rule, in the plainest words."""
    same = (lambda a, b: a.casefold() == b.casefold()) if namespace.case_insensitive else (lambda a, b: a == b)
    if isinstance(selector, PrimaryIdentity):
        value: Any = row
        for name in selector.path:
            value = None if value is None else value[name]
        candidates = [value]
    else:
        candidates = [
            entry["id"]
            for code, listed in row["wer.?"] or []
            if code.casefold() == namespace.code.casefold()
            for entry in listed or []
            if entry is not None and entry["primary"]
        ]
    texts = [c.decode() if isinstance(c, bytes) else c for c in candidates if c is not None]
    return any(same(text, wanted) for text in texts for wanted in ids)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables())
def test_survivors_form_and_absence(case: Any) -> None:
    files, selector, namespace, ids = case
    root = Path(tempfile.mkdtemp())
    try:
        for name, table, options in files:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            with skipping(pa.ArrowNotImplementedError, pa.ArrowIndexError):  # Arrow itself does not bear the case
                pq.write_table(table, root / name, **options)
                pq.ParquetFile(root / name).read()
        stored = {name: pq.ParquetFile(root / name).read() for name, _, _ in files}
        schemas = {name: _form(root / name) for name, _, _ in files}
        engine = DirectoryEngine(ParquetFormat(), LocalStorage, InlineExecutor(), VERIFIER)
        target = Target(DatasetId("ds"), TableReference(TableFormat.PARQUET, str(root)), selector)
        wanted = asked(order(namespace, *ids))
        outcome = engine.forget(target, wanted, engine.find(target, wanted).plan, Marker("b/1"))
        assert isinstance(outcome, Forgotten), outcome
        assert engine.purge(target, PurgePolicy(), LATER).clean
        matched = 0
        left = 0
        for name, before in stored.items():
            keep = [n for n, row in enumerate(before.to_pylist()) if not is_named(row, selector, namespace, ids)]
            matched += before.num_rows - len(keep)
            if not (root / name).exists():
                assert not keep
                continue
            left += 1
            after = pq.ParquetFile(root / name).read()
            assert after.schema.equals(before.schema, check_metadata=True)
            assert _values(after) == _values(before.take(pa.array(keep, pa.int64())))
            assert _form(root / name) == schemas[name]
        assert left
        assert outcome.tally.rows_matched == matched == outcome.tally.orders[0].rows_matched
        evidence = engine.verify(target, wanted)
        assert evidence.gone, evidence.residues
        _require_no_short_cut(stored, selector, wanted, outcome)
    finally:
        shutil.rmtree(root)


def _form(path: Path) -> tuple[str, Any]:
    metadata = pq.read_metadata(path)
    return str(metadata.schema).split("\n", 1)[1], metadata.metadata


def _values(table: pa.Table) -> str:
    """Text, in which negative zero and the decimals' scale show."""
    assert not any(isinstance(v, float) and math.isnan(v) for c in table.columns for v in c.to_pylist())
    return repr(table.to_pylist())


def _require_no_short_cut(stored: dict[str, pa.Table], selector: Selector, wanted: Any, outcome: Forgotten) -> None:
    """The matcher over the whole table counts what the run counted file by file."""
    matcher = compile_matcher(selector, wanted)
    assert sum(matcher.match(table).counts.rows for table in stored.values()) == outcome.tally.rows_matched


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.none() | st.text(max_size=8), max_size=20),
    st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5),
)
def test_case_folding_is_python_s(values: list[str | None], ids: list[str]) -> None:
    ids = list({value.casefold(): value for value in ids}.values())
    matcher = compile_matcher(PrimaryIdentity(("id",), "Email"), asked(order(EMAIL, *ids)))
    mask = matcher.match(pa.table({"id": pa.array(values, pa.string())})).mask.to_pylist()
    assert mask == [v is not None and v.casefold() in {i.casefold() for i in ids} for v in values]


def test_a_rewritten_file_is_the_same_when_written_again() -> None:
    """Rewriting is deterministic: a repeat after a crash writes the same bytes."""
    from engines.tables import wide
    from engines.test_rewriter import judge, rewritten, written

    data = written(wide(["ann", "bob", None] * 5))
    assert rewritten(data, judge("ann")) == rewritten(data, judge("ann"))
    assert pq.read_table(io.BytesIO(rewritten(rewritten(data, judge("ann")), judge("ann")))).num_rows == 10
