"""`lethe doctor`: whether this installation can do its work."""

from typing import Annotated

import typer

from lethe.cli.calling import CLIENT_VARIABLES
from lethe.cli.config import read
from lethe.cli.exits import Exit
from lethe.cli.output import Format, Output, say, show_json, show_table
from lethe.settings import Settings, unknown_variables


def doctor(
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Write no probe file to the tables' locations.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Look at settings, database, catalogs, every table's location and the products, and say what to do.

    Exits with status 1 when something fails. To see whether deleting is allowed, a probe file is written to each
    table's location and removed again.
    """
    from lethe.wiring.examination import Finding, Verdict, examine

    settings = read()
    if isinstance(settings, Settings):
        found = list(examine(settings, read_only=read_only))
    else:
        remedy = "`lethe config check`; every setting: docs/reference/settings.md"
        found = [Finding("settings", "", Verdict.FAILED, line, remedy) for line in settings]
    found += [
        Finding(
            "settings",
            name,
            Verdict.WARNING,
            "is in the environment, and no setting has this name",
            "check its spelling",
        )
        for name in unknown_variables(CLIENT_VARIABLES)
    ]
    if output is Format.JSON:
        show_json(
            [
                {
                    "area": each.area,
                    "subject": each.subject,
                    "verdict": each.verdict.value,
                    "detail": each.detail,
                    "remedy": each.remedy,
                }
                for each in found
            ]
        )
    else:
        show_table(
            ("", "AREA", "WHICH", "HOW IT IS", "WHAT TO DO"),
            ((each.verdict.value, each.area, each.subject, each.detail, each.remedy) for each in found),
        )
    failed = sum(each.verdict is Verdict.FAILED for each in found)
    say(f"{failed} of {len(found)} checks failed." if failed else f"All {len(found)} checks hold.")
    if failed:
        raise typer.Exit(Exit.FAILED)
