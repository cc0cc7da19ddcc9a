"""Identity namespaces: the standard ones and the org's own."""

from collections.abc import Sequence
from dataclasses import dataclass

from lethe.domain.errors import NamespaceExists, UnknownNamespace
from lethe.domain.ids import NamespaceId, OrgId
from lethe.domain.namespace import STANDARD, Namespace
from lethe.operations.call import Call
from lethe.storage.interface import Transaction


@dataclass(frozen=True, slots=True)
class NamespaceRef:
    """A namespace as a request names it: by code, by number, or both; `field` is where it does so."""

    field: str
    code: str | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class NamespaceDraft:
    """A custom namespace to create."""

    code: str
    name: str
    id_type: str
    case_insensitive: bool = False


def all_namespaces(tx: Transaction, org_id: OrgId) -> Sequence[Namespace]:
    """The standard namespaces and the org's own."""
    return [*STANDARD, *tx.namespaces.all(org_id)]


class NamespaceBook:
    """The org's namespaces, to look up what requests name."""

    def __init__(self, namespaces: Sequence[Namespace]) -> None:
        self._by_code = {namespace.folded_code: namespace for namespace in namespaces}
        self._by_id = {namespace.id: namespace for namespace in namespaces}
        self._by_name = {namespace.name.casefold(): namespace for namespace in namespaces}

    def resolve(self, ref: NamespaceRef) -> Namespace:
        """The namespace meant. Raises UnknownNamespace, also when code and number name two."""
        by_code = self._by_code.get(ref.code.casefold()) if ref.code is not None else None
        by_id = self._by_id.get(NamespaceId(ref.id)) if ref.id is not None else None
        found = by_code or by_id
        if found is None:
            raise UnknownNamespace(field=ref.field)
        if (ref.code is not None and by_code != found) or (ref.id is not None and by_id != found):
            raise UnknownNamespace("the namespace's code and id are not those of one known namespace", field=ref.field)
        return found

    def resolve_code_or_name(self, text: str, field: str) -> Namespace:
        """The namespace of this code, or else of this name. Raises UnknownNamespace."""
        found = self._by_code.get(text.casefold()) or self._by_name.get(text.casefold())
        if found is None:
            raise UnknownNamespace(field=field)
        return found


def namespace_book(tx: Transaction, org_id: OrgId) -> NamespaceBook:
    """The org's namespaces, to look up."""
    return NamespaceBook(all_namespaces(tx, org_id))


def create_namespace(tx: Transaction, call: Call, draft: NamespaceDraft) -> Namespace:
    """Add a custom namespace under the org's next number. Raises NamespaceExists."""
    number = tx.namespaces.next_id(call.org_id)
    if any(known.folded_code == draft.code.casefold() for known in all_namespaces(tx, call.org_id)):
        raise NamespaceExists(field="code")
    namespace = Namespace(
        number, draft.code, draft.name, draft.id_type, custom=True, case_insensitive=draft.case_insensitive
    )
    tx.namespaces.add(call.org_id, namespace)
    tx.audit.append(call.event("namespace.created", str(number), code=draft.code))
    return namespace
