"""The identity's column as it is read in pages: null where nobody is looked for, and every person that is, in place."""

import errno
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.asking import CRM, EMAIL, asked, order
from lethe.domain.dataset import PrimaryIdentity
from lethe.domain.identity import HashedIdentities
from lethe.domain.ids import WorkOrderId
from lethe.engines.interface import HashedOrder, Wanted
from lethe.engines.matching import compile_matcher
from lethe.engines.pruning import Sought
from lethe.engines.rewrite.interface import Judgement, RewriteRefused
from lethe.engines.rewrite.judged import JudgedColumns
from lethe.engines.rewrite.judges import HiddenRowsJudge, MatchJudge
from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.footer import read_footer
from lethe.engines.rewrite.pages.leaves import Shape
from lethe.engines.rewrite.pages.page_rewriter import PageRewriter
from lethe.engines.rewrite.scan import scan
from lethe.engines.rewrite.source import open_parquet
from lethe.engines.storage.interface import StorageFailed
from lethe.storage.identity_hashes import KeyedHasher

BY_ID = PrimaryIdentity(("id",), "CRM")
ROWS, PAGE = 3000, 100
PEOPLE = [None if n % 11 == 5 else n // 3 for n in range(ROWS)]
"""Three rows each, one after the other; some rows are nobody's."""
EVERYWHERE = [0, 33, 66, 67, 500, 999]
"""In the first and the last row of pages, and on both sides of where one ends."""

TEXTS = [None if who is None else f"user{who:05}@example.com" for who in PEOPLE]
UUIDS = [None if who is None else uuid5(UUID(int=0), str(who)).bytes for who in PEOPLE]


def table_of(values: Sequence[Any], kind: Any) -> pa.Table:
    return pa.table({"id": pa.array(values, kind), "x": range(len(values))})


def written(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    how = {"row_group_size": 1100, "data_page_size": 1, "write_batch_size": PAGE, "compression": "NONE", **options}
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def judge_of(*ids: str, selector: PrimaryIdentity = BY_ID, namespace: Any = CRM) -> MatchJudge:
    return MatchJudge(compile_matcher(selector, asked(order(namespace, *ids))))


def require_found(data: bytes, judge: MatchJudge, rows: Sequence[int]) -> None:
    """By the find, and by what is left of the file."""
    assert scan(pa.BufferReader(data), judge).counts.rows == len(rows)
    sink = io.BytesIO()
    assert PageRewriter().rewrite(pa.BufferReader(data), sink, judge).counts.rows == len(rows)
    left = pq.read_table(io.BytesIO(sink.getvalue()))
    total = pq.read_metadata(io.BytesIO(data)).num_rows
    assert left["x"].to_pylist() == sorted(set(range(total)) - set(rows))


def rows_of(people: Sequence[int]) -> list[int]:
    return [row for row, who in enumerate(PEOPLE) if who is not None and who in people]


KINDS: list[tuple[Any, Sequence[Any], Any]] = [
    (pa.string(), TEXTS, "user{:05}@example.com".format),
    (pa.large_string(), TEXTS, "user{:05}@example.com".format),
    (pa.string_view(), TEXTS, "user{:05}@example.com".format),
    (pa.binary(), [t and t.encode() for t in TEXTS], "user{:05}@example.com".format),
    (pa.dictionary(pa.int32(), pa.string()), TEXTS, "user{:05}@example.com".format),
    (pa.int64(), PEOPLE, "{}".format),
    (pa.int32(), PEOPLE, "{}".format),
    (pa.uint64(), [None if w is None else w + (1 << 63) for w in PEOPLE], lambda who: str(who + (1 << 63))),
    (pa.binary(16), UUIDS, lambda who: str(uuid5(UUID(int=0), str(who)))),
    (pa.uuid(), UUIDS, lambda who: str(uuid5(UUID(int=0), str(who)))),
]


@pytest.mark.parametrize("use_dictionary", [True, False])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize(("kind", "values", "name"), KINDS, ids=[str(kind) for kind, _, _ in KINDS])
def test_people_are_found_on_both_sides_of_every_border(
    by_arrow: list[int], kind: Any, values: Sequence[Any], name: Any, version: str, *, use_dictionary: bool
) -> None:
    data = written(table_of(values, kind), use_dictionary=use_dictionary, data_page_version=version)
    require_found(data, judge_of(*map(name, EVERYWHERE)), rows_of(EVERYWHERE))
    require_found(data, judge_of(*map(name, range(0, 1000, 2))), rows_of(range(0, 1000, 2)))
    require_found(data, judge_of(name(1000)), [])
    assert by_arrow == []


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int32(), pa.string()), pa.int64()])
def test_people_are_found_inside_of_structs(by_arrow: list[int], kind: Any, version: str) -> None:
    """Beside another field, under nulls of every depth, which are nobody; and required ones."""
    texts = pa.array(PEOPLE if kind == pa.int64() else TEXTS).cast(kind)
    numbers = pa.array(range(ROWS))
    nobody = np.array([n % 7 == 2 for n in range(ROWS)])
    inner = pa.StructArray.from_arrays([numbers, texts], ["n", "who"], mask=pa.array(nobody))
    middle = pa.StructArray.from_arrays([inner, numbers], ["inner", "n"])
    required = [pa.field("middle", middle.type, nullable=False)]
    outer = pa.StructArray.from_arrays([middle], fields=required, mask=pa.array(np.roll(nobody, 1)))
    data = written(pa.table({"id": outer, "x": range(ROWS)}), data_page_version=version)
    rows = [row for row in rows_of(EVERYWHERE) if not (nobody[row] or nobody[row - 1])]
    name = str if kind == pa.int64() else "user{:05}@example.com".format
    path = PrimaryIdentity(("id", "middle", "inner", "who"), "CRM")
    judge = judge_of(*map(name, EVERYWHERE), selector=path)
    require_found(data, judge, rows)
    hidden = np.array([0, 99, 100, 1500, 2999])
    hiding = HiddenRowsJudge(judge.matcher, hidden)
    sink = io.BytesIO()
    PageRewriter().rewrite(pa.BufferReader(data), sink, hiding)
    left = pq.read_table(io.BytesIO(sink.getvalue()))["x"].to_pylist()
    assert left == sorted(set(range(ROWS)) - set(rows) - set(hidden.tolist()))
    assert by_arrow == []


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
@pytest.mark.parametrize("compression", ["ZSTD", "SNAPPY", "GZIP", "BROTLI", "LZ4"])
def test_people_are_found_in_other_encodings_and_codecs(by_arrow: list[int], encoding: str, compression: str) -> None:
    table = table_of(TEXTS, pa.string())
    data = written(table, use_dictionary=False, column_encoding={"id": encoding}, compression=compression)
    require_found(data, judge_of(*[f"user{who:05}@example.com" for who in EVERYWHERE]), rows_of(EVERYWHERE))
    assert by_arrow == []


