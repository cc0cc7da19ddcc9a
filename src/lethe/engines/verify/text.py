"""JSON and other text: raw, and with its escapes undone."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import ResidueKind, Selector
from lethe.engines.verify.findings import Findings
from lethe.engines.verify.needles import Needles, unquoted

_FRACTION: Final = re.compile(rb"\d[.eE]")
"""A number that may be another spelling of the one that is looked for."""


def examine(data: bytes, selector: Selector, needles: Needles, findings: Findings, *, live: bool) -> None:
    """Search text. The lines of a live file are rows; a row that does not match explains what stands in it."""
    if not live:
        findings.ask_elsewhere(identities_in(data, needles), "text")
        return
    matched = 0
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        findings.rows += 1
        in_other_words = needles.has_short or b"\\" in line or (needles.decimals and _FRACTION.search(line))
        if not (in_other_words or needles.any_in_bytes(line)):
            continue
        row = parsed(line)
        if row is None:
            findings.ask_elsewhere(identities_in(line, needles), "line that is no JSON")
        elif _is_named(row, selector, needles):
            matched += 1
        else:
            findings.explained += len(identities_in(line, needles))
    if matched:
        findings.residue(ResidueKind.LIVE_ROW, "lines", matched)


def identities_in(data: bytes, needles: Needles) -> set[int]:
    """Identities that occur anywhere in text, its JSON escapes, nested JSON and percent signs undone."""
    found = needles.in_words(data)
    if needles.has_short or b"\\" in data or b"%" in data:
        is_json = False
        for document in documents(data):
            is_json |= isinstance(document, dict | list)
            for text in strings(document):
                for form in unquoted(text):
                    found |= needles.in_text(form)
            named = {needles.decimals.get(value) for value in fractions(document)} if needles.decimals else set()
            found |= {number for number in named if number is not None}
        if not is_json:
            found |= _in_plain_text(data, needles)
    return found


def _in_plain_text(data: bytes, needles: Needles) -> set[int]:
    """What other text holds; of bytes that are no text, nobody can tell what a few of them mean."""
    found: set[int] = set()
    with suppress(UnicodeDecodeError):
        for form in unquoted(data.decode()):
            found |= needles.in_words(form.encode()) | needles.in_short_words(form)
    return found


def documents(data: bytes) -> Iterator[Any]:
    """One document, or one a line."""
    whole = parsed(data)
    if whole is not None:
        yield whole
        return
    for line in data.split(b"\n"):
        document = parsed(line)
        if document is not None:
            yield document


def strings(value: Any) -> Iterator[str]:
    """Every text in a document; a text that is a document itself is opened (statistics in a log are)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value
        if value[:1] in {"{", "["}:
            nested = parsed(value.encode("utf-8", "surrogatepass"))
            if nested is not None:
                yield from strings(nested)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)


def fractions(value: Any) -> Iterator[Decimal]:
    """Every number with a point in a document, and in the texts that are documents."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from fractions(inner)
    elif isinstance(value, Decimal):
        yield value
    elif isinstance(value, str) and value[:1] in {"{", "["}:
        yield from fractions(parsed(value.encode("utf-8", "surrogatepass")))


def parsed(text: bytes) -> Any:
    """The document that a text is, or None."""
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _is_named(row: Any, selector: Selector, needles: Needles) -> bool:
    if isinstance(selector, PrimaryIdentity):
        for name in selector.path:
            row = row.get(name) if isinstance(row, dict) else None
        return _names(row, needles, selector.namespace_code.casefold())
    entries = row.get(selector.column) if isinstance(row, dict) else None
    if not isinstance(entries, dict):
        return False
    return any(
        isinstance(entry, dict) and entry.get("primary") is True and _names(entry.get("id"), needles, code.casefold())
        for code, listed in entries.items()
        if isinstance(listed, list)
        for entry in listed
    )


def _names(value: Any, needles: Needles, code: str) -> bool:
    if isinstance(value, Decimal):
        return needles.named_by_number(value, code)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return False
    return needles.named_by(str(value), code) is not None
