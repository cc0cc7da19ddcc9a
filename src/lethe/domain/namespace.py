"""Identity namespaces: which kind of identifier an id is."""

from dataclasses import dataclass
from typing import Final

from lethe.domain.ids import NamespaceId

CUSTOM_ID_MIN: Final = NamespaceId(10_000_000)
"""Custom namespaces are numbered from here; below are the standard ones (contract, The neighbours)."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """One namespace as an org sees it."""

    id: NamespaceId
    code: str
    name: str
    id_type: str
    custom: bool = False
    case_insensitive: bool = False

    @property
    def folded_code(self) -> str:
        """The code by which it is found: codes match case-insensitively."""
        return self.code.casefold()


def _standard(number: int, code: str, name: str, id_type: str) -> Namespace:
    return Namespace(NamespaceId(number), code, name, id_type)


STANDARD: Final = (
    _standard(0, "CORE", "CORE", "COOKIE"),
    _standard(4, "ECID", "ECID", "COOKIE"),
    _standard(6, "Email", "Email", "Email"),
    _standard(7, "Phone", "Phone", "Phone"),
    _standard(8, "WAID", "Windows AID", "Device"),
    _standard(9, "TNTID", "Adobe Target (TNTID)", "COOKIE"),
    _standard(411, "AdCloud", "AdCloud", "COOKIE"),
    _standard(20914, "GAID", "Google Ad ID (GAID)", "Device"),
    _standard(20915, "IDFA", "Apple IDFA (ID for Advertisers)", "Device"),
)
"""The namespaces that every org has, with the published numbers."""
