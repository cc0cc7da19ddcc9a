"""`lethe`: the command."""

from pathlib import Path
from typing import Annotated

import typer

from lethe import __version__
from lethe.cli.audit import audit
from lethe.cli.certificate import certificate
from lethe.cli.config import config, loaded
from lethe.cli.serve import serve as serve_api
from lethe.cli.work import work as carry_out

app = typer.Typer(no_args_is_help=True, pretty_exceptions_show_locals=False, help="Lethe, a Data Hygiene API.")
app.add_typer(config, name="config")
app.add_typer(audit, name="audit")
app.add_typer(certificate, name="certificate")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    *,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Lethe deletes people's records from a lakehouse and proves that they are gone.

    Settings come from lethe.toml (or the file that LETHE_CONFIG names) and from the environment.
    """


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 is any free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the embedded databases and the keys are.")] = None,
) -> None:
    """Serve the API until told to stop."""
    serve_api(loaded(host=host, port=port, data_dir=data_dir))


@app.command()
def worker(
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many tasks to carry out at once.")] = 1,
    data_dir: Annotated[Path | None, typer.Option(help="Where the embedded databases and the keys are.")] = None,
) -> None:
    """Carry accepted work out, beside or without `lethe serve`, until told to stop."""
    carry_out(loaded(data_dir=data_dir), workers)


def run() -> None:
    """Run the command line."""
    app()
