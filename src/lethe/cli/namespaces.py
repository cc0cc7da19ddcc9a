"""`lethe namespace`: what kinds of identities there are."""

from typing import Annotated

import typer

from lethe.cli.calling import client
from lethe.cli.output import Format, Output, show, show_all

namespace = typer.Typer(no_args_is_help=True, help="Identity namespaces: what kinds of identities there are.")


@namespace.command("list")
def list_(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """List the standard namespaces and the organization's own."""
    show_all(
        client(ctx).namespaces.list(),
        output,
        ("CODE", "ID", "NAME", "CUSTOM", "CASE MATTERS"),
        lambda each: (each.code, str(each.id), each.name, each.custom, not each.case_insensitive),
    )


@namespace.command(epilog="Example:\n\nlethe namespace create TailNumber --name 'Tail number'")
def create(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="The code by which requests name it.")],
    name: Annotated[str, typer.Option(help="What people call it; the code when absent.")] = "",
    case_insensitive: Annotated[
        bool, typer.Option("--case-insensitive", help="Compare its ids without regard to case.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Create a namespace of the organization's own."""
    made = client(ctx).namespaces.create(code, name, case_insensitive=case_insensitive)
    show(made, output, {"code": made.code, "id": str(made.id), "name": made.name})
