"""Following work orders to their end: bars on a terminal, a line a change elsewhere."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lethe.cli.exits import Exit
from lethe.cli.output import Format, say, show, show_all
from lethe.client import Lethe, WorkFailed, WorkOrder
from lethe.client.work_order import STATUSES, Hindrance

Timeout = Annotated[
    float | None, typer.Option("--timeout", min=0, help="Seconds to wait at the most; for ever when absent.")
]
Progressed = Callable[[WorkOrder], None]


def follow(
    lethe: Lethe, orders: Sequence[WorkOrder], output: Format, *, wait: bool = True, timeout: float | None = None
) -> None:
    """Print the orders; with `wait`, once they have ended. Exits with FAILED when one failed."""
    failed = False
    if wait:
        with _progress(orders) as progressed:
            ended = []
            for order in orders:
                try:
                    ended.append(lethe.work_orders.wait(order.workorder_id, timeout, progressed))
                except WorkFailed as error:
                    failed = True
                    ended.append(lethe.work_orders.get(order.workorder_id))
                    say(f"lethe: {error}; `lethe workorder retry` takes it up again")
        orders = ended
    if len(orders) == 1:
        print_order(orders[0], output)
    else:
        print_orders(orders, output)
    if failed:
        raise typer.Exit(Exit.FAILED)


def print_order(order: WorkOrder, output: Format) -> None:
    """Print one order."""
    facts = {
        "id": order.workorder_id,
        "status": order.status,
        "action": order.action,
        "dataset": order.dataset_id,
        "identities": order.operation_count,
        "name": order.display_name,
        "description": order.description,
        "created": order.created_at,
        "by": order.created_by,
        "bundle": order.bundle_id,
        **{each.product_name: each.product_status for each in order.product_status_details},
        **held_by(order.held_by),
        **{f"skipped {each.dataset_id}": each.reason for each in order.skipped_datasets},
    }
    show(order, output, facts)


def print_orders(orders: Sequence[WorkOrder], output: Format) -> None:
    """Print several orders."""
    show_all(
        orders,
        output,
        ("ID", "STATUS", "IDENTITIES", "DATASET", "CREATED", "NAME"),
        lambda order: (
            order.workorder_id,
            order.status,
            order.operation_count,
            order.dataset_id,
            order.created_at,
            order.display_name,
        ),
    )


def held_by(hindrances: Sequence[Hindrance]) -> dict[str, object]:
    """What stands in the way of work, as facts to print."""
    facts: dict[str, object] = {}
    for number, each in enumerate(hindrances, 1):
        where = " ".join(filter(None, [each.step, each.product_name, each.dataset_id]))
        again = f", again at {each.retry_at:%Y-%m-%d %H:%M:%SZ}" if each.retry_at else ""
        facts[f"held by {number}"] = f"{where}: {each.product_status}: {each.reason}{again}"
    return facts


@contextmanager
def _progress(orders: Sequence[WorkOrder]) -> Iterator[Progressed]:
    if not sys.stderr.isatty():
        yield lambda order: say(_line(order))
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[status]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {
            order.workorder_id: bars.add_task(order.workorder_id, total=len(STATUSES) - 1, status=order.status)
            for order in orders
        }

        def progressed(order: WorkOrder) -> None:
            task = tasks[order.workorder_id]
            if order.status in STATUSES:
                bars.update(task, completed=STATUSES.index(order.status))
            bars.update(task, status=_products(order) or order.status)

        yield progressed


def _line(order: WorkOrder) -> str:
    products = _products(order)
    return f"{order.workorder_id} {order.status}{f' ({products})' if products else ''}"


def _products(order: WorkOrder) -> str:
    return ", ".join(f"{each.product_name}: {each.product_status}" for each in order.product_status_details)
