"""Deletion vectors, decoded bit for bit or refused."""

import zlib
from pathlib import Path
from typing import Any

import pytest

from engines.delta.lake import bitmap, inline_vector, stored_vector
from lethe.engines.delta.actions import DeletionVector, vector_of
from lethe.engines.delta.deletion_vectors import hidden_rows, vector_path
from lethe.engines.interface import TableRefused
from lethe.engines.storage.local import LocalStorage


def hidden(root: Path, vector: dict[str, Any]) -> list[int]:
    return hidden_rows(LocalStorage(str(root)), vector_of(vector)).tolist()


def test_no_vector_hides_nothing(tmp_path: Path) -> None:
    assert hidden_rows(LocalStorage(str(tmp_path)), None).tolist() == []


@pytest.mark.parametrize(
    "rows",
    [(0,), (3, 4, 7, 11, 18, 29), tuple(range(70_000)), (1, 2**32 + 5, 2**34)],
    ids=["one", "few", "run", "64 bit"],
)
def test_inline_and_stored_say_the_same(tmp_path: Path, rows: tuple[int, ...]) -> None:
    assert hidden(tmp_path, inline_vector(*rows)) == sorted(rows)
    assert hidden(tmp_path, stored_vector(tmp_path, *rows, prefix="ab", before=b"another vector")) == sorted(rows)


def test_the_protocols_own_example() -> None:
    """Examples of the specification: the inline vector, and the file of a path with a prefix."""
    example = DeletionVector("i", "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", 40, 6)
    assert hidden_rows(LocalStorage("/nowhere"), example).tolist() == [3, 4, 7, 11, 18, 29]
    stored = DeletionVector("u", "ab^-aqEH.-t@S}K{vb[*k^", 40, 6, 4)
    assert vector_path(stored) == "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cardinality": 3}, "another number of rows"),
        ({"sizeInBytes": 9}, "cut"),
        ({"pathOrInlineDv": "a~~~~"}, "Z85"),
        ({"pathOrInlineDv": "abcd"}, "Z85"),
        ({"storageType": "x"}, "unknown way"),
        ({"storageType": "p", "pathOrInlineDv": "s3://other/deletion_vector.bin"}, "outside"),
    ],
)
def test_what_does_not_agree_is_refused(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    with pytest.raises(TableRefused, match=reason):
        hidden(tmp_path, inline_vector(1, 2) | change)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:-1], "cut"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "checksum"),
        (lambda data: data[:1] + b"\0\0\0\1" + data[5:], "cut"),
        (lambda _: _framed(b"\xd7" + bitmap(1, 2)[1:]), "unknown form"),
        (lambda _: _framed(bitmap(1, 2)[:-1]), "cut|decoded"),
        (lambda _: _framed(bitmap(1, 2)[:4] + b"\xff" * (len(bitmap(1, 2)) - 4)), "decoded"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: Any, reason: str) -> None:
    vector = stored_vector(tmp_path, 1, 2)
    file = next(tmp_path.glob("*.bin"))
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(TableRefused, match=reason):
        hidden(tmp_path, vector)


def _framed(data: bytes) -> bytes:
    return b"\x01" + len(data).to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big")
