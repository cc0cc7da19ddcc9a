"""`lethe config`: check the settings, show them, start a file, make a client secret."""

import hashlib
import secrets
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from lethe.cli.calling import CLIENT_VARIABLES
from lethe.settings import Settings, config_path, load, unknown_variables

config = typer.Typer(no_args_is_help=True, help="Check the settings, show them, start a file, make a client secret.")

_STARTER: Final = """\
# Settings of Lethe. Every setting: docs/reference/settings.md

data_dir = "data"

[[orgs]]
id = "{org}"

[[orgs.sandboxes]]
name = "prod"
title = "Production"
type = "production"
is_default = true

[[orgs.sandboxes]]
name = "dev"
title = "Development"

[[clients]]
id = "{client}"
secret_sha256 = "{digest}"
name = "Administrator"
email = "administrator@localhost"
orgs = ["{org}"]
roles = ["administrator"]
"""


def read(**overrides: object) -> Settings | list[str]:
    """Read the settings, or everything that is wrong with them, a line each; no line repeats a value.

    An override that is None counts for nothing.
    """
    try:
        return load(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        return list(_lines(error))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [f"{config_path()}: {error}"]
    except (SettingsError, FileNotFoundError) as error:
        return [str(error)]


def loaded(**overrides: object) -> Settings:
    """Read the settings, or say what is wrong with them and exit with status 2."""
    settings = read(**overrides)
    if isinstance(settings, Settings):
        return settings
    for line in settings:
        typer.echo(line, err=True)
    typer.echo("The settings are not usable; `lethe config check` explains.", err=True)
    raise typer.Exit(2)


@config.command()
def check() -> None:
    """Say whether the settings are usable, and what is wrong with which."""
    settings = read()
    if not isinstance(settings, Settings):
        for line in settings:
            typer.echo(line)
        raise typer.Exit(2)
    path = config_path()
    typer.echo(f"{path if path.is_file() else 'No settings file'}: the settings are usable.")
    for name in unknown_variables(CLIENT_VARIABLES):
        typer.echo(f"Warning: {name} is set in the environment, and no setting has this name.")
    if not settings.orgs:
        typer.echo("Warning: no [[orgs]] are configured, so nobody can call. Start with `lethe config init`.")
    if not settings.clients and not settings.trusted_issuers:
        typer.echo("Warning: neither [[clients]] nor [[trusted_issuers]] are configured, so nobody gets a token.")


@config.command()
def show() -> None:
    """Show the settings in force, from file, environment and defaults, as JSON; secrets are hidden."""
    typer.echo(loaded().model_dump_json(indent=2))


@config.command()
def secret() -> None:
    """Make a client secret, and the digest of it that the settings take."""
    value, digest = _secret()
    typer.echo(f"client secret (give it to the client, it is shown once): {value}")
    typer.echo(f"secret_sha256 (put it into [[clients]]):               {digest}")


@config.command()
def init(
    path: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")] = Path("lethe.toml"),
    org: Annotated[str, typer.Option(help="The organization's id.")] = "LETHE@LocalOrg",
    client: Annotated[str, typer.Option(help="The administrator's client id.")] = "lethe-admin",
) -> None:
    """Start a settings file with one organization and one administrator, whose secret is shown once."""
    value, digest = _secret()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        typer.echo(f"{path} exists already; nothing was changed.", err=True)
        raise typer.Exit(1) from None
    path.write_text(_STARTER.format(org=org, client=client, digest=digest))
    typer.echo(f"Wrote {path}.")
    typer.echo(f"x-gw-ims-org-id: {org}")
    typer.echo(f"client id:       {client}")
    typer.echo(f"client secret:   {value}   (shown once)")


def _secret() -> tuple[str, str]:
    value = secrets.token_urlsafe(32)
    return value, hashlib.sha256(value.encode()).hexdigest()


def _lines(error: ValidationError) -> Iterator[str]:
    for found in error.errors(include_input=False, include_url=False, include_context=False):
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in found["loc"]).lstrip(".")
        yield f"{where or 'settings'}: {found['msg'].removeprefix('Value error, ')}"
