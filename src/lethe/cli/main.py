"""`lethe`: the command."""

from pathlib import Path
from typing import Annotated

import typer

from lethe import __version__
from lethe.cli.audit import audit
from lethe.cli.calling import ENV_FILE, Caller
from lethe.cli.certificate import certificate
from lethe.cli.config import config, loaded
from lethe.cli.datasets import dataset
from lethe.cli.demo import demo, init_demo
from lethe.cli.discovering import discover
from lethe.cli.doctor import doctor
from lethe.cli.exits import Commands
from lethe.cli.expirations import ttl
from lethe.cli.namespaces import namespace
from lethe.cli.quotas import quota
from lethe.cli.verifying import verify
from lethe.cli.webhooks import webhook
from lethe.cli.work_orders import workorder

app = typer.Typer(cls=Commands, no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_show_locals=False)
app.add_typer(workorder, name="workorder")
app.add_typer(ttl, name="ttl")
dataset.command(epilog="Example:\n\nlethe dataset discover /lake")(discover)
app.add_typer(dataset, name="dataset")
app.add_typer(namespace, name="namespace")
app.command()(demo)
app.command()(init_demo)
app.command()(verify)
app.command()(quota)
app.add_typer(webhook, name="webhook")
app.add_typer(certificate, name="certificate")
app.add_typer(audit, name="audit")
app.command()(doctor)
app.add_typer(config, name="config")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    *,
    env_file: Annotated[
        Path | None,
        typer.Option(envvar=ENV_FILE, help="A file of the variables below, such as data/lethe.env."),
    ] = None,
    sandbox: Annotated[str | None, typer.Option(help="The sandbox to call, instead of LETHE_SANDBOX.")] = None,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
) -> None:
    """Lethe deletes people's records from a lakehouse and proves that they are gone.

    Verbs that call a server find it by LETHE_URL, LETHE_ORG, LETHE_API_KEY, LETHE_CLIENT_SECRET or LETHE_TOKEN, and
    LETHE_SANDBOX. A server's own verbs (serve, worker, config, audit, doctor) take their settings from lethe.toml, or
    the file that LETHE_CONFIG names, and from the environment.
    """
    ctx.obj = Caller(env_file, sandbox)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0 is any free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Where the embedded databases and the keys are.")] = None,
    demo_world: Annotated[
        bool, typer.Option("--demo", help="Serve the demonstration world of the data directory, made when missing.")
    ] = False,
) -> None:
    """Serve the API until told to stop."""
    if demo_world:
        from lethe.cli.demo_world import serve_world

        serve_world(data_dir or Path("data"), host, port)
        return
    from lethe.cli.serve import serve as serve_api

    serve_api(loaded(host=host, port=port, data_dir=data_dir))


@app.command()
def worker(
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many tasks to carry out at once.")] = 1,
    data_dir: Annotated[Path | None, typer.Option(help="Where the embedded databases and the keys are.")] = None,
) -> None:
    """Carry accepted work out, beside or without `lethe serve`, until told to stop."""
    from lethe.cli.work import work as carry_out

    carry_out(loaded(data_dir=data_dir), workers)


def run() -> None:
    """Run the command line."""
    app()
