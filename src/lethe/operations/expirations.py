"""Dataset expirations: create, look up, change, cancel; and what executing one does to its record."""

from collections.abc import Sequence
from datetime import timedelta
from typing import assert_never

from lethe.clock import Ids
from lethe.domain.audit import AuditEvent
from lethe.domain.errors import (
    ExpirationExists,
    ExpirationNotCancellable,
    ExpirationNotEditable,
    ExpirationNotRestorable,
    InvalidField,
    UnknownDataset,
    UnknownExpiration,
)
from lethe.domain.expiration import (
    Cancelled,
    Change,
    Completed,
    Edit,
    Executing,
    Expiration,
    HistoryEntry,
    Pending,
    Trashed,
    create,
)
from lethe.domain.ids import DatasetId, ExpirationId, OrgId, SandboxName
from lethe.domain.listing import By, Listing, Page
from lethe.domain.product import Product, ProductProgress, ProductStatus
from lethe.operations.call import Call
from lethe.operations.own_call import LETHE
from lethe.operations.quota import lock_expirations, require_expiration_room
from lethe.storage.interface import Transaction
from lethe.storage.order_interface import ExpirationFilter, ExpirationOrder

Key = ExpirationId | DatasetId
"""What names an expiration: its own id, or that of its dataset."""


def create_expiration(tx: Transaction, call: Call, dataset_id: DatasetId, edit: Edit, *, ids: Ids) -> Expiration:
    """Schedule the deletion of a dataset; a cancelled expiration of it is opened again, under its id.

    Raises UnknownDataset, ExpirationExists, ExpiryTooSoon, QuotaExceeded.
    """
    dataset = tx.datasets.find(call.org_id, call.sandbox_name, dataset_id)
    if dataset is None:
        raise UnknownDataset(field="datasetId")
    lock_expirations(tx, call.org_id)
    lead, by = call.org.min_expiry_lead, call.caller.actor.author
    match tx.expirations.find(call.org_id, call.sandbox_name, dataset_id):
        case None:
            change = create(
                expiration_id=ExpirationId(ids.uuid()),
                org_id=call.org_id,
                sandbox_name=call.sandbox_name,
                dataset_id=dataset_id,
                dataset_name=dataset.name,
                edit=edit,
                min_lead=lead,
                now=tx.now,
                by=by,
            )
        case Cancelled() as cancelled:
            change = cancelled.reopen(edit, min_lead=lead, now=tx.now, by=by)
        case Pending() | Trashed() | Executing() | Completed():
            raise ExpirationExists(field="datasetId")
        case unreachable:
            assert_never(unreachable)
    require_expiration_room(tx, call.org)
    return _saved(tx, change)


def find_expiration(tx: Transaction, call: Call, key: Key) -> Expiration:
    """Look one up by either id. Raises UnknownExpiration."""
    expiration = tx.expirations.find(call.org_id, call.sandbox_name, key)
    if expiration is None:
        raise UnknownExpiration
    return expiration


def expiration_history(tx: Transaction, expiration: Expiration) -> Sequence[HistoryEntry]:
    """Everything that happened to it, oldest first."""
    return tx.expirations.history(expiration.expiration_id)


def expiration_products(tx: Transaction, expiration: Expiration) -> Sequence[ProductProgress]:
    """How far each product is; empty before execution begins."""
    return tx.expirations.products(expiration.expiration_id)


def list_expirations(
    tx: Transaction, where: ExpirationFilter, order: Sequence[By[ExpirationOrder]], page: Page
) -> Listing[Expiration]:
    """One page of expirations."""
    return tx.expirations.list(where, order, page)


def update_expiration(tx: Transaction, call: Call, key: Key, edit: Edit) -> Expiration:
    """Change a pending expiration, or open a cancelled one again with a new expiry.

    Raises UnknownExpiration, ExpirationNotEditable, ExpiryTooSoon, QuotaExceeded.
    """
    lead, by = call.org.min_expiry_lead, call.caller.actor.author
    lock_expirations(tx, call.org_id)
    match find_expiration(tx, call, key):
        case Pending() as pending:
            change = pending.update(edit, min_lead=lead, now=tx.now, by=by)
        case Cancelled() as cancelled:
            if edit.expiry_at is None:
                raise ExpirationNotEditable("a cancelled expiration takes changes only together with a new expiry")
            change = cancelled.reopen(edit, min_lead=lead, now=tx.now, by=by)
            require_expiration_room(tx, call.org)
        case Trashed() | Executing() | Completed():
            raise ExpirationNotEditable
        case unreachable:
            assert_never(unreachable)
    return _saved(tx, change)


