"""The rewriters under proof, and what each may decline."""

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import Any

from lethe.engines.rewrite.interface import Rewriter, Rewritten
from lethe.engines.rewrite.pyarrow_rewriter import PyarrowRewriter


@dataclass(frozen=True)
class Subject:
    """One rewriter."""

    name: str
    rewriter: Rewriter
    cuts_pages: bool
    """Untouched pages stay byte for byte, and everything that the footer says stays."""
    may_refuse: Callable[[str], bool]
    """Whether it may decline a sound file for this reason."""
    fell_back: Callable[[Rewritten], Set[int]] = field(default=lambda _: frozenset())
    """The row groups that it had to write anew."""


def subjects() -> dict[str, Subject]:
    """All rewriters that this installation has, by name."""
    arrow: Any = PyarrowRewriter()
    found = {"pyarrow": Subject("pyarrow", arrow, cuts_pages=False, may_refuse=lambda _: True)}
    try:
        from lethe.engines.rewrite.pages import page_rewriter
    except ImportError:
        return found
    seen: set[int] = set()
    real = page_rewriter.through_arrow

    def through(*args):
        seen.add(next(a for a in args if isinstance(a, int)))
        return real(*args)

    page_rewriter.through_arrow = through

    def fell(_):
        got = frozenset(seen)
        seen.clear()
        return got

    found["pages"] = Subject("pages", page_rewriter.PageRewriter(), cuts_pages=True, may_refuse=lambda _: False, fell_back=fell)
    return found