def test_numbers_of_the_least_and_the_greatest_size(by_arrow: list[int]) -> None:
    values = [-(1 << 63), (1 << 63) - 1, -1, 0, None] * 40
    data = written(table_of(values, pa.int64()))
    require_found(data, judge_of(str(-(1 << 63)), "-1"), [row for row in range(200) if row % 5 in {0, 2}])
    assert by_arrow == []


def test_rows_that_a_judge_hides_stay_out_by_their_place(by_arrow: list[int]) -> None:
    data = written(table_of(TEXTS, pa.string()))
    matcher = compile_matcher(BY_ID, asked(order(CRM, "user00500@example.com")))
    hidden = np.array([0, 99, 100, 1500, 1502, 2999])
    sink = io.BytesIO()
    outcome = PageRewriter().rewrite(pa.BufferReader(data), sink, HiddenRowsJudge(matcher, hidden))
    mine = [row for row in rows_of([500]) if row not in hidden]
    assert outcome.counts.rows == len(mine)
    left = pq.read_table(io.BytesIO(sink.getvalue()))["x"].to_pylist()
    assert left == sorted(set(range(ROWS)) - set(mine) - set(hidden.tolist()))
    assert by_arrow == []


def test_no_bound_of_a_page_is_believed() -> None:
    """Lies in the page index and in page headers hide nobody; those of the row group are what a find relies on."""
    table = table_of([f"m{n:04}" for n in range(ROWS)], pa.string())
    data = written(table, use_dictionary=False, write_page_index=True, row_group_size=ROWS)
    footer = read_footer(pa.BufferReader(data))
    pages = footer.groups[0].chunks[0].span.end
    places = [at for at in range(pages, footer.start) if data.startswith((b"m1000", b"m1099"), at)]
    assert places
    lying = bytearray(data)
    for at in places:
        lying[at : at + 5] = b"zzzzz"
    assert scan(pa.BufferReader(bytes(lying)), judge_of("m1000", "m1050", "m1099")).counts.rows == 3


