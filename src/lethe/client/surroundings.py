"""What the client takes from the machine: time, sleep and randomness. Tests give it others."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4


def _new_key() -> str:
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The machine's clock, sleep and randomness."""

    monotonic: Callable[[], float] = time.monotonic
    """Seconds, by a clock that nobody sets back."""
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    """From 0 to 1."""
    new_key: Callable[[], str] = _new_key
    """A new Idempotency-Key."""
