"""The steps of a record delete in the data lake that follow its planning: forget, purge, verify.

Order of effects, and why a crash between any two is safe:

1. find reads tables and records plans: no effect outside (`planning`).
2. forget first records what it is about to delete, then commits to the table under the bundle's marker, then records
   that it did. A crash before the commit changes nothing; after it, the marker is found, and the counts stand already.
3. purge removes what the table no longer needs; repeated, it finds less to remove.
4. verify reads. What it finds wrong makes forget and purge ready again; the next round scrubs the files in which
   something was found, and its counts are added to those of the rounds before.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, assert_never

from lethe.domain.dataset import Dataset
from lethe.domain.identity import Identities
from lethe.domain.ids import BundleId, WorkOrderId
from lethe.domain.plan import TablePlan
from lethe.domain.task import Step, Task, TaskState, promise
from lethe.domain.work_order import OpenStatus
from lethe.engines.interface import (
    DidNotHappen,
    Evidence,
    Forgotten,
    Marker,
    MayHaveHappened,
    NeverWill,
    TableRefused,
    TableUnavailable,
    Tally,
)
from lethe.operations.own_call import own_event
from lethe.pipeline.leftovers import delete_again
from lethe.pipeline.noting import note_look
from lethe.pipeline.outcome import Did, Failed, Later, Record, StepOutcome, Stuck
from lethe.pipeline.settling import settle
from lethe.pipeline.shop import Hold, Shop, target_of, wanted_of, watcher_of
from lethe.storage.result_interface import DatasetResult
from lethe.storage.work_interface import WorkTransaction

HELD_LOOKS_AGAIN: Final = timedelta(minutes=1)
"""How long a purge waits for what holds a file when no date is known."""

HELD_LOOKS_AGAIN_AT_LATEST: Final = timedelta(hours=1)
"""How long it waits at most where a date is known: whoever takes the reason away need not wait for the date."""

CLOCKS_APART: Final = timedelta(minutes=10)
"""How far the clock of an object store may be ahead of the database's."""


