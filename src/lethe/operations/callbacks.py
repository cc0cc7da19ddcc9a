"""Callbacks: a service says by itself that there is news of a request.

The news is not taken from the callback. The task that waits is made due, and its worker asks the service as it would
have done later: so a callback can hasten what is true and nothing else, and hearing one twice changes nothing.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from lethe.domain.errors import UnknownCallback
from lethe.domain.ids import WorkOrderId
from lethe.domain.product import Product
from lethe.domain.request_key import RequestOf, request_of
from lethe.domain.task import Step, Task
from lethe.storage.interface import Transaction

REMEMBERED: Final = timedelta(minutes=15)
"""How long a message is known again: longer than its signature is accepted."""


def hear_callback(tx: Transaction, product: Product, message_id: str, key: str) -> None:
    """Let whoever waits for the request of this key look at once. Raises UnknownCallback."""
    request = request_of(key)
    waiting = [] if request is None or request.product is not product else _tasks(tx, request)
    if not waiting:
        raise UnknownCallback
    if tx.callbacks.hear(product, message_id, REMEMBERED):
        tx.tasks.nudge(waiting)


def _tasks(tx: Transaction, request: RequestOf) -> Sequence[Task]:
    """The tasks that ask under such a key, whatever their state."""
    order = tx.work_orders.find_any(WorkOrderId(request.subject_id))
    is_order = order is not None
    step = Step.FORGET if is_order else Step.DROP
    subject_id = request.subject_id if order is None else order.bundle_id
    dataset_id = None if is_order else request.dataset_id
    return [
        task
        for task in tx.tasks.of(subject_id)
        if task.step is step and task.product is request.product and task.dataset_id == dataset_id
    ]
