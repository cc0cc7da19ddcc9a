"""The bell: tells the workers of this process that there may be something to do.

It carries no message and promises nothing: whoever hears it looks into the database, and whoever misses it looks there
after a while anyway.
"""

from threading import Condition


class Bell:
    """Counts its rings, so that one between looking and waiting is not missed. Safe to share between threads."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._rings = 0
        self.hears_others = False
        """Whether it also rings for what other processes store; without that, a worker looks more often."""

    @property
    def rings(self) -> int:
        """How often it rang; to be read before looking for work."""
        return self._rings

    def ring(self) -> None:
        """Wake whoever waits."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait(self, heard: int, seconds: float) -> None:
        """Wait until it has rung since it had rung `heard` times, or so long."""
        with self._condition:
            self._condition.wait_for(lambda: self._rings != heard, seconds)
