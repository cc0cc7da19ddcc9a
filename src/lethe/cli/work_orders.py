"""`lethe workorder`: delete people's records, and follow the work."""

from typing import Annotated

import typer

from lethe.cli.calling import client
from lethe.cli.confirming import Yes, confirm, require_somebody
from lethe.cli.following import Timeout, follow, print_order, print_orders
from lethe.cli.identity_files import Column, Csv, Json, NamespaceCode, NoHeader, Source
from lethe.cli.output import Format, Output, say
from lethe.cli.previewing import preview_parts, print_preview
from lethe.cli.reports import print_lookup, print_plan, print_results
from lethe.client import IDENTITIES_MAX, WorkOrder

workorder = typer.Typer(no_args_is_help=True, help="Work orders: delete people's records, and follow the work.")

Id = Annotated[str, typer.Argument(help="The work order's id (DI-…).")]
DatasetIds = Annotated[
    list[str], typer.Option("--dataset", "-d", help="A dataset's id, given again for each; or ALL for every dataset.")
]
Services = Annotated[
    str | None, typer.Option(help="identity,profile,ajo to leave the data lake alone; with --dataset ALL only.")
]

_EXAMPLES = """Examples:

lethe workorder preview -d 5b020a27e7040801dedbf46e --csv gone.csv -n Email

lethe workorder create -d ALL --csv gone.csv -n Email --name 'Unsubscribed' --wait"""


@workorder.command(epilog=_EXAMPLES)
def preview(
    ctx: typer.Context,
    datasets: DatasetIds,
    csv: Csv = None,
    json: Json = None,
    namespace: NamespaceCode = None,
    column: Column = "id",
    no_header: NoHeader = False,
    target_services: Services = None,
    output: Output = Format.TABLE,
) -> None:
    """Show what a work order would delete, without deleting it. Costs no quota."""
    given = Source(csv, json, namespace, column, header=not no_header).read()
    previews = preview_parts(client(ctx), datasets, given.by_namespace, _services(target_services))
    print_preview(previews, output)


@workorder.command(epilog=_EXAMPLES)
def create(
    ctx: typer.Context,
    datasets: DatasetIds,
    csv: Csv = None,
    json: Json = None,
    namespace: NamespaceCode = None,
    column: Column = "id",
    no_header: NoHeader = False,
    display_name: Annotated[str, typer.Option("--name", help="What to call the work order.")] = "",
    description: Annotated[str, typer.Option(help="Why.")] = "",
    target_services: Services = None,
    idempotency_key: Annotated[
        str | None, typer.Option(help="The same key with the same input within 24 hours deletes nothing twice.")
    ] = None,
    yes: Yes = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the work to its end.")] = False,
    timeout: Timeout = None,
    output: Output = Format.TABLE,
) -> None:
    """Delete people's records from datasets and every service. This cannot be undone.

    Shows the preview and asks first. More than 100,000 identities become several work orders.
    """
    source = Source(csv, json, namespace, column, header=not no_header)
    require_somebody(yes=yes, reads_stdin=source.is_stdin)
    given, services, lethe = source.read(), _services(target_services), client(ctx)
    if not yes:
        print_preview(preview_parts(lethe, datasets, given.by_namespace, services), Format.TABLE, err=True)
        confirm("Delete these records for good?", yes=yes)
    if given.count > IDENTITIES_MAX:
        say(f"A work order takes at most {IDENTITIES_MAX:,} identities, so there will be several.")

    def accepted(number: int, of: int, order: WorkOrder) -> None:
        if of > 1:
            say(f"Work order {number} of {of} is accepted: {order.workorder_id}, {order.operation_count:,} identities.")

    orders = lethe.work_orders.create_all(
        datasets,
        given.by_namespace,
        display_name=display_name,
        description=description,
        target_services=services,
        idempotency_key=idempotency_key,
        on_accepted=accepted,
    )
    follow(lethe, orders, output, wait=wait, timeout=timeout)


@workorder.command()
def get(ctx: typer.Context, work_order_id: Id, output: Output = Format.TABLE) -> None:
    """Show one work order."""
    print_order(client(ctx).work_orders.get(work_order_id), output)


@workorder.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[
        str | None, typer.Option(help="A comma list: received, validated, submitted, ingested, completed, failed.")
    ] = None,
    search: Annotated[str | None, typer.Option(help="An id, or part of a name, description or author.")] = None,
    created_from: Annotated[str | None, typer.Option("--from", help="Created not before this date or time.")] = None,
    created_to: Annotated[str | None, typer.Option("--to", help="Created not after this date or time.")] = None,
    order_by: Annotated[str, typer.Option(help="A field of the list, - before it for descending.")] = "-createdAt",
    output: Output = Format.TABLE,
) -> None:
    """List work orders, newest first."""
    found = client(ctx).work_orders.list(
        status=status, search=search, created_from=created_from, created_to=created_to, order_by=order_by
    )
    print_orders(list(found), output)


@workorder.command(epilog="Exits with status 1 when one fails, 6 when the time is over.")
def watch(
    ctx: typer.Context,
    work_order_ids: Annotated[list[str], typer.Argument(help="The work orders' ids (DI-…).")],
    timeout: Timeout = None,
    output: Output = Format.TABLE,
) -> None:
    """Follow work orders to their end."""
    lethe = client(ctx)
    orders = [lethe.work_orders.get(each) for each in work_order_ids]
    follow(lethe, orders, output, timeout=timeout)


@workorder.command()
def plan(ctx: typer.Context, work_order_id: Id, output: Output = Format.TABLE) -> None:
    """Show what a work order does to each file, and why."""
    print_plan(client(ctx).work_orders.plan(work_order_id), output)


@workorder.command()
def results(
    ctx: typer.Context,
    work_order_id: Id,
    identities: Annotated[
        bool, typer.Option("--identities", help="Also show every identity, under its keyed hash.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Show what became of each dataset, and of the identities."""
    print_results(client(ctx).work_orders.results(work_order_id), output, with_identities=identities)


@workorder.command(epilog="The identity is asked for, or read from standard input: a command line is seen by others.")
def lookup(
    ctx: typer.Context,
    work_order_id: Id,
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="The identity's namespace, such as Email.")],
    output: Output = Format.TABLE,
) -> None:
    """Say whether a work order asked for one identity, and what became of it."""
    identity = typer.prompt("Identity", hide_input=True, err=True)
    print_lookup(client(ctx).work_orders.lookup(work_order_id, namespace, identity), output)


@workorder.command()
def retry(
    ctx: typer.Context,
    work_order_id: Id,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the work to its end.")] = False,
    timeout: Timeout = None,
    output: Output = Format.TABLE,
) -> None:
    """Take a failed work order up again where it failed."""
    lethe = client(ctx)
    follow(lethe, [lethe.work_orders.retry(work_order_id)], output, wait=wait, timeout=timeout)


@workorder.command()
def update(
    ctx: typer.Context,
    work_order_id: Id,
    display_name: Annotated[str | None, typer.Option("--name", help="What to call it.")] = None,
    description: Annotated[str | None, typer.Option(help="Why.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """Change a work order's name or description."""
    changed = client(ctx).work_orders.update(work_order_id, display_name=display_name, description=description)
    print_order(changed, output)


def _services(words: str | None) -> list[str] | None:
    return None if words is None else [word.strip() for word in words.split(",")]
