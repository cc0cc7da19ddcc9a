"""`lethe ttl`: let whole datasets expire."""

from typing import Annotated

import typer

from lethe.cli.calling import client
from lethe.cli.confirming import Yes, confirm, require_somebody
from lethe.cli.following import held_by
from lethe.cli.output import Format, Output, show, show_all
from lethe.client import Expiration

ttl = typer.Typer(no_args_is_help=True, help="Dataset expirations: let whole datasets be destroyed at a set time.")

Key = Annotated[str, typer.Argument(help="The expiration's id (SD-…), or its dataset's.")]
Expiry = Annotated[str, typer.Option(help="When: ISO 8601; a date alone is midnight UTC.")]


@ttl.command(epilog="Example:\n\nlethe ttl create 5b020a27e7040801dedbf46e --expiry 2030-12-31 --name 'Licence ends'")
def create(
    ctx: typer.Context,
    dataset_id: Annotated[str, typer.Argument(help="The dataset's id.")],
    expiry: Expiry,
    display_name: Annotated[str, typer.Option("--name", help="What to call the expiration.")] = "",
    description: Annotated[str, typer.Option(help="Why.")] = "",
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Let a dataset expire: it is destroyed at that time, unless the expiration is cancelled before."""
    require_somebody(yes=yes)
    lethe = client(ctx)
    if not yes:
        confirm(f"Destroy the dataset {lethe.datasets.get(dataset_id).name!r} at {expiry}?", yes=yes)
    made = lethe.expirations.create(dataset_id, expiry, display_name=display_name, description=description)
    print_expiration(made, output)


@ttl.command()
def get(ctx: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show one expiration."""
    print_expiration(client(ctx).expirations.get(key), output)


@ttl.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[str | None, typer.Option(help="A comma list: pending, executing, completed, cancelled.")] = None,
    search: Annotated[str | None, typer.Option(help="An id, or part of a name, description or author.")] = None,
    order_by: Annotated[str, typer.Option(help="A field of the list, - before it for descending.")] = "-updatedAt",
    output: Output = Format.TABLE,
) -> None:
    """List expirations, the last changed first."""
    show_all(
        client(ctx).expirations.list(status=status, search=search, order_by=order_by),
        output,
        ("ID", "STATUS", "EXPIRY", "DATASET", "NAME"),
        lambda each: (each.ttl_id, each.status, each.expiry, each.dataset_name, each.display_name),
    )


@ttl.command()
def update(
    ctx: typer.Context,
    key: Key,
    expiry: Annotated[str | None, typer.Option(help="The new time; it opens a cancelled one again.")] = None,
    display_name: Annotated[str | None, typer.Option("--name", help="What to call the expiration.")] = None,
    description: Annotated[str | None, typer.Option(help="Why.")] = None,
    yes: Yes = False,
    output: Output = Format.TABLE,
) -> None:
    """Change a pending expiration, or open a cancelled one again."""
    lethe = client(ctx)
    if expiry is not None:
        require_somebody(yes=yes)
        if not yes:
            confirm(f"Destroy the dataset of {key} at {expiry}?", yes=yes)
    changed = lethe.expirations.update(key, expiry=expiry, display_name=display_name, description=description)
    print_expiration(changed, output)


@ttl.command()
def cancel(ctx: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Call a pending expiration off; the dataset stays."""
    print_expiration(client(ctx).expirations.cancel(key), output)


@ttl.command()
def retry(ctx: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Take an expiration of which something was given up, up again where it failed."""
    print_expiration(client(ctx).expirations.retry(key), output)


@ttl.command()
def restore(ctx: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Bring the dataset of an executing expiration back, while it can be; the expiration is then cancelled."""
    print_expiration(client(ctx).expirations.restore(key), output)


@ttl.command()
def history(ctx: typer.Context, key: Key, output: Output = Format.TABLE) -> None:
    """Show everything that happened to an expiration, oldest first."""
    show_all(
        client(ctx).expirations.history(key),
        output,
        ("WHAT", "WHEN", "BY", "EXPIRY"),
        lambda each: (each.status, each.updated_at, each.updated_by, each.expiry),
    )


def print_expiration(expiration: Expiration, output: Format) -> None:
    """Print one expiration."""
    facts = {
        "id": expiration.ttl_id,
        "status": expiration.status,
        "expiry": expiration.expiry,
        "dataset": f"{expiration.dataset_name} ({expiration.dataset_id})",
        "name": expiration.display_name,
        "description": expiration.description,
        "changed": expiration.updated_at,
        "by": expiration.updated_by,
        "can be restored until": expiration.destroy_after,
        **{each.product_name: each.product_status for each in expiration.product_status_details},
        **held_by(expiration.held_by),
    }
    show(expiration, output, facts)
