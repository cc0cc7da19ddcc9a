"""What one check found."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    """Work goes on, but somebody should know."""
    FAILED = "failed"
    """Work that needs it will fail, or wait."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    area: str
    """Such as `database` or `table`."""
    subject: str
    """Which one. Never a credential."""
    verdict: Verdict
    detail: str
    remedy: str = ""
    """What to do about it."""


def ok(area: str, subject: str, detail: str) -> Finding:
    """It is well."""
    return Finding(area, subject, Verdict.OK, detail)


def warning(area: str, subject: str, detail: str, remedy: str) -> Finding:
    """Somebody should know."""
    return Finding(area, subject, Verdict.WARNING, detail, remedy)


def failed(area: str, subject: str, detail: str, remedy: str) -> Finding:
    """It stands in the way of work."""
    return Finding(area, subject, Verdict.FAILED, detail, remedy)