def put_expiration(tx: Transaction, call: Call, key: Key, edit: Edit, *, ids: Ids) -> tuple[Expiration, bool]:
    """Change the expiration, or create one when the id is that of a dataset without any; says whether it created.

    Raises what update_expiration and create_expiration raise; InvalidField when creating without an expiry.
    """
    # Before the look, for which of the two it is must still hold when it is done; and before the expiration's row is
    # locked, for that is the order in which everybody locks.
    lock_expirations(tx, call.org_id)
    if tx.expirations.find(call.org_id, call.sandbox_name, key) is not None:
        return update_expiration(tx, call, key, edit), False
    if not isinstance(key, str) or tx.datasets.find(call.org_id, call.sandbox_name, key) is None:
        raise UnknownExpiration
    if edit.expiry_at is None:
        raise InvalidField("is required, for the dataset has no expiration yet", field="expiry")
    return create_expiration(tx, call, DatasetId(key), edit, ids=ids), True


def cancel_expiration(tx: Transaction, call: Call, key: Key) -> Expiration:
    """Call a pending expiration off. Raises ExpirationNotCancellable, whatever else it is or if it is none."""
    lock_expirations(tx, call.org_id)
    expiration = tx.expirations.find(call.org_id, call.sandbox_name, key)
    if not isinstance(expiration, Pending):
        raise ExpirationNotCancellable
    return _saved(tx, expiration.cancel(now=tx.now, by=call.caller.actor.author))


def restore_expiration(tx: Transaction, call: Call, expiration_id: ExpirationId) -> Expiration:
    """Keep a dataset that is flagged and not being destroyed yet: the expiration is cancelled.

    What was promised is taken back in the same transaction: a worker that has just claimed it loses its claim, and its
    first act would have been to record that destruction begins. Raises UnknownExpiration, ExpirationNotRestorable.
    """
    lock_expirations(tx, call.org_id)
    tasks = tx.tasks.concerning(expiration_id)
    match find_expiration(tx, call, expiration_id):
        case Trashed() as trashed:
            tx.tasks.withdraw(tasks)
            tx.expirations.clear_products(expiration_id)
            tx.datasets.enable(call.org_id, call.sandbox_name, trashed.dataset_id)
            return _saved(tx, trashed.restore(now=tx.now, by=call.caller.actor.author))
        case Pending() | Cancelled() | Executing() | Completed():
            raise ExpirationNotRestorable
        case unreachable:
            assert_never(unreachable)


def begin_execution(
    tx: Transaction,
    org_id: OrgId,
    sandbox_name: SandboxName,
    expiration_id: ExpirationId,
    trash: timedelta = timedelta(0),
) -> Expiration | None:
    """Flag the dataset, if the expiration is still pending and due; None when it is not.

    For so long as `trash` says it may be restored; without that its destruction begins at once.
    """
    expiration = tx.expirations.find(org_id, sandbox_name, expiration_id)
    if not isinstance(expiration, Pending) or not expiration.is_due(tx.now):
        return None
    waiting = [ProductProgress(product, ProductStatus.WAITING, tx.now) for product in Product]
    tx.expirations.save_products(expiration_id, waiting)
    change = (
        expiration.discard(trash, now=tx.now, by=LETHE.author)
        if trash
        else expiration.begin(now=tx.now, by=LETHE.author)
    )
    return _saved(tx, change)


def complete_execution(
    tx: Transaction,
    org_id: OrgId,
    sandbox_name: SandboxName,
    expiration_id: ExpirationId,
    reason: str | None = None,
) -> Expiration | None:
    """Record that the dataset is gone; None when the expiration is not executing.

    `reason` says so where nobody here deleted it.
    """
    expiration = tx.expirations.find(org_id, sandbox_name, expiration_id)
    if not isinstance(expiration, Executing):
        return None
    known = {progress.product: progress.status for progress in tx.expirations.products(expiration_id)}
    missing = [product for product in Product if known.get(product) is not ProductStatus.SUCCESS]
    done = [ProductProgress(product, ProductStatus.SUCCESS, tx.now) for product in missing]
    tx.expirations.save_products(expiration_id, done)
    return _saved(tx, expiration.complete(now=tx.now, by=LETHE.author, reason=reason))


def _saved(tx: Transaction, change: Change) -> Expiration:
    tx.expirations.save(change)
    expiration, entry = change.expiration, change.entry
    facts = {"dataset_id": expiration.dataset_id, "expiry_at": expiration.expiry_at.isoformat()}
    tx.audit.append(
        AuditEvent(
            expiration.org_id,
            entry.by,
            f"expiration.{entry.status.value}",
            str(expiration.expiration_id),
            facts if entry.reason is None else facts | {"reason": entry.reason},
        )
    )
    return expiration
