"""Cutting rows out of the data pages of one chunk, one after the other.

A page of which no row goes stays as it is, byte for byte. What an edited page says of its own values is revised while
the page is open; what its chunk needs to know of it is kept in `Progress`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lethe.engines.rewrite.pages import _native
from lethe.engines.rewrite.pages.dictionary import Dictionary
from lethe.engines.rewrite.pages.faults import Damaged
from lethe.engines.rewrite.pages.leaves import Leaf
from lethe.engines.rewrite.pages.page import (
    DATA_V2,
    DICTIONARY_ENCODINGS,
    Content,
    Held,
    Opened,
    Page,
    data_page,
    dictionary_of,
)
from lethe.engines.rewrite.pages.room import Room
from lethe.engines.rewrite.pages.rows import Rows
from lethe.engines.rewrite.pages.statistics import (
    NO_MARKS,
    Bounds,
    Marks,
    Statistics,
    holding,
    marks_of,
    revised,
    wider,
    zero_bound,
)
from lethe.engines.rewrite.pages.traits import require_encoding

_MORE: Final = 64
"""Bytes by which a small page may grow when its rest is encoded again."""


class Kept(NamedTuple):
    """One data page of the new chunk."""

    number: int
    """Among the data pages of the old chunk."""
    page: Page
    first_row: int
    values: int
    nulls: int
    """Counted where the page was opened."""
    nulls_before: int
    bounds: Bounds | None = None
    """Of its values, where they were computed; None too where they have none."""
    bounded: bool = False
    """Whether they were computed."""
    edge_touched: bool = False
    """Whether the column index has bounds for it that are bounds no more."""
    edited: bool = False
    """Whether rows have gone out of it."""


@dataclass(slots=True)
class Progress:
    """What is known of the chunk so far."""

    pages: int = 0
    rows: int = 0
    rows_kept: int = 0
    values: int = 0
    values_kept: int = 0
    nulls: int = 0
    """In the pages that were opened."""
    nulls_gone: int = 0
    present_gone: int = 0
    """Values, no nulls, that went."""
    surplus: bool = False
    """Whether values went that were no row's."""
    touched: bool = False
    """Whether a bound of the chunk may be one no more."""
    bounds: Bounds | None = None
    """Of values that stay, as far as they were looked at."""
    unread: list[Page] = field(default_factory=list)
    """Pages whose values were not looked at."""
    kept: list[Kept] = field(default_factory=list)


