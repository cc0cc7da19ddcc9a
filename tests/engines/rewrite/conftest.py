"""Without the native module these files have nothing to test; `pages/test_native.py` fails where it must be."""

from typing import Any

import pytest

from lethe.engines.rewrite import judged
from lethe.engines.rewrite.choice import CUTS_PAGES

_OF_THE_NATIVE_MODULE = [
    "test_filters.py",
    "test_folded_sieve.py",
    "test_heads.py",
    "test_map_rows.py",
    "test_native_threads.py",
    "test_native_values.py",
    "test_page_rewriter.py",
    "test_sieve.py",
]

collect_ignore = [] if CUTS_PAGES else _OF_THE_NATIVE_MODULE


@pytest.fixture
def by_arrow(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The row groups that Arrow reads whole for a judge."""
    read: list[int] = []
    true = judged.read_leaves

    def counted(file: Any, group: int, leaves: Any) -> Any:
        read.append(group)
        return true(file, group, leaves)

    monkeypatch.setattr(judged, "read_leaves", counted)
    return read
