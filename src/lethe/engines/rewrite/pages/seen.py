"""Pages that somebody opened, and that need not be opened again."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from lethe.engines.rewrite.pages.page import Opened, Page


class Seen(NamedTuple):
    """Pages of one column of a row group that were opened, by where they begin in their chunk."""

    column: int
    pages: Mapping[int, Opened]


NOT_SEEN: Final = Seen(-1, {})
SEEN_BYTES_MAX: Final = 32 << 20
"""Pages that are open when a row group was judged need not be opened again to be cut."""


class OpenPages:
    """Pages of one column that stay open, up to some bytes."""

    def __init__(self, column: int, bytes_max: int) -> None:
        self._column = column
        self._bytes_max = self._left = bytes_max
        self._pages = dict[int, Opened]()

    def clear(self) -> None:
        """Begin with another row group."""
        self._pages, self._left = {}, self._bytes_max

    def keep(self, page: Page, content: Opened) -> None:
        """Keep a page, if there is room for it."""
        self._left -= page.unpacked_size
        if self._left >= 0:
            self._pages[page.start] = content

    @property
    def seen(self) -> Seen:
        """Those of the row group of which the last one was."""
        return Seen(self._column, self._pages)
