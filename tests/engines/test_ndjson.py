"""What is particular to newline-delimited JSON."""

import gzip
from pathlib import Path

import pytest

from engines.asking import CRM, asked, order
from engines.plugs import BY_ID, VERIFIER
from lethe.domain.dataset import TableFormat, TableReference
from lethe.domain.ids import DatasetId
from lethe.engines.directory.engine import DirectoryEngine
from lethe.engines.executors.inline import InlineExecutor
from lethe.engines.interface import Forgotten, Marker, TableRefused, Target
from lethe.engines.ndjson.format import NdjsonFormat
from lethe.engines.storage.local import LocalStorage

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


def erase(root: Path, *ids: str) -> Forgotten:
    target = Target(DatasetId("ds"), TableReference(TableFormat.NDJSON, str(root)), BY_ID)
    wanted = asked(order(CRM, *ids))
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
