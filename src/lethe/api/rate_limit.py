"""Bursts of small work orders: a token bucket a client.

Each order costs a pass over tables however few identities it holds, so clients are to put many into one. The buckets
are in this process's memory: several API processes admit as many times the rate.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from lethe.domain.errors import RateLimited

_CLIENTS_MAX: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_seconds: float


class RateLimiter:
    """At most `burst` at once, refilled at `per_second`."""

    def __init__(self, per_second: float, burst: int, monotonic_seconds: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = burst
        self._seconds = monotonic_seconds
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = Lock()

    def take(self, client_id: str) -> None:
        """Take one from the client's bucket. Raises RateLimited with `retryAfter` in whole seconds."""
        with self._lock:
            now = self._seconds()
            bucket = self._buckets.setdefault(client_id, _Bucket(self._burst, now))
            self._buckets.move_to_end(client_id)
            if len(self._buckets) > _CLIENTS_MAX:
                self._buckets.popitem(last=False)
            bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at_seconds) * self._per_second)
            bucket.at_seconds = now
            if bucket.tokens >= 1:
                bucket.tokens -= 1
                return
            seconds = max(1, math.ceil((1 - bucket.tokens) / self._per_second))
        raise RateLimited(retryAfter=seconds)
