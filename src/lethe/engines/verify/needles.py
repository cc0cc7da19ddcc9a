"""The identities as things to look for: all at once in bytes, and one by one in decoded values.

A short id of letters and digits, such as `1234`, stands by chance in uuids, snapshot ids and timestamps, which every
table format writes into names and logs. Where those occur it counts only outside of them, and in text only as a whole
word; no format writes an identity in any other way.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID

from ahocorasick_rs import BytesAhoCorasick

from lethe.domain.dataset import PrimaryIdentity
from lethe.engines.interface import Selector, Wanted
from lethe.engines.verify.cut import CUT_USUALLY

SEARCHED_BYTES_MIN: Final = 4
"""Shorter values occur in any run of bytes by chance; they are compared with whole decoded values only."""

WORD_LENGTH_MAX: Final = 15
"""Longer ids do not stand anywhere by chance."""

_GENERATED: Final = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32,}|[0-9]{16,}")
"""Uuids, digests and snapshot ids."""

_NUMERAL: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z")

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")

_DIGITS: Final = re.compile(rb"[-.0-9\n]+")

_WORD: Final = re.compile(rb"[0-9A-Za-z]+")

_ANY_WORD: Final = re.compile(r"\w+")

EXACT: Final = Context(prec=1000)
"""For numbers of more digits than decimals usually keep."""

_ESCAPED: Final = re.compile(rb"[\x00-\x1f\"\\/<>&'\x7f]")
"""What JSON escapes, or some of its writers do."""

_DISTINCT_BYTES_MIN: Final = 3
"""A run of zeros with fewer other bytes stands in any binary file."""

WIDE_INTEGER: Final = 1 << 24
"""Integers from here on are searched in their binary forms too; smaller ones are mostly zero bytes."""


@dataclass(frozen=True)
class Needles:
    """The identities that rows of one table could bear."""

    exact: dict[str, dict[str, int]]
    """Folded namespace code → text → number of the identity."""
    folded: dict[str, dict[str, int]]
    """The same for case-insensitive namespaces, by folded text."""
    texts: tuple[tuple[str, bool], ...] = field(repr=False)
    """By number: text, and whether case counts for nothing."""
    searched_bytes_min: int = SEARCHED_BYTES_MIN

    def __repr__(self) -> str:
        """Counts only."""
        return f"Needles({len(self.texts)})"

    def __getstate__(self) -> dict[str, Any]:
        """Without the automaton, which every process builds for itself."""
        names = ("exact", "folded", "texts", "searched_bytes_min")
        return {name: self.__dict__[name] for name in names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def named_by(self, value: str, code: str | None = None) -> int | None:
        """The identity that a whole value is, in one namespace or in any."""
        for kind, form in ((self.exact, value), (self.folded, value.casefold() if self.folded else value)):
            for namespace, texts in kind.items():
                if (code is None or namespace == code) and form in texts:
                    return texts[form]
        return None

    def named_by_number(self, value: Decimal, code: str) -> bool:
        """Whether some identity of a namespace is a number, in whatever spelling."""
        return (code, value) in self._numbers

    def named_by_bytes(self, value: bytes, code: str | None = None) -> int | None:
        """The identity that a run of bytes is as UTF-8 text."""
        try:
            return self.named_by(value.decode(), code)
        except UnicodeDecodeError:
            return None

    def in_bytes(self, data: bytes) -> set[int]:
        """The identities that occur anywhere in some bytes."""
        if not self._patterns or not data:
            return set()
        found = self._search(data.lower() if self.folded else data)
        if self.folded and not data.isascii():
            found |= self._search(data.decode("utf-8", "replace").casefold().encode())
        return {number for number in found if self._really(number, data)}

    def in_names(self, data: bytes) -> set[int]:
        """The identities that occur in bytes that hold names of files; short ones only outside of generated parts."""
        return self._confirmed(self.in_bytes(data), data, lambda rest, form: form in rest)

    def in_words(self, data: bytes) -> set[int]:
        """The identities that occur in text; short ones only as whole words outside of generated parts."""
        words: set[bytes] = set()

        def is_word(rest: bytes, form: bytes) -> bool:
            if not words:
                words.update(_WORD.findall(rest), (b"",))
            return form in words

        return self._confirmed(self.in_bytes(data), data, is_word)

    def _confirmed(self, found: set[int], data: bytes, stands: Callable[[bytes, bytes], bool]) -> set[int]:
        """Those found, without the short ones that stand by chance."""
        short = self.short(found)
        if not short:
            return found
        rest = _GENERATED.sub(b" ", data)
        rest = rest.lower() if self.folded else rest
        forms = {number: self.texts[number][0].encode() for number in short}
        return (found - short) | {
            number for number, form in forms.items() if stands(rest, form.lower() if self.folded else form)
        }

    def _is_short_word(self, number: int) -> bool:
        text = self.texts[number][0]
        return len(text) <= WORD_LENGTH_MAX and text.isascii() and text.isalnum()

    def short(self, numbers: Iterable[int]) -> set[int]:
        """Of some identities those that may stand somewhere by chance."""
        return {number for number in numbers if self._is_short_word(number)}

    def any_in_bytes(self, data: bytes) -> bool:
        """Whether some identity may occur; where case does not count, the answer may be a false yes."""
        if not self._patterns or not data:
            return False
        if self.folded and not data.isascii():
            return True
        return bool(self._automaton.find_matches_as_indexes(data.lower() if self.folded else data))

    def begins(self, beginning: bytes) -> bool:
        """Whether some bytes are the beginning of an identity that goes on."""
        exact, folded = self._ascending
        try:
            lowered = beginning.decode().casefold().encode()
        except UnicodeDecodeError:
            lowered = beginning
        for texts, begun in ((exact, beginning), (folded, lowered)):
            place = bisect_right(texts, begun)
            if place < len(texts) and texts[place].startswith(begun):
                return True
        return False

    def may_begin_in(self, data: bytes) -> bool:
        """Whether the beginning of a long identity may stand in JSON; the answer may be a false yes."""
        if self._beginnings is None or (self.folded and not data.isascii()):
            return any(self._ascending)
        return bool(self._beginnings.find_matches_as_indexes(data.lower() if self.folded else data))

    @cached_property
    def _beginnings(self) -> Any:
        """An automaton of as much as a bound leaves at least; None where escapes may stand for it."""
        exact, folded = self._ascending
        begun = {text[: CUT_USUALLY - 1] for text in (*exact, *folded) if len(text) >= CUT_USUALLY}
        if any(not text.isascii() or _ESCAPED.search(text) for text in begun):
            return None
        return BytesAhoCorasick([text.lower() if self.folded else text for text in begun])

    @cached_property
    def _ascending(self) -> tuple[list[bytes], list[bytes]]:
        """All texts as bytes: those that are compared exactly, and those that are folded."""

        def ascending(kind: dict[str, dict[str, int]]) -> list[bytes]:
            return sorted(text.encode() for texts in kind.values() for text in texts)

        return ascending(self.exact), ascending(self.folded)

    @cached_property
    def uuids(self) -> dict[bytes, int]:
        """The identities that are hyphenated uuids, in any letter case, by their bytes."""
        return {UUID(text).bytes: number for number, (text, _) in self._current if _UUID.match(text)}

    @cached_property
    def decimals(self) -> dict[Decimal, int]:
        """The identities that are numerals, by their value."""
        return {Decimal(text): number for _, text, number in self.numerals if text != "-0"}

    @cached_property
    def _numbers(self) -> frozenset[tuple[str, Decimal]]:
        return frozenset((code, Decimal(text)) for code, text, _ in self.numerals)

    @property
    def _current(self) -> Iterator[tuple[int, tuple[str, bool]]]:
        kinds = (texts for kind in (self.exact, self.folded) for texts in kind.values())
        return ((number, self.texts[number]) for texts in kinds for number in texts.values())

    @cached_property
    def numerals(self) -> Sequence[tuple[str, str, int]]:
        """Folded namespace code, text and number of the identities that are numbers, however few they are."""
        return [
            (code, text, number)
            for kind in (self.exact, self.folded)
            for code, texts in kind.items()
            for text, number in texts.items()
            if _NUMERAL.match(text)
        ]

    @cached_property
    def may_stand_in_numerals(self) -> bool:
        """Whether any identity, in any of its forms, is made of digits, signs and points alone."""
        return any(_DIGITS.fullmatch(pattern) for pattern, _ in self._patterns)

    @cached_property
    def stored(self) -> dict[tuple[Any, ...], Any]:
        """What is derived from the identities for columns of one kind: the same for every chunk."""
        return {}

    @cached_property
    def tiny(self) -> frozenset[int]:
        """The identities that are too short to be searched in bytes."""
        return frozenset(n for n, (text, _) in self._current if len(text.encode()) < SEARCHED_BYTES_MIN)

    def in_short_words(self, text: str) -> set[int]:
        """The tiny identities of letters alone that are words of a text; tiny numbers stand anywhere."""
        if not self.tiny:
            return set()
        named = {self.named_by(word) for word in set(_ANY_WORD.findall(text)) if word.isalpha()}
        return {number for number in named if number in self.tiny}

    def in_path(self, path: str) -> set[int]:
        """The identities in a file's path: tiny ones as words of names, and as values of partitions."""
        found: set[int] = set()
        for form in path_forms(path):
            found |= self.in_words(form.encode("utf-8", "surrogateescape"))
            for name in form.split("/") if self.tiny else ():
                _, is_partition, value = name.partition("=")
                found |= self.in_short_words(value if is_partition else name.lstrip(".").partition(".")[0])
                named = self.named_by(value)
                found |= {named} & self.tiny if named is not None else set()
        return found

    @cached_property
    def has_short(self) -> bool:
        """Whether some identity is too short to be searched in bytes."""
        return bool(self.tiny) and self.searched_bytes_min > 1

    def in_text(self, text: str) -> set[int]:
        """The identities that occur in a decoded text; short ones only when they are all of it."""
        found = self.in_words(text.encode("utf-8", "surrogatepass"))
        whole = self.named_by(text)
        return found if whole is None else found | {whole}

    def subset(self, numbers: Iterable[int]) -> "Needles":
        """Only some identities, under their numbers, to be found as parts of any value."""
        wanted = set(numbers)

        def kept(kind: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
            return {code: {t: n for t, n in texts.items() if n in wanted} for code, texts in kind.items()}

        return Needles(kept(self.exact), kept(self.folded), self.texts, searched_bytes_min=1)

    @cached_property
    def _patterns(self) -> list[tuple[bytes, int]]:
        """What is searched for, and whose it is: two identities may have the same."""
        forms = ((form, number) for number, (text, folds) in self._current for form in _forms(text, folds))
        long = ((form, number) for form, number in forms if len(form) >= self.searched_bytes_min)
        return [(form.lower(), number) for form, number in long] if self.folded else list(long)

    @cached_property
    def _automaton(self) -> Any:
        return BytesAhoCorasick([pattern for pattern, _ in self._patterns])

    def _search(self, data: bytes) -> set[int]:
        hits = self._automaton.find_matches_as_indexes(data, overlapping=True)
        return {self._patterns[pattern][1] for pattern in {hit[0] for hit in hits}}

    def _really(self, number: int, data: bytes) -> bool:
        """Where case counts, a find in lowered bytes is looked at again."""
        text, case_insensitive = self.texts[number]
        return not self.folded or case_insensitive or any(form in data for form in _forms(text, case_insensitive))


def unquoted(text: str) -> Iterator[str]:
    """A text, and what it is without its percent signs: a log escapes what a directory's name has escaped already."""
    yield text
    while "%" in text and (plain := unquote(text)) != text:
        yield (text := plain)


def path_forms(path: str) -> Iterator[str]:
    """The same for a path, in which a plus may be a space."""
    yield from unquoted(path)
    if "+" in path:
        yield from unquoted(path.replace("+", " "))


def _forms(text: str, case_insensitive: bool) -> Iterator[bytes]:
    """The runs of bytes that betray an identity."""
    forms = {text.encode(), text.casefold().encode()} if case_insensitive else {text.encode()}
    if text.isascii() and text.lstrip("-").isdigit():
        forms |= _integer_forms(int(text))
    elif len(text) == 36 and text.isascii():  # noqa: PLR2004 - a hyphenated uuid
        try:
            value = UUID(text)
        except ValueError:
            pass
        else:
            forms |= {value.bytes, str(value).encode()}
    yield from forms


def _integer_forms(value: int) -> set[bytes]:
    if abs(value) < WIDE_INTEGER:
        return set()
    widths = [width for width in (4, 8) if -(1 << (8 * width - 1)) <= value < 1 << (8 * width - 1)]
    forms = {value.to_bytes(width, "little", signed=True) for width in widths}
    return {form for form in forms if len(form) - form.count(0) >= _DISTINCT_BYTES_MIN}


def needles_of(selector: Selector, wanted: Wanted) -> Needles:
    """The identities of all orders that the selector could match."""
    only = selector.namespace_code.casefold() if isinstance(selector, PrimaryIdentity) else None
    exact: dict[str, dict[str, int]] = {}
    folded: dict[str, dict[str, int]] = {}
    texts: list[tuple[str, bool]] = []
    for order in wanted.orders:
        for namespace, values in order.identities.by_namespace.items():
            code, folds = namespace.folded_code, namespace.case_insensitive
            if only is not None and code != only:
                continue
            known = (folded if folds else exact).setdefault(code, {})
            for value in values:
                form = value.casefold() if folds else value
                if form not in known:
                    known[form] = len(texts)
                    texts.append((value, folds))
    return Needles(exact, folded, tuple(texts))
