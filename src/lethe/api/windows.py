"""From the wire's dates to windows of time."""

from lethe.contract.paging import window
from lethe.domain.listing import Window


def window_of(day: str | None, from_text: str | None, to_text: str | None) -> Window | None:
    """The window that three filters on one instant leave; None when none is given."""
    bounds = window(day, from_text, to_text)
    return None if bounds is None else Window(*bounds)
