"""Which rewriter an installation has: the one that cuts pages, or, where its native module was not built, Arrow's."""

from typing import Final

from lethe.engines.rewrite.interface import Rewriter
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter

try:
    from lethe.engines.rewrite.pages.page_rewriter import PageRewriter
except ImportError:
    _cuts = False
else:
    _cuts = True

CUTS_PAGES: Final = _cuts
"""Whether the native module was built."""


def best_rewriter() -> Rewriter:
    """The rewriter that engines use."""
    return PageRewriter() if CUTS_PAGES else PyarrowRewriter()
