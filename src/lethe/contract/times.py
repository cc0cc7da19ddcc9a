"""Times on the wire: RFC 3339 UTC with microseconds and `Z` out; ISO 8601 in, UTC where it says no offset.

What is read: a calendar date, or a date and a time joined by `T` or a space, with or without an offset, in the basic
or the extended form, in capitals or not; fractions of a second beyond microseconds are cut off. What is not: week and
ordinal dates, years beyond 9999, the hour 24, leap seconds, names of zones.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_INSTANT: Final = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2}|\d{8})"
    r"(?:[Tt ](?P<time>\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d+)?)?|\d{2}(?:\d{2}(?:[.,]\d+)?)?)?))?"
    # A `+` that a query string left unescaped arrives as a space.
    r"(?P<offset>[Zz]|[+ -]\d{2}(?::?[0-5]\d)?)?",
    re.ASCII,
)
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)
_END: Final = datetime.max.replace(tzinfo=UTC)


def format_instant(at: datetime) -> str:
    """`2024-03-28T16:41:24.262521Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_instant(text: str) -> datetime:
    """An instant; a date alone is its midnight. Raises ValueError with a message fit for a caller."""
    return _parse(text)[0]


def parse_window(text: str) -> tuple[datetime, datetime]:
    """What a `…Date` filter covers: a date alone its day, a time the 24 hours from it. Start, and end exclusive."""
    start = parse_instant(text)
    return start, _later(start, _DAY)


def parse_from(text: str) -> datetime:
    """Where a `…FromDate` filter begins, inclusive."""
    return parse_instant(text)


def parse_to(text: str) -> datetime:
    """Where a `…ToDate` filter ends, exclusive: a date alone includes its day, a time includes itself."""
    at, is_date = _parse(text)
    return _later(at, _DAY if is_date else _MICROSECOND)


def _parse(text: str) -> tuple[datetime, bool]:
    """The instant, and whether the text is a date alone."""
    matched = _INSTANT.fullmatch(text)
    if matched is None:
        raise ValueError("is not an ISO 8601 date or date and time, such as 2030-12-31T23:59:59Z")
    day, time, offset = matched.group("date", "time", "offset")
    offset = (offset or "Z").upper().replace(" ", "+")
    try:
        return datetime.fromisoformat(f"{day}T{time or '00'}{offset}").astimezone(UTC), time is None
    except (ValueError, OverflowError):
        problem = "is not a date that exists" if time is None else "is not a date and time that exists"
        raise ValueError(problem) from None


def _later(at: datetime, by: timedelta) -> datetime:
    """The instant after that; the end of time for what lies beyond it."""
    return at + by if at <= _END - by else _END
