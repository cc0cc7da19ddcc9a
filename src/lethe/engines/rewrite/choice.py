"""Which rewriter an installation has: the one that cuts pages, or, where its native module was not built, Arrow's."""

from typing import Any, Final

from lethe.engines.rewrite.interface import Rewriter
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter

try:
    from lethe.engines.rewrite.pages.page_rewriter import PageRewriter, reasons_against_cutting
except ImportError:
    _cuts = False
else:
    _cuts = True

CUTS_PAGES: Final = _cuts
"""Whether the native module was built."""


def method_of(source: Any) -> str:
    """How rows would leave a Parquet file (`pyarrow.NativeFile`), for a plan that tells it. Raises RewriteRefused."""
    if not CUTS_PAGES:
        return "Arrow writes the file anew, for the native module is not built"
    reasons = reasons_against_cutting(source)
    if reasons:
        return f"pages are cut, but Arrow may write some row groups anew: {reasons[0]}"
    return "pages are cut"


def best_rewriter() -> Rewriter:
    """The rewriter that engines use."""
    return PageRewriter() if CUTS_PAGES else PyarrowRewriter()