class Cutting:
    """The data pages of one chunk, on their way."""

    def __init__(
        self,
        held: Held,
        rows: Rows,
        edges: Sequence[Marks] | None,
        compression: Mapping[str, int],
        room: Room,
    ) -> None:
        self._held = held
        self._leaf = held.chunk.leaf
        self._rows = rows
        self._edges = edges
        self._compression = compression
        self._room = room
        self.statistics = Statistics.of(held.chunk)
        self._marks = marks_of(self.statistics, self._leaf)
        self._zero_bound = zero_bound(self.statistics, self._leaf)
        self.dictionary_page: Page | None = None
        self._dictionary: Dictionary | None = None
        self.progress = Progress()

    @property
    def dictionary(self) -> Dictionary:
        """The dictionary, opened when first asked for. Raises Damaged."""
        if self._dictionary is None:
            page = self.dictionary_page
            if page is None:
                raise Damaged("indices into a dictionary that is not there")
            self._dictionary = Dictionary.of(dictionary_of(self._held.headed(page)), page.values, self._leaf)
        return self._dictionary

    @property
    def uses_dictionary(self) -> bool:
        """Whether the dictionary was opened."""
        return self._dictionary is not None

    def cut(self, page: Page) -> None:
        """Take in the next data page. Raises Damaged, Unfit, and the native module's Malformed."""
        so_far = self.progress
        if not page.values:
            # Such a page holds nothing, and Arrow stumbles over one that comes to stand first.
            so_far.pages += 1
            return
        flat = not self._leaf.repetition_max
        if flat and not self._rows.any_in(so_far.rows, so_far.rows + page.values):
            so_far.kept.append(Kept(so_far.pages, page, so_far.rows_kept, page.values, 0, 0))
            so_far.unread.append(page)
            so_far.rows += page.values
            so_far.rows_kept += page.values
            so_far.values += page.values
            so_far.values_kept += page.values
        else:
            self._cut(page)
        so_far.pages += 1

    def _cut(self, page: Page) -> None:
        leaf, so_far = self._leaf, self.progress
        require_encoding(page.encoding, leaf)
        dictionary = self.dictionary if page.encoding in DICTIONARY_ENCODINGS else None
        entries = 0 if dictionary is None else dictionary.count
        used, lost = bytearray(entries), bytearray(entries)
        headed = self._held.headed(page)
        told = headed.said.statistics
        own, edge = marks_of(told, leaf), self._edge(so_far.pages)
        marks = self._marks.followed_by(own, edge)
        order = -1 if dictionary is not None or leaf.order is None else leaf.order
        # While the page is open, its bounds cost little; a chunk that has lost one will ask for those of all pages.
        eager = so_far.touched or self._zero_bound or zero_bound(told, leaf)
        content = self._held.opened(headed)
        size = len(content.body) + len(content.values)
        rows, rows_kept, values, values_kept, nulls, nulls_kept, touched, *made, surplus = _native.cut(
            content.body,
            content.repetition_size,
            content.definition_size,
            content.values,
            page.values,
            leaf.repetition_max,
            leaf.definition_max,
            page.encoding,
            leaf.shape,
            leaf.width,
            self._rows.gone,
            so_far.rows,
            b"" if dictionary is None else dictionary.plain,
            entries,
            b"" if dictionary is None else dictionary.starts,
            used,
            lost,
            marks.values,
            marks.loose,
            order,
            eager,
            self._room.of(size + size // 8 + _MORE),
        )
        body, levels, rep, def_, ends = made
        if dictionary is not None:
            dictionary.saw(used, lost)
            if surplus:
                dictionary.lost[:] = 1
        so_far.surplus = so_far.surplus or bool(surplus)
        first_row = so_far.rows_kept
        present_gone = values - values_kept - nulls + nulls_kept
        so_far.rows += rows
        so_far.rows_kept += rows_kept
        so_far.values += values
        so_far.values_kept += values_kept
        so_far.nulls += nulls
        so_far.nulls_gone += nulls - nulls_kept
        so_far.present_gone += present_gone
        if values_kept == values:
            so_far.kept.append(Kept(so_far.pages, page, first_row, values, nulls, nulls))
            if dictionary is None:
                so_far.unread.append(page)
            return
        first, second = len(self._marks.values), len(self._marks.values) + len(own.values)
        chunk_touched = _bits(touched, 0, first) or (self._zero_bound and present_gone > 0)
        own_touched = _bits(touched, first, second) or (present_gone > 0 and zero_bound(told, leaf))
        edge_touched = _bits(touched, second, len(marks.values))
        so_far.touched = so_far.touched or chunk_touched
        if not values_kept:
            return
        new = Opened(levels, rep, def_, body) if page.kind == DATA_V2 else Opened(body, -1, -1, b"")
        bounds, bounded = holding(ends, leaf), order >= 0 and (eager or touched != 0)
        if dictionary is not None and (own_touched or edge_touched):
            bounds, bounded = dictionary.bounds(used), True
        elif own_touched or edge_touched or chunk_touched:
            so_far.bounds = wider(so_far.bounds, bounds, leaf)
        statistics = revised(told, nulls_kept, bounds, leaf, touched=own_touched)
        written = data_page(headed, Content(new, values_kept, nulls_kept, rows_kept), statistics, self._compression)
        so_far.kept.append(
            Kept(
                number=so_far.pages,
                page=written,
                first_row=first_row,
                values=values_kept,
                nulls=nulls_kept,
                nulls_before=nulls,
                bounds=bounds,
                bounded=bounded,
                edge_touched=edge_touched,
                edited=True,
            )
        )

    def _edge(self, number: int) -> Marks:
        if self._edges is None:
            return NO_MARKS
        if number >= len(self._edges):
            raise Damaged("a column index has fewer pages than its chunk")
        return self._edges[number]


def _bits(number: int, start: int, end: int) -> bool:
    return bool(number >> start & (1 << (end - start)) - 1)


def values_of(content: Opened, count: int, encoding: int, leaf: Leaf) -> tuple[bytes, int]:
    """The values of a data page that are no nulls, and how many: plainly, or as encoded indices."""
    return _native.values(
        content.body,
        content.repetition_size,
        content.definition_size,
        content.values,
        count,
        leaf.repetition_max,
        leaf.definition_max,
        encoding,
        leaf.shape,
        leaf.width,
    )
