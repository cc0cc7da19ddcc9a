"""The rewriters under proof, and what each may decline; and two that are wrong on purpose."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa

from lethe.engines.rewrite.choice import CUTS_PAGES, best_rewriter
from lethe.engines.rewrite.interface import Judge, Judgement, Rewriter, Rewritten
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


def subjects() -> dict[str, Subject]:
    """All rewriters that this installation has, by name: what it uses is among them."""
    found = {"pyarrow": Subject("pyarrow", PyarrowRewriter(), cuts_pages=False, may_refuse=lambda _: True)}
    if CUTS_PAGES:
        found["pages"] = Subject("pages", best_rewriter(), cuts_pages=True, may_refuse=_is_of_int96)
    return found


def _is_of_int96(reason: str) -> bool:
    """A bloom filter over INT96 is not cut, and instants beyond nanoseconds do not go through Arrow."""
    return "INT96" in reason


def faulty() -> dict[str, Subject]:
    """Rewriters that are wrong on purpose: the proof must notice each."""
    lies = Subject("lies", _Lies(), cuts_pages=False, may_refuse=lambda _: False)
    return {"lies": lies, "dies": Subject("dies", _Dies(), cuts_pages=False, may_refuse=lambda _: False)}


class _Lies:
    """Lets one row more go than it was asked to, or one less."""

    def rewrite(self, source: Any, sink: IO[bytes], judge: Judge) -> Rewritten:
        return PyarrowRewriter().rewrite(source, sink, _Wrong(judge))


@dataclass(frozen=True)
class _Wrong:
    """The judge, with the first row of every batch judged the other way round."""

    inner: Judge

    def columns(self, schema: Any) -> Any:
        return self.inner.columns(schema)

    def judge(self, batch: Any, first_row: int) -> Judgement:
        told = self.inner.judge(batch, first_row)
        mask = told.leave_out.to_numpy(zero_copy_only=False).copy()
        mask[:1] = np.invert(mask[:1])
        return Judgement(pa.array(mask), told.counts)

    def can_skip(self, group: Any, schema: Any) -> bool:
        return False

    def candidates(self, group: Any, schema: Any) -> None:
        return None

    def sought(self, schema: Any) -> None:
        return None


class _Dies:
    """Crashes."""

    def rewrite(self, source: Any, sink: IO[bytes], judge: Judge) -> Rewritten:
        os.abort()
