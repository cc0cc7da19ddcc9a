"""What `lethe demo`, `lethe init-demo` and `lethe serve --demo` do: make the world, walk through it, serve it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from lethe.cli.config import loaded
from lethe.cli.exits import Exit, Misused
from lethe.cli.output import say
from lethe.cli.serve import serve
from lethe.client import Lethe as Client
from lethe.client.connection import TOKEN, URL
from lethe.clock import SystemIds
from lethe.demo.furnishing import furnish
from lethe.demo.serving import DidNotStart, serving
from lethe.demo.telling import DoesNotHold, Teller
from lethe.demo.tour import walk
from lethe.demo.world import CLIENT, World
from lethe.settings import CONFIG_VARIABLE, Settings
from lethe.wiring import Lethe, running


def walk_through(directory: Path | None) -> None:
    """Make a world, serve it, walk through it and say whether everything held."""
    tell = Teller()
    with _directory(directory) as place:
        world = World(place)
        try:
            tell.chapter("A small world: six datasets, an identity graph, profiles and journeys")
            world.make(tell.say)
            with serving(world) as url:
                tell.say(f"Lethe listens on {url}.")
                with Client.from_environment(world.env_file) as client:
                    walk(world, client, tell)
        except DoesNotHold as error:
            say(f"This does not hold: {error}.")
            raise typer.Exit(Exit.FAILED) from error
        except DidNotStart as error:
            say(f"lethe serve did not start:\n{error}")
            raise typer.Exit(Exit.FAILED) from error
    tell.chapter("Everything holds.")
    tell.say("Next: `make serve` (or `lethe serve --demo`) serves such a world for your own client;")
    tell.say("docs/quick-start.md points Lethe at your own tables.")


def make(directory: Path) -> None:
    """Make a world that nobody serves yet."""
    world = _made(directory)
    with running(_settings(world)) as lethe:
        _furnish(world, lethe)
    say(f"{world.directory} is made. Serve it: lethe serve --demo --data-dir {world.directory}")


def serve_world(directory: Path, host: str | None, port: int | None) -> None:
    """Serve the world of this directory, made when it is missing, and keep its lethe.env up to date."""
    world = World(directory.resolve())
    if not world.exists:
        world = _made(directory)

    def tell(lethe: Lethe, url: str) -> None:
        _furnish(world, lethe)
        world.write_variables({URL: url, TOKEN: _token(world, lethe)})
        say(f"Lethe listens on {url}. Its API documentation: {url}/docs")
        say(f"Point a client at it: set -a; . {world.env_file}; set +a")
        say(f"Here an expiry need not be 24 hours ahead, and bundles close at once; to change that: {world.config}")

    serve(_settings(world, host=host, port=port), tell)


@contextmanager
def _directory(chosen: Path | None) -> Iterator[Path]:
    """The directory that was chosen, or one that goes at the end."""
    if chosen is not None:
        yield _empty(chosen)
        return
    with tempfile.TemporaryDirectory(prefix="lethe-demo-") as name:
        yield Path(name).resolve()


def _made(directory: Path) -> World:
    world = World(_empty(directory))
    world.make(say)
    return world


def _empty(directory: Path) -> Path:
    """The absolute directory, if a world can be made there. Raises Misused: what somebody else keeps there stays."""
    if World(directory).exists:
        raise Misused(f"{directory} holds settings already; choose another directory")
    if directory.is_dir() and any(directory.iterdir()) and not World(directory).lake.is_dir():
        raise Misused(f"{directory} is not empty; choose another directory")
    return directory.resolve()


def _settings(world: World, **overrides: object) -> Settings:
    """The settings of the world's file."""
    os.environ[CONFIG_VARIABLE] = str(world.config)
    return loaded(data_dir=world.directory, **overrides)


def _furnish(world: World, lethe: Lethe) -> None:
    furnish(world, lethe.store, lethe.organizations, SystemIds(), lethe.settings.data_dir)


def _token(world: World, lethe: Lethe) -> str:
    """A token of the world's client, for tools that cannot fetch one."""
    return lethe.services.issuer.issue(CLIENT, world.variables()["LETHE_CLIENT_SECRET"], ()).value
