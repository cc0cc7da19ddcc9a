"""Which rewriter an installation has: the one that cuts pages, or, where its native module was not built, Arrow's."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from lethe.engines.rewrite.interface import Rewriter
from lethe.engines.rewrite.pages.footer import Footer
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter

try:
    from lethe.engines.rewrite.pages.page_rewriter import PageRewriter, reasons_against_cutting
except ImportError:
    _cuts = False
else:
    _cuts = True

CUTS_PAGES: Final = _cuts
"""Whether the native module was built."""


_CUT: Final = "pages are cut"


def method_of(footer: Footer, touched: Collection[int]) -> str:
    """How rows would leave these row groups of a Parquet file, for a plan that tells it.

    As far as the footer says it; what only a page says is told by `retold`.
    """
    if not CUTS_PAGES:
        return "Arrow writes the file anew, for the native module is not built"
    reasons = [reason for group, reason in reasons_against_cutting(footer).items() if group in touched]
    if reasons:
        return f"{_CUT}, but Arrow writes {len(reasons)} of {len(touched)} row groups anew: {_counted(reasons)}"
    return _CUT


def retold(reason: str, fell_back: Mapping[int, str]) -> str:
    """A plan's reason for a file, once it is known which of its row groups were not cut."""
    if not fell_back:
        return reason
    why = reason.partition(f"; {_CUT}")[0]
    groups = "1 row group" if len(fell_back) == 1 else f"{len(fell_back)} row groups"
    return f"{why}; {_CUT}, but Arrow wrote {groups} anew: {_counted(fell_back.values())}"


def _counted(reasons: Iterable[str]) -> str:
    """Each reason with the number of row groups that have it, the most frequent first."""
    return ", ".join(f"{reason} ({count})" for reason, count in Counter(reasons).most_common())


def best_rewriter() -> Rewriter:
    """The rewriter that engines use."""
    return PageRewriter() if CUTS_PAGES else PyarrowRewriter()
