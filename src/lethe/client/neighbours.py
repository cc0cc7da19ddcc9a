"""`client.namespaces`, `client.sandboxes`, `client.quota()`: what a deletion is measured and placed by."""

from typing import Final

from lethe.client.exchange import Exchange
from lethe.client.paging import segment
from lethe.client.result import Result

NAMESPACES: Final = "/data/core/idnamespace/identities"
SANDBOXES: Final = "/data/foundation/sandbox-management/sandboxes"
QUOTA: Final = "/data/core/hygiene/quota"


class Namespace(Result):
    """One identity namespace."""

    id: int
    code: str
    name: str
    id_type: str
    custom: bool
    status: str
    case_insensitive: bool = False


class Namespaces:
    """The standard namespaces and the organization's own."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def list(self) -> tuple[Namespace, ...]:
        """Every namespace."""
        return self._exchange.get(NAMESPACES, tuple[Namespace, ...])

    def create(
        self,
        code: str,
        name: str = "",
        *,
        id_type: str = "CROSS_DEVICE",
        case_insensitive: bool = False,
        idempotency_key: str | None = None,
    ) -> Namespace:
        """Create one of the organization's own. `case_insensitive` ids are compared without regard to case."""
        body = {"code": code, "name": name or code, "idType": id_type, "caseInsensitive": case_insensitive}
        return self._exchange.create(NAMESPACES, Namespace, body, idempotency_key)


class Sandbox(Result):
    """One sandbox."""

    name: str
    title: str
    state: str
    type: str
    region: str
    is_default: bool
    id: str


class _Sandboxes(Result):
    sandboxes: tuple[Sandbox, ...]


class Sandboxes:
    """The sandboxes that the caller may see."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def list(self) -> tuple[Sandbox, ...]:
        """Every sandbox."""
        return self._exchange.get(SANDBOXES, _Sandboxes).sandboxes

    def get(self, name: str) -> Sandbox:
        """Look one up. Raises NotFound."""
        return self._exchange.get(f"{SANDBOXES}/{segment(name)}", Sandbox)


class Quota(Result):
    """One quota."""

    name: str
    description: str
    consumed: int
    quota: int

    @property
    def left(self) -> int:
        """What may still be consumed."""
        return max(0, self.quota - self.consumed)


class Quotas(Result):
    """The organization's quotas."""

    quotas: tuple[Quota, ...]
