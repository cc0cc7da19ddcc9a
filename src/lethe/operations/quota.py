"""How much of each quota is consumed, and spending it."""

from datetime import UTC, datetime

from lethe.domain.ids import OrgId
from lethe.domain.organization import Organization
from lethe.domain.quota import DELETES, PERIODS, QuotaName, QuotaState, period_start, require_room, states
from lethe.operations.call import Call
from lethe.storage.interface import Transaction

_ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
"""The period of the expiration quota's row, which counts nothing and is only locked."""


def quota_states(tx: Transaction, call: Call) -> tuple[QuotaState, ...]:
    """All quotas of the org as they stand now."""
    starts = {name: period_start(period, tx.now) for name, period in PERIODS.items()}
    active = {QuotaName.EXPIRATIONS: tx.expirations.count_active(call.org_id)}
    return states(call.org.allowances, {**tx.quotas.all_consumed(call.org_id, starts), **active})


def spend_deletes(tx: Transaction, org: Organization, identity_count: int) -> None:
    """Count a record delete against the day and the month. Raises QuotaExceeded; then nothing is spent.

    The counters stay locked until the transaction ends, which also makes the org's accepted orders follow each other.
    """
    starts = {name: period_start(PERIODS[name], tx.now) for name in DELETES}
    for name, start in starts.items():
        consumed = tx.quotas.lock(org.org_id, name, start)
        require_room(name, identity_count, consumed, org.allowances, tx.now)
    for name, start in starts.items():
        tx.quotas.spend(org.org_id, name, start, identity_count)


def require_expiration_room(tx: Transaction, org: Organization) -> None:
    """Refuse one more active expiration than the org may have. Raises QuotaExceeded.

    The count is taken from the expirations themselves; the lock makes two requests count one after the other.
    """
    lock_expirations(tx, org.org_id)
    active = tx.expirations.count_active(org.org_id)
    require_room(QuotaName.EXPIRATIONS, 1, active, org.allowances, tx.now)


def lock_expirations(tx: Transaction, org_id: OrgId) -> None:
    """Let nobody else change which expirations of the org are active before this transaction ends."""
    tx.quotas.lock(org_id, QuotaName.EXPIRATIONS, _ALWAYS)
