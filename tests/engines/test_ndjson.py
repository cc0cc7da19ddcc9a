"""What is particular to newline-delimited JSON."""

import gzip
from pathlib import Path
from uuid import UUID

import pytest

from engines.asking import CRM, asked, order
from engines.plug import BY_ID, VERIFIER
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.identity import HashedIdentities
from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.executors.interface import Executor
from lethe.engines.executors.pool import PoolExecutor
from lethe.engines.interface import (
    Forgotten,
    HashedOrder,
    IdentityMap,
    Marker,
    ResidueKind,
    Selector,
    TableRefused,
    Target,
    Wanted,
)
from lethe.engines.matching import compile_matcher
from lethe.engines.ndjson import format as format_module
from lethe.engines.ndjson.format import NdjsonFormat
from lethe.engines.ndjson.lines import judged
from lethe.engines.storage.local import LocalStorage
from lethe.engines.tally import tally
from lethe.storage.identity_hashes import KeyedHasher

ENGINE = DirectoryEngine(NdjsonFormat(), LocalStorage, InlineExecutor(), VERIFIER)
LINES = [
    b'{"id": "bob",  "n": 1.50, "n2": 1e400, "big": 123456789012345678901234567890}\n',
    b'{"id":"ann"}\r\n',
    b"\n",
    b'  {"n":"\\u00fc", "id" : "\\u0061nn" }  \n',
    b'{"id":null}\n',
    b'{"id":["ann"]}\n',
    b'{"x":{"id":"ann"}}\n',
    b'{"id":12345678901234567890123}\n',
    b'{"id":12345678901234567890124}\n',
    b'{"id":"ann","last":true}',
]


def table(root: Path) -> Target:
    return Target(DatasetId("ds"), TableReference(TableFormat.NDJSON, str(root)), BY_ID)


def erase(root: Path, *ids: str) -> Forgotten:
    target, wanted = table(root), asked(order(CRM, *ids))
    outcome = ENGINE.forget(target, wanted, ENGINE.find(target, wanted).plan, Marker("b/1"))
    assert isinstance(outcome, Forgotten), outcome
    return outcome


@pytest.mark.parametrize("gz", [False, True])
def test_untouched_lines_stay_byte_for_byte(tmp_path: Path, gz: bool) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(gzip.compress(b"".join(LINES)) if gz else b"".join(LINES))
    outcome = erase(tmp_path, "ann", "12345678901234567890123")
    left = path.read_bytes()
    assert (gzip.decompress(left) if gz else left) == b"".join(LINES[n] for n in (0, 2, 4, 5, 6, 8))
    assert outcome.tally.orders[0].rows_by_identity == (3, 1)
    assert outcome.plan.files[0].rows == 9


def test_several_gzip_members_are_one_file(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(LINES[0] + LINES[1]) + gzip.compress(LINES[4]))
    erase(tmp_path, "ann")
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == LINES[0] + LINES[4]


@pytest.mark.parametrize(
    "broken",
    [b"[1]\n", b"{\n", b'{"id": "\xff"}\n', gzip.compress(LINES[0] * 99, mtime=0)[:-20]],
    ids=["a list", "half an object", "no text", "half a file"],
)
def test_what_is_no_json_line_is_refused(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "a.json").write_bytes(broken)
    target = Target(DatasetId("ds"), TableReference(TableFormat.NDJSON, str(tmp_path)), BY_ID)
    with pytest.raises(TableRefused) as refused:
        ENGINE.find(target, asked(order(CRM, "ann")))
    assert "ff" not in str(refused.value)


def refusal(root: Path, engine: DirectoryEngine = ENGINE, selector: Selector = BY_ID) -> TableRefused:
    target = Target(DatasetId("ds"), TableReference(TableFormat.NDJSON, str(root)), selector)
    with pytest.raises(TableRefused) as refused:
        engine.find(target, asked(order(CRM, "ann")))
    return refused.value


def speaks(error: BaseException | None, secret: str) -> bool:
    """Whether an error, or one from which it came, holds a text."""
    return error is not None and (
        secret in repr(error.args) + repr(vars(error))
        or speaks(error.__cause__, secret)
        or speaks(error.__context__, secret)
    )


@pytest.mark.parametrize("executor", [InlineExecutor(), PoolExecutor(2, 1 << 30)], ids=["inline", "processes"])
@pytest.mark.parametrize(
    "line",
    [
        b'{"id":"secret\\ud800"}',
        b'{"id":"secret"',
        b'["secret"]',
        b'{"secret":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"n":"secret","id":1e60}',
        b'{"n":"secret","id":1e9999999999999999999999}',
        b'{"n":"secret","id":0.' + b"1" * 60 + b"}",
    ],
    ids=["half a pair", "half an object", "a list", "deep", "large", "larger than can be", "long"],
)
def test_a_line_that_cannot_be_judged_is_named_by_its_place(tmp_path: Path, line: bytes, executor: Executor) -> None:
    (tmp_path / "secret=1").mkdir()
    (tmp_path / "secret=1" / "b.json").write_bytes(b'{"id":"bob"}\n\n' + line + b"\n" + LINES[1])
    (tmp_path / "a.json").write_bytes(LINES[0])
    error = refusal(tmp_path, DirectoryEngine(NdjsonFormat(), LocalStorage, executor, VERIFIER))
    assert str(error).startswith("file 2 of 2 by name: line 3: ")
    assert not speaks(error, "secret")


def test_lines_are_counted_through_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(format_module, "_BATCH_BYTES", 30)
    (tmp_path / "a.json").write_bytes(LINES[1] * 20 + b"no\n")
    assert "line 21: " in str(refusal(tmp_path))


