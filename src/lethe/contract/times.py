"""Times on the wire: RFC 3339 UTC with microseconds and `Z` out; ISO 8601 in, UTC where it says no offset."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

_DATE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(Z|[+-]\d{2}:?\d{2})?", re.ASCII)
_DATE_TIME: Final = re.compile(r"\d{4}-?\d{2}-?\d{2}[Tt ]\d{2}.*", re.ASCII | re.DOTALL)
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)


def format_instant(at: datetime) -> str:
    """`2024-03-28T16:41:24.262521Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_instant(text: str) -> datetime:
    """An instant; a date alone is its midnight. Raises ValueError with a message fit for a caller."""
    day = _parse_date(text)
    return day if day is not None else _parse_date_time(text)


def parse_window(text: str) -> tuple[datetime, datetime]:
    """What a `…Date` filter covers: a date alone its day, a time the 24 hours from it. Start, and end exclusive."""
    start = parse_instant(text)
    return start, _later(start, _DAY)


def parse_from(text: str) -> datetime:
    """Where a `…FromDate` filter begins, inclusive."""
    return parse_instant(text)


def parse_to(text: str) -> datetime:
    """Where a `…ToDate` filter ends, exclusive: a date alone includes its day, a time includes itself."""
    day = _parse_date(text)
    return _later(day, _DAY) if day is not None else _later(_parse_date_time(text), _MICROSECOND)


def _parse_date(text: str) -> datetime | None:
    matched = _DATE.fullmatch(_plus_restored(text))
    if matched is None:
        return None
    try:
        day = date.fromisoformat(matched[1])
        return _utc(datetime.combine(day, time(), _offset(matched[2])))
    except (ValueError, OverflowError):
        raise ValueError("is not a date that exists") from None


def _parse_date_time(text: str) -> datetime:
    text = _plus_restored(text)
    if not _DATE_TIME.fullmatch(text):
        raise ValueError("is not an ISO 8601 date or date and time, such as 2030-12-31T23:59:59Z")
    try:
        at = datetime.fromisoformat(text.upper())
        return _utc(at if at.tzinfo else at.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ValueError("is not an ISO 8601 date and time that exists, such as 2030-12-31T23:59:59Z") from None


def _plus_restored(text: str) -> str:
    """A `+` that a query string left unescaped arrives as a space: before an offset it can be nothing else."""
    return re.sub(r" (\d{2}:?\d{2})\Z", r"+\1", text) if re.search(r"[T ].*:.* \d{2}:?\d{2}\Z", text) else text


def _offset(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _later(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        raise ValueError("is too far in the future") from None
