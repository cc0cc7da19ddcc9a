"""The reference pages say what the code does."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "docs/reference/generate.py"))


@pytest.mark.parametrize("name", GENERATOR["PAGES"])
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    assert (ROOT / "docs/reference" / name).read_text() == GENERATOR["PAGES"][name]()
