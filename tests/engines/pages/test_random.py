"""Random files through every rewriter, each claim checked; `make fuzz` does the same thousands of times."""

from collections import Counter
from dataclasses import asdict

import pytest

from engines.pages.cases import case
from engines.pages.check import check
from engines.pages.subjects import subjects

_SEEDS = {"pages": 152, "pyarrow": 40}
_PARTS = 4


@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.parametrize("name", subjects())
def test_the_result_is_the_source_without_the_rows(name: str, part: int) -> None:
    subject = subjects()[name]
    seen: Counter[str] = Counter()
    for seed in range(part, _SEEDS[name], _PARTS):
        try:
            done = asdict(check(case(seed), subject))
        except Exception as error:
            raise AssertionError(f"replay: fuzz rows --rewriter {name} --one --seed {seed}: {error}") from error
        seen["refused"] += bool(done.pop("refused"))
        seen.update(done)
    # The claims were put to the test at all.
    assert seen["read_by_arrow"] >= _SEEDS[name] / _PARTS / 2
    assert seen["searched"] >= _SEEDS[name] / _PARTS / 2
    assert not subject.cuts_pages or (
        seen["pages_same"] > 100 and seen["sifted"] > 50 and seen["excerpts"] > 50 and not seen["refused"]
    )
