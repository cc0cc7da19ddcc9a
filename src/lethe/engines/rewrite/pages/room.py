"""Memory that is used again: what is used for the first time must be cleared by the kernel."""


class Room:
    """A buffer for one thing after another."""

    def __init__(self) -> None:
        self._whole = memoryview(bytearray())

    def of(self, size: int) -> memoryview:
        """The buffer, of this size at least. What stood in it before is gone."""
        if len(self._whole) < size:
            self._whole = memoryview(bytearray(size))
        return self._whole
