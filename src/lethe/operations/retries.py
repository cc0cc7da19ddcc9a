"""Retrying what has failed: from the step that was given up, not from the beginning.

What is done stays done, and other orders of the bundle are left alone. Nothing is counted against a quota again.

- An order whose find, or whose bundle, was given up has touched nothing: it joins the open bundle anew.
- After that, each place (a dataset, a service) of which something was given up goes on there. A table's commit keeps
  its round, for it may have happened; a service is asked in a new round, for it may remember that it refused.
- Orders of a bundle share their places. Where another order's retry has brought one further, this order was not part
  of that pass: the place begins anew, with both.
"""

from collections.abc import Collection, Sequence

from lethe.clock import Ids
from lethe.domain.caller import Permission
from lethe.domain.errors import ExpirationNotStuck, IdentitiesDestroyed, WorkOrderNotFailed
from lethe.domain.expiration import Executing, Expiration, Trashed
from lethe.domain.failure import Failure
from lethe.domain.ids import ExpirationId, WorkOrderId
from lethe.domain.product import ALL_PRODUCTS, Product
from lethe.domain.rollup import DELETING, changed_progress, concerns, order_status, stages_of
from lethe.domain.task import Place, Step, Task, TaskState, promise
from lethe.domain.work_order import Action, FailedOrder, OpenStatus, WorkOrder
from lethe.operations.call import Call
from lethe.operations.expirations import find_expiration
from lethe.operations.work_orders import datasets_of, find_work_order, join_bundle
from lethe.storage.interface import Transaction


def retry_work_order(tx: Transaction, call: Call, work_order_id: WorkOrderId, *, ids: Ids) -> WorkOrder:
    """Open a failed order again, at the step that failed.

    Raises UnknownWorkOrder, PermissionDenied, WorkOrderNotFailed, IdentitiesDestroyed.
    """
    # Tasks, bundle, order: the order in which a worker locks them.
    tasks = tx.tasks.concerning(work_order_id)
    tx.bundles.find_open(call.org_id, call.sandbox_name)
    order = find_work_order(tx, call, work_order_id)
    deletes_dataset = order.action is Action.DELETE_DATASET
    call.caller.require(Permission.DELETE_DATASETS if deletes_dataset else Permission.MANAGE_RECORD_DELETES)
    failed = order.found_failed()
    if failed is None:
        raise WorkOrderNotFailed(f"the work order is {order.status.value}; only a failed one is retried")
    if not deletes_dataset and not tx.identities.can_open(work_order_id):
        raise IdentitiesDestroyed
    failures = tx.failures.of(work_order_id)
    retried = _reopened(tx, call, failed, tasks, failures, ids=ids)
    tx.work_orders.save(retried)
    tx.failures.clear(work_order_id)
    tx.audit.append(
        call.event(
            "work_order.retried",
            str(work_order_id),
            status=retried.status.value,
            bundle_id=str(retried.bundle_id),
            places=_spoken(failures),
        )
    )
    return retried


def retry_expiration(tx: Transaction, call: Call, expiration_id: ExpirationId) -> Expiration:
    """Go on with the execution of which something was given up. Raises UnknownExpiration, ExpirationNotStuck."""
    tasks = tx.tasks.concerning(expiration_id)
    expiration = find_expiration(tx, call, expiration_id)
    given_up = {task.place for task in tasks if task.state is TaskState.FAILED}
    if not isinstance(expiration, Trashed | Executing) or not given_up:
        raise ExpirationNotStuck
    failures = tx.failures.of(expiration_id)
    _go_on(tx, tasks, given_up)
    stages = stages_of(tx.tasks.concerning(expiration_id), ALL_PRODUCTS)
    known = tx.expirations.products(expiration_id)
    tx.expirations.save_products(expiration_id, changed_progress(known, stages, tx.now))
    tx.failures.clear(expiration_id)
    tx.audit.append(call.event("expiration.retried", str(expiration_id), places=_spoken(failures)))
    return expiration


def _reopened(
    tx: Transaction, call: Call, failed: FailedOrder, tasks: Sequence[Task], failures: Sequence[Failure], *, ids: Ids
) -> WorkOrder:
    """The order in the status that its tasks say, which are ready again."""
    order, by = failed.order, call.caller.actor.author
    steps = {failure.step for failure in failures}
    if Step.FIND in steps or Step.BUNDLE in steps:
        bundle = tx.bundles.find_open(call.org_id, call.sandbox_name)
        if bundle is None or bundle.bundle_id != order.bundle_id:
            bundle = join_bundle(tx, call, order.action, order.operation_count, ids)
        if Step.FIND in steps:
            tx.tasks.restart([task for task in tasks if task.step is Step.FIND], tx.now)
            return failed.retried(OpenStatus.RECEIVED, bundle.bundle_id, now=tx.now, by=by)
        tx.tasks.add(promise(Step.BUNDLE, bundle.bundle_id, order.org_id, order.sandbox_name, tx.now))
        return failed.retried(OpenStatus.VALIDATED, bundle.bundle_id, now=tx.now, by=by)
    datasets = datasets_of(tx, order)
    own = [task for task in tasks if concerns(task, order, datasets)]
    noted: set[Place] = {(failure.product, failure.dataset_id) for failure in failures}
    _go_on(tx, own, noted | {task.place for task in own if task.state is TaskState.FAILED})
    own = [task for task in tx.tasks.concerning(order.work_order_id) if concerns(task, order, datasets)]
    stages = stages_of(own, order.target_products)
    known = tx.work_orders.products(order.work_order_id)
    tx.work_orders.save_products({order.work_order_id: changed_progress(known, stages, tx.now)})
    status = order_status(OpenStatus.SUBMITTED, stages)
    if not isinstance(status, OpenStatus):
        raise TypeError("a retried order has something to do")
    return failed.retried(status, order.bundle_id, now=tx.now, by=by)


def _go_on(tx: Transaction, tasks: Sequence[Task], places: Collection[Place]) -> None:
    """Make ready what these places need to come to their end."""
    for place in sorted(places, key=str):
        there = [task for task in tasks if task.place == place]
        given_up = [task for task in there if task.state is TaskState.FAILED]
        is_service = place[0] is not Product.DATA_LAKE
        begin_anew = [
            task for task in there if task.step in DELETING and (not given_up or (is_service and task in given_up))
        ]
        tx.tasks.restart(there, tx.now)
        tx.tasks.anew(begin_anew, tx.now)


def _spoken(failures: Sequence[Failure]) -> list[str]:
    """The places and steps, for the audit trail."""
    return sorted(
        "/".join(filter(None, [failure.step.value, failure.product and failure.product.value, failure.dataset_id]))
        for failure in failures
    )
