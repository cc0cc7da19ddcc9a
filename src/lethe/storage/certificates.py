"""Certificates of completed work, as they were made."""

from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa

from lethe.domain.ids import OrgId
from lethe.storage.schema import certificates
from lethe.storage.session import Session


class SqlCertificates:
    """Implements `result_interface.Certificates`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, org_id: OrgId, documents: Mapping[UUID, str]) -> None:
        """Keep certificates, each of an order or expiration; the first one made counts."""
        rows = [{"subject_id": each, "org_id": org_id, "document": text} for each, text in documents.items()]
        self._session.run_each(self._session.insert(certificates).on_conflict_do_nothing(), rows)

    def find(self, org_id: OrgId, subject_id: UUID) -> str | None:
        """The certificate of an order or expiration."""
        query = sa.select(certificates.c.document)
        found: str | None = self._session.value(
            query.where(certificates.c.org_id == org_id, certificates.c.subject_id == subject_id)
        )
        return found