def test_pages_that_name_no_wanted_entry_of_a_dictionary_are_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(table_of(TEXTS, pa.string()))
    monkeypatch.setattr(_native, "sift", None)
    assert scan(pa.BufferReader(data), judge_of("user00500@example.co")).counts.rows == 0


def test_what_is_shown_in_place_of_others_is_null() -> None:
    data = written(table_of(TEXTS, pa.string()), row_group_size=ROWS)
    source, judge = pa.BufferReader(data), judge_of("user00500@example.com")
    shown = JudgedColumns(source, open_parquet(source), read_footer(source), judge).table(0)["id"]
    assert [row for row, text in enumerate(shown.to_pylist()) if text == "user00500@example.com"] == rows_of([500])
    assert shown.null_count > ROWS * 0.9


@dataclass(frozen=True)
class Seeing:
    """A judge that notes how many rows it is shown."""

    inner: Any
    shown: list[int] = field(default_factory=list)

    def judge(self, batch: Any, first_row: int) -> Judgement:
        self.shown.append(batch.num_rows)
        told: Judgement = self.inner.judge(batch, first_row)
        return told

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.int64()])
def test_only_a_judge_that_hides_rows_is_shown_all_of_them(kind: Any) -> None:
    """The others see those rows alone that may hold a wanted value, and what they say is said of the right rows."""
    column: list[Any] = PEOPLE if kind == pa.int64() else TEXTS
    data = written(table_of(column, kind), row_group_size=ROWS)
    source, matcher = pa.BufferReader(data), judge_of("500" if kind == pa.int64() else "user00500@example.com").matcher
    hidden = np.array([0, 7, ROWS - 1])
    for judge, shown in ((MatchJudge(matcher), 0), (HiddenRowsJudge(matcher, hidden), ROWS)):
        seeing = Seeing(judge)
        judgement = JudgedColumns(source, open_parquet(source), read_footer(source), seeing).judge(0, 0)
        assert seeing.shown == [shown] if shown else seeing.shown[0] < ROWS // 10
        in_full = judge.judge(pq.read_table(pa.BufferReader(data), columns=["id"]), 0)
        assert judgement.leave_out.equals(in_full.leave_out)
        assert judgement.counts.rows == in_full.counts.rows > 0


def hashed(*ids: str) -> MatchJudge:
    hasher = KeyedHasher(b"a key of the tests, thirty-two by")
    identities = HashedIdentities({CRM: tuple(hasher.hashes(CRM, list(ids)))}, hasher)
    return MatchJudge(compile_matcher(BY_ID, Wanted((), (HashedOrder(WorkOrderId(UUID(int=1)), identities),))))


def test_ids_that_cannot_be_listed_are_left_to_arrow(by_arrow: list[int]) -> None:
    data = written(table_of(TEXTS, pa.string()))
    assert scan(pa.BufferReader(data), hashed("user00500@example.com")).counts.rows == len(rows_of([500]))
    assert by_arrow == [0, 1, 2]


