"""`lethe audit`: check that the audit trail is whole."""

import typer

from lethe.cli.config import loaded
from lethe.cli.output import Format, Output, show_json
from lethe.domain.audit import first_break

audit = typer.Typer(no_args_is_help=True, help="Check the audit trail.")


@audit.command()
def verify(output: Output = Format.TABLE) -> None:
    """Walk the chain of audit records; exit with status 1 where it is broken, and 2 where it cannot be read."""
    from lethe.wiring import open_store

    store = open_store(loaded())
    try:
        problem = store.health().problem
        if problem is not None:
            typer.echo(f"The audit trail cannot be read: {problem}.", err=True)
            raise typer.Exit(2)
        with store.read() as tx:
            head = tx.audit.head()
            broken = first_break(tx.audit.records(), head)
    finally:
        store.close()
    if output is Format.JSON:
        where = {} if broken is None else {"sequence": broken.sequence, "reason": broken.reason}
        show_json({"whole": broken is None, "records": head[0], "lastHash": head[1], **where})
        raise typer.Exit(0 if broken is None else 1)
    if broken is not None:
        typer.echo(f"The audit trail is broken at record {broken.sequence}: {broken.reason}.")
        raise typer.Exit(1)
    typer.echo(f"The audit trail is whole: {head[0]} records, the last with hash {head[1]}.")
