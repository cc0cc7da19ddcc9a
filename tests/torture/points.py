"""The named points of every step, at which a worker can be told to die or to freeze."""

from collections.abc import Mapping, Sequence
from typing import Final

CLAIMED = "claimed"
"""The claim is committed, nothing is done."""
WORKING = "working"
"""In the middle of an engine's verb, after its first file."""
INTENDED = "intended"
"""The counts are stored, nothing is deleted."""
EFFECT = "effect"
"""The outside work is done, nothing of it is recorded."""
BEFORE_COMMIT = "before-commit"
"""The record is written and not committed."""
AFTER_COMMIT = "after-commit"
"""The record is committed."""

_RECORD: Final = (BEFORE_COMMIT, AFTER_COMMIT)
_MOMENTS: Final[Mapping[str, Sequence[str]]] = {
    "find": (CLAIMED, WORKING, EFFECT, *_RECORD),
    "bundle": (CLAIMED, *_RECORD),
    "forget": (CLAIMED, WORKING, INTENDED, EFFECT, *_RECORD),
    "purge": (CLAIMED, WORKING, EFFECT, *_RECORD),
    "verify": (CLAIMED, WORKING, EFFECT, *_RECORD),
    "drop": (CLAIMED, WORKING, EFFECT, *_RECORD),
    "confirm": (CLAIMED, EFFECT, *_RECORD),
    "forget-service": (CLAIMED, EFFECT, *_RECORD),
    "verify-service": (CLAIMED, EFFECT, *_RECORD),
    "drop-service": (CLAIMED, EFFECT, *_RECORD),
    "confirm-service": (CLAIMED, EFFECT, *_RECORD),
    "begin": _RECORD,
}

STEP_POINTS: Final = tuple(f"{step}:{moment}" for step, moments in _MOMENTS.items() for moment in moments)
"""Every named point of every step. `begin` is the transaction that begins a due expiration."""

FILE_POINTS: Final = tuple(f"file:{verb}" for verb in ("put", "create", "replace", "remove"))
"""Before a change of a file: which one is said by a number, `file:replace#2`."""