def test_ids_whose_letter_case_does_not_count_are_found_in_pages(by_arrow: list[int]) -> None:
    data = written(table_of([text and text.swapcase() for text in TEXTS], pa.string()))
    by_mail = PrimaryIdentity(("id",), EMAIL.code)
    judge = judge_of(*[f"User{who:05}@example.com" for who in EVERYWHERE], selector=by_mail, namespace=EMAIL)
    require_found(data, judge, rows_of(EVERYWHERE))
    assert by_arrow == []


@pytest.mark.parametrize(
    ("column", "path"),
    [
        (pa.array(PEOPLE, pa.int16()), ("id",)),
        (pa.array(PEOPLE, pa.decimal128(9, 0)), ("id",)),
    ],
    ids=["int16", "decimal"],
)
def test_columns_of_another_shape_are_left_to_arrow(by_arrow: list[int], column: Any, path: tuple[str, ...]) -> None:
    data = written(pa.table({"id": column, "x": range(ROWS)}))
    require_found(data, judge_of("500", selector=PrimaryIdentity(path, "CRM")), rows_of([500]))
    assert by_arrow


def test_a_column_that_contradicts_itself_is_left_to_arrow_and_refused(by_arrow: list[int]) -> None:
    table = table_of([f"m{n:04}" for n in range(100)], pa.string())
    data = written(table, use_dictionary=False, row_group_size=100, data_page_size=1 << 20)
    at = data.index(b"\x05\0\0\0m0050")
    broken = data[:at] + b"\xff\xff\xff\x7f" + data[at + 4 :]
    with pytest.raises(RewriteRefused):
        scan(pa.BufferReader(broken), judge_of("m0001"))
    assert by_arrow == [0]


class _Failing(io.BytesIO):
    """A disk that fails where the pages are, once the footer was read."""

    broken = False

    def read(self, size: int | None = -1, /) -> bytes:
        if self.broken and self.tell() < 1000:
            raise OSError(errno.EIO, "of the disk")
        return super().read(size)

    def readinto(self, room: Any, /) -> int:
        if self.broken and self.tell() < 1000:
            raise OSError(errno.EIO, "of the disk")
        return super().readinto(room)


def test_a_failure_of_the_storage_is_one_and_no_strange_column(by_arrow: list[int]) -> None:
    disk = _Failing(written(table_of(TEXTS, pa.string()), row_group_size=ROWS))
    source, judge = pa.PythonFile(disk, mode="r"), judge_of("user00500@example.com")
    columns = JudgedColumns(source, open_parquet(source), read_footer(source), judge)
    disk.broken = True
    with pytest.raises(StorageFailed, match="EIO"):
        columns.table(0)
    assert by_arrow == []


def test_few_others_pass_a_sieve_and_none_that_was_put_in_is_held() -> None:
    wanted = [f"user{n:05}@example.com".encode()[: n % 23 + 4] for n in range(5000)]
    plain = b"".join(len(word).to_bytes(4, "little") + word for word in wanted)
    sieve = bytearray(4096 + 5000 * 4)
    _native.sieve_add(sieve, plain, 5000, Shape.STRINGS, 0)
    assert set(_native.sieve_marks(sieve, False, plain, 5000, Shape.STRINGS, 0)) == {1}
    others = [f"person{n:07}" for n in range(10_000)]
    plain = b"".join(len(word).to_bytes(4, "little") + word.encode() for word in others)
    assert sum(_native.sieve_marks(sieve, False, plain, 10_000, Shape.STRINGS, 0)) < 500


@pytest.mark.parametrize("size", [0, 7, 12])
def test_a_sieve_of_no_possible_size_is_refused(size: int) -> None:
    with pytest.raises(_native.Malformed):
        _native.sieve_marks(bytes(size), False, bytes(8), 1, Shape.FIXED, 8)
    with pytest.raises(_native.Malformed):
        _native.sieve_add(bytearray(size), bytes(8), 1, Shape.FIXED, 8)


def test_wanted_values_are_not_shown_in_words() -> None:
    assert repr(Sought(("id",), pa.string(), 1, b"\x03\0\0\0ann")) == "Sought(string, 1)"
