"""What a footer says and nobody understands stays."""

import io

import numpy as np
import pyarrow as pa
import pytest

from engines.pages import claims
from engines.pages.cases import MaskJudge
from engines.pages.subjects import subjects
from engines.pages.test_claims import source, with_footer
from engines.pages.thrift import BINARY, I64, LIST, STRUCT, Typed, plain
from engines.pages.walk import walk

_STRANGE = Typed(STRUCT, {1: Typed(BINARY, b"of tomorrow"), 200: Typed(LIST, [Typed(I64, -5)], (I64,))})


def strange(footer: Typed) -> None:
    for group in footer[4].value:
        group.value[90] = _STRANGE
        for column in group[1].value:
            column.value[91] = _STRANGE
            column[3].value[92] = _STRANGE
    footer[2].value[1].value[93] = _STRANGE
    footer.value[94] = _STRANGE


@pytest.mark.parametrize("name", [name for name, subject in subjects().items() if subject.cuts_pages])
def test_fields_of_tomorrow_stay(name: str) -> None:
    data = with_footer(source(), strange)
    deleted = np.array([n in {3, 4, 39} for n in range(40)])
    sink = io.BytesIO()
    subjects()[name].rewriter.rewrite(pa.BufferReader(data), sink, MaskJudge(deleted))
    before, after = walk(data), walk(sink.getvalue())
    claims.only_the_rows_are_gone(before, after, deleted)
    claims.the_form_stays(before, after)
    claims.the_groups_form_stays(before, after, deleted)
    found = plain(after.footer)
    assert found[94] == found[2][1][93] == plain(_STRANGE)
    for group in found[4]:
        assert group[90] == plain(_STRANGE)
        assert all(column[91] == column[3][92] == plain(_STRANGE) for column in group[1])