def forget(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
    """Delete the bundle's rows from one dataset, in one commit."""
    work = _work(shop, task)
    if work is None:
        return Did(_then(Step.PURGE, task))
    dataset, identities = work
    engine, target, wanted = shop.engines[dataset.table.format], target_of(dataset), wanted_of(identities)
    marker = Marker(f"{task.subject_id}/{task.task_id}/{task.round}")
    watch = watcher_of(hold)
    try:
        # A later round comes from a verification that found something: whatever file still speaks is encoded anew.
        finding = engine.find(target, wanted, scrub=task.round > 0, watch=watch)
        _intend(shop, task, hold, finding.plan, finding.tally)
        outcome = engine.forget(target, wanted, finding.plan, marker, watch=watch)
    except TableRefused as error:
        return Stuck(str(error))
    except TableUnavailable as error:
        return Failed(str(error))
    match outcome:
        case Forgotten():
            done = outcome
        case DidNotHappen(reason) | MayHaveHappened(reason):
            return Failed(reason)
        case NeverWill(reason):
            return Stuck(reason)
        case unreachable:
            assert_never(unreachable)

    def record(tx: WorkTransaction) -> None:
        if done.tally is not None:
            _save_results(tx, task, done.snapshot, done.plan, done.tally)
        _promise_next(tx, Step.PURGE, task)

    return Did(record)


def purge(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
    """Remove what still speaks of the deleted rows, or say until when something may not go."""
    dataset = _dataset(shop, task)
    if dataset is None:
        return Did(_then(Step.VERIFY, task))
    with shop.store.read() as tx:
        now = tx.now
        policy = replace(shop.purge_policy, forgotten_at=_forgotten_at(tx, task))
    try:
        report = shop.engines[dataset.table.format].purge(target_of(dataset), policy, now, watch=watcher_of(hold))
    except TableRefused as error:
        return Stuck(str(error))
    except TableUnavailable as error:
        return Failed(str(error))
    if report.failed:
        return Failed(f"{len(report.failed)} files could not be removed: {report.failed[0].reason}")
    if report.held:
        until = min((held.until for held in report.held if held.until is not None), default=now + HELD_LOOKS_AGAIN)
        wait = min(until - now, HELD_LOOKS_AGAIN_AT_LATEST)
        return Later(max(wait, shop.patience), f"{len(report.held)} files are held: {report.held[0].reason}")

    def record(tx: WorkTransaction) -> None:
        _promise_next(tx, Step.VERIFY, task)
        facts = {"files_removed": report.files_removed, "bytes_removed": report.bytes_removed}
        tx.audit.append(
            own_event(task.org_id, "dataset.purged", str(task.subject_id), dataset_id=task.dataset_id, **facts)
        )

    return Did(record)


def verify(shop: Shop, task: Task, hold: Hold) -> StepOutcome:
    """Let the independent reader look for the bundle's identities in one dataset."""
    work = _work(shop, task)
    if work is None:
        return Did(lambda tx: settle(tx, task))
    if _is_under_way(shop, task):
        return Later(shop.patience, "the rows are being deleted again")
    dataset, identities = work
    try:
        evidence = shop.engines[dataset.table.format].verify(
            target_of(dataset), wanted_of(identities), watch=watcher_of(hold)
        )
    except TableUnavailable as error:
        return Failed(str(error))
    if not evidence.gone:
        worst = evidence.residues[0]
        reason = f"{len(evidence.residues)} residues, the first a {worst.kind.value} ({worst.where})"
        return delete_again(shop, task, hold, Step.FORGET, reason)
    seen = evidence_facts(evidence)

    def record(tx: WorkTransaction) -> None:
        note_look(tx, task, **seen)
        settle(tx, task)

    return Did(record)


def evidence_facts(evidence: Evidence) -> dict[str, Any]:
    """What of the evidence is kept."""
    return {
        "snapshot": evidence.snapshot,
        "filesExamined": evidence.files_examined,
        "bytesExamined": evidence.bytes_examined,
        "rowsExamined": evidence.rows_examined,
        "findsExplained": evidence.finds_explained,
    }


def _forgotten_at(tx: WorkTransaction, task: Task) -> datetime | None:
    """When the bundle's rows had left every dataset; None while some have not, and where something came back."""
    orders = [each for each in tx.work_orders.of_bundle(BundleId(task.subject_id)) if each.status in OpenStatus]
    if task.round or not orders or any(order.status is not OpenStatus.INGESTED for order in orders):
        return None
    return max(order.updated_at for order in orders) + CLOCKS_APART


def _dataset(shop: Shop, task: Task) -> Dataset | None:
    if task.dataset_id is None:
        return None
    with shop.store.read() as tx:
        return tx.datasets.find(task.org_id, task.sandbox_name, task.dataset_id)


def _work(shop: Shop, task: Task) -> tuple[Dataset, Mapping[WorkOrderId, Identities]] | None:
    """The dataset, and the identities of the bundle's open orders that planned it; None where nothing is to be done."""
    dataset = _dataset(shop, task)
    if dataset is None:
        return None
    with shop.store.read() as tx:
        orders = [
            order.work_order_id
            for order in tx.work_orders.of_bundle(BundleId(task.subject_id))
            if order.status in {OpenStatus.SUBMITTED, OpenStatus.INGESTED}
        ]
        planned = tx.plans.datasets_of(orders)
        identities = tx.identities.open_each([each for each in orders if dataset.dataset_id in planned.get(each, ())])
    return (dataset, identities) if identities else None


def _intend(shop: Shop, task: Task, hold: Hold, plan: TablePlan, tally: Tally) -> None:
    """Record the counts before the rows go: after a crash nobody could count them any more."""
    if tally.rows_matched:
        with shop.store.write() as tx:
            hold.require(tx)
            _save_results(tx, task, plan.snapshot, plan, tally)


def _save_results(tx: WorkTransaction, task: Task, snapshot: str, plan: TablePlan, tally: Tally) -> None:
    tx.plans.save_results(
        task.round,
        {
            one.work_order_id: DatasetResult(
                plan.dataset_id, snapshot, plan.hash, one.rows_matched, one.rows_by_identity
            )
            for one in tally.orders
        },
    )


def _promise_next(tx: WorkTransaction, step: Step, task: Task) -> None:
    """Promise the step that follows in the same place, also when it was done in an earlier round."""
    following = promise(
        step,
        task.subject_id,
        task.org_id,
        task.sandbox_name,
        tx.now,
        product=task.product,
        dataset_id=task.dataset_id,
    )
    tx.tasks.add(following)
    tx.tasks.again([following], tx.now)
    settle(tx, task)


def _then(step: Step, task: Task) -> Record:
    """Go on where there is nothing to do: the dataset is gone by other means, or its orders have ended."""

    def record(tx: WorkTransaction) -> None:
        _promise_next(tx, step, task)

    return record


def _is_under_way(shop: Shop, task: Task) -> bool:
    """Whether forget or purge of the same place is to run, again, before there is something to verify."""
    with shop.store.read() as tx:
        return any(
            each.state is TaskState.READY and each.step in {Step.FORGET, Step.PURGE}
            for each in tx.tasks.of(task.subject_id)
            if (each.product, each.dataset_id) == (task.product, task.dataset_id)
        )
