"""The parts into which identities go: each identity once, none too many, and no object that speaks."""

import pytest

from lethe.client import InvalidArgument
from lethe.client.identities import IDENTITIES_MAX, one_part, parts_of


def test_identities_are_split_at_what_an_order_takes() -> None:
    emails = [f"{number}@example.com" for number in range(IDENTITIES_MAX + 50_000)]
    cards = [str(number) for number in range(60_000)]
    parts = list(parts_of({"Email": [*emails, *emails], "Card": cards}))
    assert [part.count for part in parts] == [100_000, 100_000, 10_000]
    assert [{code: len(ids) for code, ids in part.by_namespace.items()} for part in parts] == [
        {"Email": 100_000},
        {"Email": 50_000, "Card": 50_000},
        {"Card": 10_000},
    ]
    assert [value for part in parts for value in part.by_namespace.get("Email", ())] == emails
    assert [value for part in parts for value in part.by_namespace.get("Card", ())] == cards


def test_they_are_split_by_size_too() -> None:
    parts = list(parts_of({"X": ["ä" * 8, "b", "c" * 30, "d"]}, bytes_max=26))
    assert [part.by_namespace["X"] for part in parts] == [("ä" * 8, "b"), ("c" * 30,), ("d",)]


def test_one_id_is_another_s_in_another_namespace() -> None:
    assert one_part({"A": ["1", "1"], "B": ["1"]}).by_namespace == {"A": ("1",), "B": ("1",)}


def test_no_part_speaks() -> None:
    part = one_part({"Email": ["zoe@example.com"]})
    assert "zoe" not in repr(part) + str(part)


@pytest.mark.parametrize("bad", [None, 7, "", " \t", "x" * 1_025, "zoe\0", "zoe\ud800"])
def test_what_is_no_id_is_named_by_its_place(bad: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^Email\[1\]: the id ") as wrong:
        one_part({"Email": ["zoe@example.com", bad]})
    assert "zoe" not in str(wrong.value)
