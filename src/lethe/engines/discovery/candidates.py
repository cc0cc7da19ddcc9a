"""Which fields of a table may name a person, and in which namespace, by their names alone."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lethe.engines.discovery.fields import Fields

_NAMESPACE_BY_NAME: Final[Mapping[str, str]] = {
    "email": "Email",
    "mail": "Email",
    "emailaddress": "Email",
    "mailaddress": "Email",
    "ecid": "ECID",
    "mcid": "ECID",
    "phone": "Phone",
    "phonenumber": "Phone",
    "mobile": "Phone",
    "mobilenumber": "Phone",
    "idfa": "IDFA",
    "gaid": "GAID",
    "waid": "WAID",
    "tntid": "TNTID",
}
_OWN: Final = re.compile(
    r"(user|customer|client|person|member|account|subscriber|profile|crm|loyalty|patient)(id|number|key)"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A field that may name a person."""

    path: tuple[str, ...]
    namespace: str | None
    """The standard namespace that its name speaks of; None for one of the organization's own."""


def candidates_of(fields: Fields) -> tuple[Candidate, ...]:
    """The likely ones, likeliest first: those of a standard namespace, nearest to the root."""
    found = []
    for field in fields.fields:
        name = _plain(field.path[-1])
        above = _plain("".join(field.path[-2:]))
        namespace = _NAMESPACE_BY_NAME.get(name) if field.is_text else None
        if namespace is not None or _OWN.fullmatch(name) or _OWN.fullmatch(above):
            found.append(Candidate(field.path, namespace))
    return tuple(sorted(found, key=lambda each: (each.namespace is None, len(each.path))))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
