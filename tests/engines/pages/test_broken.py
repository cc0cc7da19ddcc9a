"""Broken files: a clear refusal, or what Arrow reads in them; never a crash. In processes of their own."""

import pytest

from engines.pages.fuzz import run
from engines.pages.subjects import subjects


@pytest.mark.skipif("pages" not in subjects(), reason="there is no native module; its own test fails where it must be")
def test_broken_files_are_refused_or_read_as_arrow_does() -> None:
    report = run("damage", "pages", 0, 150, 1)
    assert report.failures == [], "\n".join(report.lines(0))
    assert report.totals["cases"] == 150
    assert report.told["refused"] > 30
    assert report.told["equal"] > 15


def test_the_runner_tells_who_lies_and_who_dies() -> None:
    lies = run("rows", "lies", 1, 4, 1)
    assert sorted(seed for seed, _, _ in lies.failures) == [1, 2, 3, 4]
    dies = run("damage", "dies", 1, 2, 1)
    assert [seed for seed, _, _ in dies.failures] == [1, 2]
    assert all("ended with -6 while rewriting" in what for _, what, _ in dies.failures)
    assert dies.totals["cases"] == 2
