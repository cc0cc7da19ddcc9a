"""The identities of a request: validated, each once, in as many parts as the server takes.

A value never stands in an error or in what an object says of itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lethe.client.errors import InvalidArgument

IDENTITIES_MAX: Final = 100_000
"""Identities in one work order (contract, Record deletes)."""
ID_LENGTH_MAX: Final = 1_024
"""Characters in one id."""
BYTES_MAX: Final = 14 * 1024 * 1024
"""Bytes of ids in one work order; the server takes bodies of 16 MB."""
_BYTES_AROUND: Final = 4
"""Quotation marks, comma and escapes, by the way of estimate."""

Identities = Mapping[str, Iterable[str]]
"""Ids by the code of their namespace: `{"Email": ["ann@example.com"], "ECID": […]}`."""


@dataclass(frozen=True, slots=True)
class Part:
    """What goes into one work order."""

    count: int
    by_namespace: Mapping[str, tuple[str, ...]] = field(repr=False)

    def to_wire(self) -> list[dict[str, object]]:
        """As `namespacesIdentities`."""
        return [{"namespace": {"code": code}, "IDs": ids} for code, ids in self.by_namespace.items()]


def problem_of(value: object) -> str | None:
    """What is wrong with an id, in words that do not repeat it."""
    if not isinstance(value, str) or not value.strip():
        return "the id is empty or no text"
    if len(value) > ID_LENGTH_MAX:
        return f"the id has more than {ID_LENGTH_MAX:,} characters"
    if "\0" in value:
        return "the id holds the NUL character"
    # Half of a surrogate pair, which JSON can spell and UTF-8 cannot.
    return "the id is no valid text" if any("\ud800" <= character <= "\udfff" for character in value) else None


def one_part(identities: Identities) -> Part:
    """All identities for one order. Raises InvalidArgument when there are none, too many, or one is not valid."""
    parts = list(parts_of(identities))
    if len(parts) > 1:
        raise InvalidArgument(
            f"a work order takes at most {IDENTITIES_MAX:,} identities and {BYTES_MAX // 1024**2} MB; "
            "create_all makes several"
        )
    return parts[0]


def parts_of(identities: Identities, *, count_max: int = IDENTITIES_MAX, bytes_max: int = BYTES_MAX) -> Iterator[Part]:
    """The identities, each once, in parts that a work order takes.

    Raises InvalidArgument with the namespace and the index of an id that is not valid, and when there are none.
    """
    count, size = 0, 0
    part: dict[str, list[str]] = {}
    for code, value in _distinct(identities):
        weight = len(value.encode()) + _BYTES_AROUND
        if count == count_max or (count and size + weight > bytes_max):
            yield _part(part)
            count, size, part = 0, 0, {}
        part.setdefault(code, []).append(value)
        count, size = count + 1, size + weight
    if not count:
        raise InvalidArgument("there are no identities")
    yield _part(part)


def _distinct(identities: Identities) -> Iterator[tuple[str, str]]:
    for code, ids in identities.items():
        if isinstance(ids, str):
            raise InvalidArgument(f"{code}: takes a list of ids, not one text")
        seen = set()
        for index, value in enumerate(ids):
            problem = problem_of(value)
            if problem is not None:
                raise InvalidArgument(f"{code}[{index}]: {problem}")
            if value not in seen:
                seen.add(value)
                yield code, value


def _part(part: Mapping[str, list[str]]) -> Part:
    by_namespace = {code: tuple(ids) for code, ids in part.items()}
    return Part(sum(map(len, by_namespace.values())), by_namespace)