@pytest.mark.parametrize("place", ['"CRM":[{"id":"secret\\ud800","primary":true}]', '"secret\\ud800":[]'])
def test_an_identity_map_that_cannot_be_judged_is_named_by_its_place(tmp_path: Path, place: str) -> None:
    (tmp_path / "a.json").write_text(f'{{"identityMap":{{}}}}\n{{"identityMap":{{{place}}}}}\n')
    error = refusal(tmp_path, selector=IdentityMap())
    assert "line 2: " in str(error)
    assert not speaks(error, "secret")


def test_what_is_no_text_elsewhere_in_a_line_is_nobodys_matter(tmp_path: Path) -> None:
    other = b'{"id":"bob","x":"\\ud800","n":' + b"9" * 5_000 + b',"m":1e9999999999999999999}\n'
    (tmp_path / "a.json").write_bytes(other + LINES[1])
    assert erase(tmp_path, "ann").tally.rows_matched == 1
    assert (tmp_path / "a.json").read_bytes() == other


def test_a_damaged_gzip_file_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress(b'{"id":"ann"}\n' * 2_000, mtime=0)
    for position in range(10, len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        (tmp_path / "a.gz").write_bytes(damaged)
        assert "file 1 of 1 by name" in str(refusal(tmp_path))


LIVE_ROW = ResidueKind.LIVE_ROW

NUMBERS = [
    b'{"id":7.50,"n":0}\n',
    b'{"id":7.5}\n',
    b'{"id":75e-1}\n',
    b'{"id":7}\n',
    b'{"id":7.0}\n',
    b'{"id":"7.50"}\n',
    b'{"id":7.500000000000000000000000000000000001}\n',
    b'{"id":-0.0}\n',
    b'{"id":NaN}\n',
    b'{"id":12345678901234567890123.25}\n',
]


@pytest.mark.parametrize(
    ("ids", "gone", "counts"),
    [
        (("7.5",), [0, 1, 2], (3,)),
        (("7.50", "7.5"), [0, 1, 2, 5], (4, 3)),
        (("7",), [3, 4], (2,)),
        (("7.0",), [4], (1,)),
        (("0", "-0", "nan", "NaN"), [7], (1, 0, 0, 0)),
        (("7.500000000000000000000000000000000001",), [6], (1,)),
        (("12345678901234567890123.250",), [9], (1,)),
        (("75e-1", "07.5", "+7.5"), [], (0, 0, 0)),
    ],
)
def test_numbers_with_a_point_are_named_by_their_value(
    tmp_path: Path, ids: tuple[str, ...], gone: list[int], counts: tuple[int, ...]
) -> None:
    (tmp_path / "a.json").write_bytes(b"".join(NUMBERS))
    seen = [one for one in ENGINE.verify(table(tmp_path), asked(order(CRM, *ids))).residues if one.kind is LIVE_ROW]
    assert [one.count for one in seen] == ([len(gone)] if gone else [])
    outcome = erase(tmp_path, *ids)
    assert (tmp_path / "a.json").read_bytes() == b"".join(line for n, line in enumerate(NUMBERS) if n not in gone)
    assert outcome.tally.orders[0].rows_by_identity == counts
    assert outcome.tally.rows_matched == outcome.tally.orders[0].rows_matched == len(gone)


def test_numbers_of_identity_maps_are_named_by_their_value() -> None:
    lines = [
        b'{"identityMap":{"CRM":[{"id":7.50,"primary":true},{"id":"ann","primary":true}]}}',
        b'{"identityMap":{"CRM":[{"id":"bob","primary":true},{"id":7.5,"primary":false},{"id":1e99}]}}',
        b'{"identityMap":{"CRM":[{"id":12345678901234567890123,"primary":true}],"Email":[{"id":7.5,"primary":true}]}}',
        b'{"identityMap":{"CRM":[{"id":7.5,"primary":true}],"Email":[]}}',
        b'{"identityMap":null}',
    ]
    wanted = asked(order(CRM, "ann", "7.50", "7.5"), order(CRM, "12345678901234567890123"))
    found = judged(lines, compile_matcher(IdentityMap(), wanted))
    assert found.leave_out == [True, False, True, True, False]
    counted = tally(wanted, found.counts)
    assert [o.rows_by_identity for o in counted.orders] == [(1, 2, 2), (1,)]
    assert [o.rows_matched for o in counted.orders] == [2, 1]


def test_numbers_are_recognised_by_hashes() -> None:
    hasher = KeyedHasher(b"a key of the tests, thirty-two by")
    known = HashedOrder(WorkOrderId(UUID(int=1)), HashedIdentities({CRM: tuple(hasher.hashes(CRM, ["7.50"]))}, hasher))
    found = judged([b'{"id":7.5}', b'{"id":7.51}'], compile_matcher(BY_ID, Wanted((), (known,))))
    assert found.leave_out == [True, False]


def test_a_directory_names_the_rows_that_do_not_name_themselves(tmp_path: Path) -> None:
    """A row that has the column says itself whom it is of, be it nobody."""
    (tmp_path / "id=ann-annegret").mkdir()
    (tmp_path / "id=bob").mkdir()
    (tmp_path / "id=bob" / "a.json").write_bytes(b'{"n": 1}\n{"n": 2, "id": "ann-annegret"}\n{"n": 3, "id": null}\n')
    (tmp_path / "id=ann-annegret" / "b.json").write_bytes(b'{"n": 4}\n{"n": 5, "other": {"id": "x"}}\n')
    outcome = erase(tmp_path, "ann-annegret")
    assert outcome.tally.rows_matched == 3
    assert (tmp_path / "id=bob" / "a.json").read_bytes() == b'{"n": 1}\n{"n": 3, "id": null}\n'
    assert not (tmp_path / "id=ann-annegret" / "b.json").exists()
    assert all("annegret" not in file.path for file in outcome.plan.files)
