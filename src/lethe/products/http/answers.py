"""What the service answers, read strictly: what is not understood is no answer, and never Done."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from lethe.products.interface import Done, ProductAnswer, ProductUnavailable, Refused, Waiting

REASONS: Final[Mapping[str, str]] = {
    "legal_hold": "the records are under a legal hold",
    "retention": "the records must be retained for now",
    "unknown_dataset": "the service does not know the dataset",
    "unknown_namespace": "the service does not know the namespace",
    "not_supported": "the service does not support such requests",
}
"""Why a service refuses, by its word for it, and as we say it; any other word is not repeated."""

_AGAIN_SECONDS_MAX: Final = 3_600
_COUNT_MAX: Final = 2**63 - 1


def progress_of(answer: Mapping[str, Any], poll_seconds: float) -> ProductAnswer:
    """How far the service is. Raises ProductUnavailable for an answer that says nothing."""
    match answer.get("status"):
        case "completed":
            return Done(_count(answer, "removed") if "removed" in answer else None)
        case "refused":
            return Refused(REASONS.get(str(answer.get("reason")), "the service refuses, for a reason of its own"))
        case "pending":
            return Waiting("the service has not begun yet", _again_after(answer, poll_seconds))
        case "in_progress":
            return Waiting("the service is at it", _again_after(answer, poll_seconds))
        case _:
            raise ProductUnavailable("the service answers without a status that is known")


def remaining_of(answer: Mapping[str, Any]) -> int:
    """How many traces are left. Raises ProductUnavailable for an answer that does not say."""
    return _count(answer, "remaining")


def _count(answer: Mapping[str, Any], name: str) -> int:
    count = answer.get(name)
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= _COUNT_MAX:
        raise ProductUnavailable(f"the service answers without a count as {name}")
    return count


def _again_after(answer: Mapping[str, Any], poll_seconds: float) -> timedelta:
    """The service's wish, within reason."""
    seconds = answer.get("retry_after_seconds", poll_seconds)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not seconds > 0:
        seconds = poll_seconds
    return timedelta(seconds=min(max(seconds, 1), _AGAIN_SECONDS_MAX))
