"""The custom identity namespaces of an org."""

from collections.abc import Sequence

import sqlalchemy as sa

from lethe.domain.errors import NamespaceExists
from lethe.domain.ids import NamespaceId, OrgId
from lethe.domain.namespace import CUSTOM_ID_MIN, Namespace
from lethe.storage.schema import namespaces
from lethe.storage.session import Session


class SqlNamespaces:
    """Implements `interface.Namespaces`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self, org_id: OrgId) -> Sequence[Namespace]:
        """The org's custom namespaces, by number."""
        query = sa.select(namespaces).where(namespaces.c.org_id == org_id).order_by(namespaces.c.namespace_id)
        return [
            Namespace(
                NamespaceId(row["namespace_id"]),
                row["code"],
                row["name"],
                row["id_type"],
                row["custom"],
                row["case_insensitive"],
            )
            for row in self._session.rows(query)
        ]

    def add(self, org_id: OrgId, namespace: Namespace) -> None:
        """Add one. Raises NamespaceExists when its code or its number is taken."""
        insert = self._session.insert(namespaces).values(
            org_id=org_id,
            namespace_id=namespace.id,
            code=namespace.code,
            folded_code=namespace.folded_code,
            name=namespace.name,
            id_type=namespace.id_type,
            custom=namespace.custom,
            case_insensitive=namespace.case_insensitive,
        )
        if self._session.run(insert.on_conflict_do_nothing()) == 0:
            raise NamespaceExists(f"the namespace {namespace.code} already exists", field="code")

    def next_id(self, org_id: OrgId) -> NamespaceId:
        """The number for the org's next custom namespace; nobody else gets it before this transaction ends."""
        self._session.lock("namespace number", org_id)
        highest = self._session.value(
            sa.select(sa.func.max(namespaces.c.namespace_id)).where(namespaces.c.org_id == org_id)
        )
        return NamespaceId(max(CUSTOM_ID_MIN, (highest or 0) + 1))
