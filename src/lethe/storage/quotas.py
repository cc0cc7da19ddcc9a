"""Counters of what an org has spent, a row a quota and period."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from lethe.domain.ids import OrgId
from lethe.domain.quota import QuotaName
from lethe.storage.matching import Condition
from lethe.storage.schema import quota_counters
from lethe.storage.session import Session

_SINCE: Final = sa.select(quota_counters.c.name, quota_counters.c.period_start, quota_counters.c.consumed).where(
    quota_counters.c.org_id == sa.bindparam("org_id"),
    quota_counters.c.period_start.in_(sa.bindparam("starts", expanding=True)),
)


class SqlQuotas:
    """Implements `interface.Quotas`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def consumed(self, org_id: OrgId, name: QuotaName, period_start: datetime) -> int:
        """What is spent so far in the period that began then."""
        counter = _counter(org_id, name, period_start)
        return self._session.value(sa.select(quota_counters.c.consumed).where(*counter)) or 0

    def all_consumed(self, org_id: OrgId, starts: Mapping[QuotaName, datetime]) -> Mapping[QuotaName, int]:
        """The same of several quotas at one look, each in the period that began then."""
        found = self._session.rows(_SINCE, {"org_id": org_id, "starts": sorted(set(starts.values()))})
        consumed = {(row["name"], row["period_start"]): row["consumed"] for row in found}
        return {name: consumed.get((name.value, start), 0) for name, start in starts.items()}

    def lock(self, org_id: OrgId, name: QuotaName, period_start: datetime) -> int:
        """The same, and nobody else reads it for spending before this transaction ends."""
        # The row is there before it is locked: without a row there would be nothing to wait for.
        statement = self._session.insert(quota_counters).values(
            org_id=org_id, name=name, period_start=period_start, consumed=0
        )
        self._session.run(statement.on_conflict_do_nothing())
        query = sa.select(quota_counters.c.consumed).where(*_counter(org_id, name, period_start))
        consumed: int = self._session.value(self._session.locked(query))
        return consumed

    def spend(self, org_id: OrgId, name: QuotaName, period_start: datetime, amount: int) -> None:
        """Add to a locked counter. Raises KeyError for one that was never locked."""
        counter = quota_counters.update().where(*_counter(org_id, name, period_start))
        if self._session.run(counter.values(consumed=quota_counters.c.consumed + amount)) != 1:
            raise KeyError(name)


def _counter(org_id: OrgId, name: QuotaName, period_start: datetime) -> list[Condition]:
    return [
        quota_counters.c.org_id == org_id,
        quota_counters.c.name == name,
        quota_counters.c.period_start == period_start,
    ]
