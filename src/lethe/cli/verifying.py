"""`lethe verify`: look again, now, whether the people of a completed work order are still absent.

The certificate proves that they were gone when the order completed. Rows may have come back since, from a backup or a
late feed. The server keeps no identities, so they are given again; it is asked what an order for them would delete now.
That nobody else's were given is seen by looking them up in the order: each of them, or of many an even sample.
"""

from typing import Annotated, Final

import typer

from lethe.cli.calling import client
from lethe.cli.exits import Exit, Misused
from lethe.cli.identity_files import Column, Csv, GivenIdentities, Json, NamespaceCode, NoHeader, Source
from lethe.cli.output import Format, Output, say, show_json
from lethe.cli.previewing import preview_parts, rows_by_dataset
from lethe.client import Lethe, WorkOrder
from lethe.client.identities import parts_of
from lethe.contract.spelling import PRODUCT_NAME

LOOKED_UP_MAX: Final = 1_000


def verify(
    ctx: typer.Context,
    work_order_id: Annotated[str, typer.Argument(help="The completed work order's id (DI-…).")],
    csv: Csv = None,
    json: Json = None,
    namespace: NamespaceCode = None,
    column: Column = "id",
    no_header: NoHeader = False,
    output: Output = Format.TABLE,
) -> None:
    """Look again whether the people of a completed work order are absent from its datasets, now.

    Takes their identities again, from a file: the server keeps none. Exits with status 1 when a row matches, or when an
    identity was not the order's.
    """
    given = Source(csv, json, namespace, column, header=not no_header).read()
    lethe = client(ctx)
    order = lethe.work_orders.get(work_order_id)
    _require_checkable(order)
    looked_up, strangers = _strangers(lethe, order, given)
    previews = preview_parts(lethe, order.dataset_id.split(","), given.by_namespace)
    rows = rows_by_dataset(previews)
    count = sum(preview.operation_count for preview in previews)
    absent = bool(rows) and not any(rows.values()) and not strangers
    if output is Format.JSON:
        show_json(
            {
                "workorderId": order.workorder_id,
                "absent": absent,
                "identities": count,
                "operationCount": order.operation_count,
                "lookedUp": looked_up,
                "notRequested": strangers,
                "rowsMatched": rows,
            }
        )
    for dataset_id, matched in rows.items():
        say(f"{dataset_id}: {matched:,} rows match now")
    if not rows:
        say("No dataset was searched, so nothing is proven.")
    if strangers:
        say(f"{strangers:,} of {looked_up:,} identities that were looked up are not the order's.")
    if count < order.operation_count:
        say(f"{count:,} of the order's {order.operation_count:,} identities were given; of the others nothing is said.")
    say(f"{order.workorder_id}: {'absent' if absent else 'NOT proven absent'}, {count:,} identities.")
    if not absent:
        raise typer.Exit(Exit.FAILED)


def _require_checkable(order: WorkOrder) -> None:
    if order.deletes_dataset:
        raise Misused("the work order destroyed a dataset; its certificate proves that: `lethe certificate get`")
    if next(iter(PRODUCT_NAME)) not in order.target_services:
        raise Misused("the work order left the data lake alone, so there are no tables to look into")
    if order.status != "completed":
        raise Misused(f"the work order is {order.status}, not completed")


def _strangers(lethe: Lethe, order: WorkOrder, given: GivenIdentities) -> tuple[int, int]:
    """How many identities were looked up in the order, and of how many it never heard."""
    everybody = [
        (code, value)
        for part in parts_of(given.by_namespace)
        for code, ids in part.by_namespace.items()
        for value in ids
    ]
    step = -(-len(everybody) // LOOKED_UP_MAX)
    asked = everybody[::step]
    found = (lethe.work_orders.lookup(order.workorder_id, code, value).requested for code, value in asked)
    return len(asked), sum(not requested for requested in found)
