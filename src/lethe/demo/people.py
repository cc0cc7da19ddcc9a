"""Who there is in the demo's world: made up, the same at every run, at addresses that cannot exist."""

from dataclasses import dataclass
from typing import Final

PEOPLE: Final = 20_000
EMAIL, ECID, CUSTOMER = "Email", "ECID", "CustomerId"
"""The codes of the namespaces; the last is the organization's own, in which case does not matter."""

_GIVEN: Final = (
    "ada",
    "bruno",
    "chika",
    "dana",
    "emil",
    "farah",
    "goran",
    "hana",
    "ivo",
    "jun",
    "kaya",
    "lena",
    "milo",
)
_FAMILY: Final = ("abel", "berg", "cruz", "diaz", "endo", "fell", "gray", "holm", "imai", "jung", "kern", "lund")


@dataclass(frozen=True, slots=True)
class Person:
    """One person, by the identity that each system knows them by."""

    number: int
    email: str
    customer_id: str
    ecid: str


def person(number: int) -> Person:
    """The person of a number from 0 to PEOPLE - 1."""
    given, family = _GIVEN[number % len(_GIVEN)], _FAMILY[number // len(_GIVEN) % len(_FAMILY)]
    return Person(
        number,
        f"{given}.{family}.{number:05}@example.com",
        f"C-{(number * 7_919) % 1_000_003:07}",
        # An ECID has 38 digits; the multiplication scatters neighbours.
        f"{(number + 1) * 48_271_000_000_000_000_000_000_000_000_000_001 % 10**38:038}",
    )


def those_who_leave() -> tuple[Person, ...]:
    """The people whom the tour deletes."""
    return tuple(person(number) for number in range(17, PEOPLE, PEOPLE // 25))
