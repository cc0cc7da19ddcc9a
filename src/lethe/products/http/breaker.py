"""A circuit breaker: a service that keeps failing is left alone for a while, then tried with one request."""

from collections.abc import Callable
from math import ceil
from threading import Lock
from typing import TypeVar

from lethe.products.interface import ProductUnavailable

T = TypeVar("T")


class CircuitBreaker:
    """Closed, it lets all pass; open, none; half-open, one at a time. Safe to share between threads."""

    def __init__(self, monotonic: Callable[[], float], *, failures_max: int = 5, open_seconds: float = 60.0) -> None:
        """After `failures_max` failures in a row it opens for `open_seconds`, then half."""
        self._monotonic = monotonic
        self._failures_max = failures_max
        self._open_seconds = open_seconds
        self._lock = Lock()
        self._failures = 0
        self._open_until: float | None = None
        self._is_trying = False

    def call(self, work: Callable[[], T]) -> T:
        """Do the work, unless open. Raises ProductUnavailable, the work's own or for being open."""
        is_trial = self._enter()
        try:
            result = work()
        except ProductUnavailable:
            self._leave(is_trial, has_failed=True)
            raise
        except BaseException:
            # Neither proof that the service is well nor that it is not: the next one tries.
            self._leave(is_trial, has_failed=None)
            raise
        self._leave(is_trial, has_failed=False)
        return result

    def _enter(self) -> bool:
        """Whether this is the one trial of a half-open breaker. Raises ProductUnavailable."""
        with self._lock:
            if self._open_until is None:
                return False
            if self._is_trying:
                raise ProductUnavailable("the service failed repeatedly and is being tried by another request")
            if (left := self._open_until - self._monotonic()) > 0:
                raise ProductUnavailable(f"the service failed repeatedly and is left alone for {ceil(left)} s more")
            self._is_trying = True
            return True

    def _leave(self, is_trial: bool, *, has_failed: bool | None) -> None:
        with self._lock:
            if is_trial:
                self._is_trying = False
            if has_failed is None:
                return
            if not has_failed:
                self._failures = 0
                self._open_until = None
                return
            self._failures += 1
            if is_trial or self._failures >= self._failures_max:
                self._open_until = self._monotonic() + self._open_seconds
