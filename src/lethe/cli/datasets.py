"""`lethe dataset`: which tables there are, and who their rows are about."""

import json
from typing import Annotated

import typer

from lethe.cli.calling import client
from lethe.cli.confirming import Yes, confirm, require_somebody
from lethe.cli.exits import Misused
from lethe.cli.following import Timeout, follow
from lethe.cli.output import Format, Output, show, show_all
from lethe.client import Dataset

dataset = typer.Typer(no_args_is_help=True, help="Datasets: the tables that people are deleted from.")


@dataset.command("list")
def list_(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """List the datasets of the sandbox."""
    show_all(
        client(ctx).datasets.list(),
        output,
        ("ID", "NAME", "FORMAT", "WHERE"),
        lambda each: (each.dataset_id, each.name, each.table.format, where(each)),
    )


@dataset.command("show")
def show_(
    ctx: typer.Context,
    dataset_id: Annotated[str, typer.Argument(help="The dataset's id.")],
    output: Output = Format.TABLE,
) -> None:
    """Show one dataset."""
    print_dataset(client(ctx).datasets.get(dataset_id), output)


@dataset.command(
    epilog="Example:\n\nlethe dataset register Orders --format parquet --location /lake/orders "
    "--identity customer.email --namespace Email"
)
def register(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    table_format: Annotated[str, typer.Option("--format", help="iceberg, delta, parquet or ndjson.")],
    location: Annotated[str | None, typer.Option(help="Where the table is: a path or a URL of the server's.")] = None,
    catalog: Annotated[str | None, typer.Option(help="The catalog of the server's settings that names it.")] = None,
    identifier: Annotated[str | None, typer.Option(help="Its name in that catalog, such as db.events.")] = None,
    identity: Annotated[
        str | None,
        typer.Option(
            help="The field that names a row's person: the names from the root, joined by dots; or a JSON list of them."
        ),
    ] = None,
    namespace: Annotated[str | None, typer.Option(help="The code of that field's namespace, such as Email.")] = None,
    identity_map: Annotated[
        bool, typer.Option("--identity-map", help="Rows have a map of identities instead of one field.")
    ] = False,
    dataset_id: Annotated[str | None, typer.Option("--id", help="Its id; made up when absent.")] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    output: Output = Format.TABLE,
) -> None:
    """Register a table as a dataset. The table itself is not touched."""
    made = client(ctx).datasets.register(
        name,
        format=table_format,
        location=location,
        catalog=catalog,
        identifier=identifier,
        identity=None if identity is None else field_path(identity),
        namespace=namespace,
        identity_map=identity_map,
        dataset_id=dataset_id,
        description=description,
    )
    print_dataset(made, output)


@dataset.command(epilog="To let it expire later instead:\n\nlethe ttl create")
def delete(
    ctx: typer.Context,
    dataset_id: Annotated[str, typer.Argument(help="The dataset's id.")],
    display_name: Annotated[str, typer.Option("--name", help="What to call the work order.")] = "",
    description: Annotated[str, typer.Option(help="Why.")] = "",
    yes: Yes = False,
    wait: Annotated[bool, typer.Option("--wait", help="Follow the work to its end.")] = False,
    timeout: Timeout = None,
    output: Output = Format.TABLE,
) -> None:
    """Destroy a whole dataset now: every row and every file. This cannot be undone."""
    require_somebody(yes=yes)
    lethe = client(ctx)
    found = lethe.datasets.get(dataset_id)
    confirm(f"Destroy the dataset {found.name!r} ({where(found)}) for good?", yes=yes)
    order = lethe.work_orders.delete_dataset(found.dataset_id, display_name=display_name, description=description)
    follow(lethe, [order], output, wait=wait, timeout=timeout)


def field_path(text: str) -> list[str]:
    """The names from the root to a field: joined by dots, or a JSON list where a name holds a dot."""
    if not text.startswith("["):
        return text.split(".")
    try:
        path = json.loads(text)
    except ValueError:
        path = None
    if not isinstance(path, list) or not all(isinstance(name, str) for name in path):
        raise Misused("--identity: is not a JSON list of names")
    return path


def where(found: Dataset) -> str:
    """Where a dataset's table is."""
    table = found.table
    return table.location or f"{table.catalog}: {table.identifier}"


def print_dataset(found: Dataset, output: Format) -> None:
    """Print one dataset."""
    facts = {
        "id": found.dataset_id,
        "name": found.name,
        "description": found.description,
        "state": found.state,
        "format": found.table.format,
        "where": where(found),
        "schema": found.schema_ref.id,
        "created": found.created,
    }
    show(found, output, facts)
