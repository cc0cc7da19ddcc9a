"""How long the table's own properties keep removed files and old versions: floors that a purge waits for.

Only what somebody has set counts; the defaults of the format, which nobody asked for, hold nothing back.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lethe.engines.interface import TableRefused

FILES: Final = "delta.deletedFileRetentionDuration"
VERSIONS: Final = "delta.logRetentionDuration"

_PART: Final = re.compile(r"([0-9]+) *(week|day|hour|minute|second|millisecond|microsecond|nanosecond)s?(?: +|\Z)")
_NANOSECONDS_PER_MICROSECOND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Floors:
    """Zero where nothing is set."""

    files: timedelta
    """How long a data file stays after the table stopped referring to it."""
    versions: timedelta
    """How long a version that is not the newest stays after it was written."""


def floors(configuration: Mapping[str, str]) -> Floors:
    """Read the properties. Raises TableRefused for one that cannot be understood."""
    return Floors(_duration(configuration, FILES), _duration(configuration, VERSIONS))


def _duration(configuration: Mapping[str, str], name: str) -> timedelta:
    """Such as `interval 1 week 12 hours`; months and years, which have no length, are not of the format."""
    text = configuration.get(name, "interval 0 days").strip().lower().removeprefix("interval").strip()
    parts = list(_PART.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        raise TableRefused(f"the table's property {name} is no duration")
    total = timedelta(0)
    for part in parts:
        count, unit = int(part[1]), f"{part[2]}s"
        if unit == "nanoseconds":
            count, unit = count // _NANOSECONDS_PER_MICROSECOND, "microseconds"
        total += timedelta(**{unit: count})
    return total
