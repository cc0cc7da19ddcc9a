"""Where the verbs call: the root's options, and the client that they make."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer

from lethe.client import VARIABLES, Lethe

ENV_FILE: Final = "LETHE_ENV_FILE"
CLIENT_VARIABLES: Final = (*VARIABLES, ENV_FILE)
"""The variables that verbs over the wire read."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What the root's options say about the server."""

    env_file: Path | None
    sandbox: str | None


def client(ctx: typer.Context) -> Lethe:
    """The client of this invocation; closed when the verb ends. Raises NotConfigured."""
    caller: Caller = ctx.find_root().obj
    lethe = Lethe.from_environment(caller.env_file, sandbox=caller.sandbox)
    ctx.call_on_close(lethe.close)
    return lethe
