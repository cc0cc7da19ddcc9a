"""What a look finds after a deletion: something is left, or has arrived since, and is deleted again."""

from lethe.domain.task import Step, Task
from lethe.pipeline.outcome import Failed, StepOutcome, Stuck
from lethe.pipeline.shop import Hold, Shop


def delete_again(shop: Shop, task: Task, hold: Hold, deleting: Step, reason: str) -> StepOutcome:
    """Make the deleting step of the same place ready, and look again after it. Raises StaleClaim.

    Each look is an attempt. After the last one nothing begins any more: what no deletion removes must not be deleted
    for ever.
    """
    if task.is_at_last_attempt:
        return Stuck(reason)
    with shop.store.write() as tx:
        hold.require(tx)
        same = [each for each in tx.tasks.of(task.subject_id) if (each.step, each.place) == (deleting, task.place)]
        tx.tasks.again(same, tx.now)
    return Failed(reason)
