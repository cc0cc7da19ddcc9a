"""What holds in every state and over every transition. The docstring's first line is what docs/work.md says of it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from lethe.domain.task import Step, TaskState
from lethe.domain.work_order import NEXT, Action, EndStatus, OpenStatus, status_of
from model import facts as known
from model.facts import Facts
from model.machine import Move, State

Invariant = Callable[[Facts, State, Move], bool]


def completed_means_absent(facts: Facts, before: State, move: Move) -> bool:
    """An order completes only when no table and no service of its scope holds a trace of its person any more."""
    for number in _became(before, move.after, EndStatus.COMPLETED.value):
        asked = facts.orders[number]
        tables, services = dict(move.after.world.tables), dict(move.after.world.services)
        bit = 1 << number
        if any((tables[each].rows | tables[each].history) & bit for each in asked.datasets):
            return False
        if asked.action is Action.DELETE_DATASET and any(tables[each].exists for each in asked.datasets):
            return False
        if any(services[each.value] & bit for each in asked.products if each.value in services):
            return False
    return True


def nothing_goes_before_every_find(facts: Facts, before: State, move: Move) -> bool:
    """Nothing of a bundle is deleted while an order of it is still received, nor ever of one whose find failed."""
    gone = _rows_gone(before, move.after)
    for number, row in enumerate(before.memory.orders):
        if facts.orders[number].action is Action.DELETE_DATASET or not gone & 1 << number:
            continue
        destroyed = [each for each in facts.datasets if _is_destroyed(before, each)]
        if any(each in destroyed for each in facts.orders[number].datasets):
            continue
        if row is None or row[0] not in {OpenStatus.SUBMITTED.value, OpenStatus.INGESTED.value}:
            return False
        bundle = [other[0] for other in before.memory.orders if other is not None and other[1] == row[1]]
        if OpenStatus.RECEIVED.value in bundle:
            return False
    return True


def stale_changes_nothing(facts: Facts, before: State, move: Move) -> bool:
    """A worker whose claim is not the newest records nothing."""
    return not (move.name.startswith("the stale worker") and before.memory != move.after.memory)


def one_commit_a_marker(facts: Facts, before: State, move: Move) -> bool:
    """A table has at most one commit under a marker, however often the step is done."""
    return all(count <= 1 for _, table in move.after.world.tables for _, count in table.commits)


def one_at_a_dataset(facts: Facts, before: State, move: Move) -> bool:
    """Whoever changes a table under a claim that holds does it for the bundle or expiration that has the dataset."""
    if not move.name.startswith("the worker of"):
        return True
    locks = dict(move.after.memory.locks)
    subjects = {held[0][1] for held in before.workers if held not in move.after.workers}
    return all(
        was == now or locks.get(dataset_id) in subjects
        for (dataset_id, was), (_, now) in zip(before.world.tables, move.after.world.tables, strict=True)
    ) or move.name.startswith("rows")


def locks_go_back(facts: Facts, before: State, move: Move) -> bool:
    """Nobody holds a dataset whose work has ended, or has not begun."""
    memory = move.after.memory
    for _, holder in memory.locks:
        orders = [row[0] for row in memory.orders if row is not None and known.bundle_id(row[1]).int == holder]
        if orders and all(status in set(EndStatus) for status in orders):
            return False
        if holder == known.EXPIRATION.int and memory.expiration is not None and memory.expiration[0] != "executing":
            return False
    return True


def cancelled_means_kept(facts: Facts, before: State, move: Move) -> bool:
    """A cancellation or a restoration wins until destruction has begun, and nothing is destroyed before that."""
    was, now = before.memory.expiration, move.after.memory.expiration
    if was is None or now is None:
        return True
    destroys = {"executing", "completed"}
    if was[0] in destroys and now[0] not in destroys:
        return False
    if was[0] == "cancelled" and now[0] not in {"cancelled", "pending"}:
        return False
    return now[0] in destroys or not _drops_for(move.after, known.EXPIRATION.int)


def never_too_early(facts: Facts, before: State, move: Move) -> bool:
    """An expiration begins only when its date has come."""
    was, now = before.memory.expiration, move.after.memory.expiration
    if was is None or now is None or was[0] == now[0] or now[0] not in {"trashed", "executing"}:
        return True
    return before.tick >= (was[2] if was[0] == "trashed" else was[1])


def forward_only(facts: Facts, before: State, move: Move) -> bool:
    """A status goes forward along its line, or ends as failed; only a retry calls a failed order back."""
    if move.name.endswith("is retried"):
        return True
    for was, now in zip(before.memory.orders, move.after.memory.orders, strict=True):
        if was is None or now is None or was == now:
            if was is not None and now is None:
                return False
            continue
        status, goal = status_of(was[0]), status_of(now[0])
        if not isinstance(status, OpenStatus):
            return False
        line = [status]
        while isinstance(line[-1], OpenStatus):
            line.append(NEXT[line[-1]])  # type: ignore[arg-type]
        if goal is not EndStatus.FAILED and goal not in line:
            return False
    return True


def failed_is_final(facts: Facts, before: State, move: Move) -> bool:
    """An order fails only when nothing of it is under way any more, so that every reason is known."""
    for number in _became(before, move.after, EndStatus.FAILED.value):
        row = move.after.memory.orders[number]
        assert row is not None
        bundle = known.bundle_id(row[1]).int
        datasets = {dataset_id for order, dataset_id in move.after.memory.plans if order == number}
        for (step, subject, product, dataset_id), state, _ in move.after.memory.tasks:
            concerns = subject == bundle and step != Step.BUNDLE and product
            if concerns and state == TaskState.READY and (not dataset_id or dataset_id in datasets):
                return False
    return True


def completed_expiration_means_gone(facts: Facts, before: State, move: Move) -> bool:
    """An expiration is completed only when its table is gone and its dataset has left the catalog."""
    now = move.after.memory.expiration
    if now is None or now[0] != "completed" or facts.expiring is None:
        return True
    table = dict(move.after.world.tables)[facts.expiring]
    return not table.exists and facts.expiring not in dict(move.after.memory.catalog)


INVARIANTS: Final[Mapping[str, Invariant]] = {
    each.__name__: each
    for each in (
        completed_means_absent,
        nothing_goes_before_every_find,
        stale_changes_nothing,
        one_commit_a_marker,
        one_at_a_dataset,
        locks_go_back,
        cancelled_means_kept,
        never_too_early,
        forward_only,
        failed_is_final,
        completed_expiration_means_gone,
    )
}


def has_ended(facts: Facts, state: State) -> bool:
    """Whether every order has ended, or will be refused at the door, and the expiration too."""
    expiration = state.memory.expiration
    catalog = dict(state.memory.catalog)
    return (
        all(
            row[0] in {*EndStatus} if row is not None else any(each not in catalog for each in asked.datasets)
            for row, asked in zip(state.memory.orders, facts.orders, strict=True)
        )
        and (expiration is None or expiration[0] in {"completed", "cancelled"} or is_stuck(state))
        and not any(held[2] for held in state.workers)
    )


def is_stuck(state: State) -> bool:
    """Whether something of the expiration was given up and the rest is done: it waits for a retry."""
    states = {each for (_, subject, _, _), each, _ in state.memory.tasks if subject == known.EXPIRATION.int}
    return TaskState.FAILED in states and TaskState.READY not in states


def _became(before: State, after: State, status: str) -> Iterable[int]:
    for number, (was, now) in enumerate(zip(before.memory.orders, after.memory.orders, strict=True)):
        if now is not None and now[0] == status and (was is None or was[0] != status):
            yield number


def _rows_gone(before: State, after: State) -> int:
    gone = 0
    for (_, was), (_, now) in zip(before.world.tables, after.world.tables, strict=True):
        gone |= was.rows & ~now.rows
    return gone


def _drops_for(state: State, subject: int) -> bool:
    """Whether a table was destroyed in the name of this subject alone: nobody else drops it."""
    drops = {dataset for (step, by, _, dataset), _, _ in state.memory.tasks if step == Step.DROP and by != subject}
    return any(not table.exists and dataset_id not in drops for dataset_id, table in state.world.tables)


def _is_destroyed(state: State, dataset_id: str) -> bool:
    """Whether a drop of the dataset is promised."""
    return any(step == Step.DROP and dataset == dataset_id for (step, _, _, dataset), _, _ in state.memory.tasks)
