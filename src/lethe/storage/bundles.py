"""Bundles of work orders."""

from typing import Any

import sqlalchemy as sa

from lethe.domain.bundle import Bundle
from lethe.domain.ids import BundleId, OrgId, SandboxName
from lethe.storage.schema import bundles
from lethe.storage.session import Session


class SqlBundles:
    """Implements `work_interface.WorkableBundles`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find_open(self, org_id: OrgId, sandbox_name: SandboxName) -> Bundle | None:
        """The bundle that takes orders now. Another writer that asks waits, even when there is none yet."""
        self._session.lock("open bundle", org_id, sandbox_name)
        query = sa.select(bundles).where(
            bundles.c.org_id == org_id, bundles.c.sandbox_name == sandbox_name, bundles.c.closed_at.is_(None)
        )
        return self._bundle(query)

    def find(self, bundle_id: BundleId) -> Bundle | None:
        """The bundle. In a writing transaction its row is locked."""
        return self._bundle(sa.select(bundles).where(bundles.c.bundle_id == bundle_id))

    def exists(self, bundle_id: BundleId) -> bool:
        """Whether this is a bundle's id; nothing is locked."""
        query = sa.select(bundles.c.bundle_id).where(bundles.c.bundle_id == bundle_id)
        return self._session.value(query) is not None

    def _bundle(self, query: sa.Select[Any]) -> Bundle | None:
        row = self._session.row(self._session.locked(query))
        if row is None:
            return None
        return Bundle(
            BundleId(row["bundle_id"]),
            OrgId(row["org_id"]),
            SandboxName(row["sandbox_name"]),
            row["opened_at"],
            row["closes_at"],
            row["order_count"],
            row["identity_count"],
            row["closed_at"],
        )

    def save(self, bundle: Bundle) -> None:
        """Insert or update."""
        values = {
            "org_id": bundle.org_id,
            "sandbox_name": bundle.sandbox_name,
            "opened_at": bundle.opened_at,
            "closes_at": bundle.closes_at,
            "order_count": bundle.order_count,
            "identity_count": bundle.identity_count,
            "closed_at": bundle.closed_at,
        }
        insert = self._session.insert(bundles).values(bundle_id=bundle.bundle_id, **values)
        self._session.run(insert.on_conflict_do_update(index_elements=[bundles.c.bundle_id], set_=values))
