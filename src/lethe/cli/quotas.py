"""`lethe quota`: what is consumed, and of how much."""

import typer

from lethe.cli.calling import client
from lethe.cli.output import Format, Output, show_all


def quota(ctx: typer.Context, output: Output = Format.TABLE) -> None:
    """Show the organization's quotas: what is consumed, and of how much."""
    show_all(
        client(ctx).quota(),
        output,
        ("QUOTA", "CONSUMED", "OF", "LEFT"),
        lambda each: (each.name, each.consumed, each.quota, each.left),
    )
