"""`lethe dataset discover`: which tables there are to register.

This looks where the server's settings are and with their credentials, not over the wire: an endpoint that opens any
place that it is told of would let whoever administers one organization look around in the lakes of all.
"""

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lethe.cli.config import loaded
from lethe.cli.exits import Misused
from lethe.cli.output import Format, Output, show_json, show_table

if TYPE_CHECKING:
    from lethe.engines.discovery.location import FoundTable


def discover(
    location: Annotated[
        str | None, typer.Argument(help="Where to look: a directory, or a URL of an object store of the settings.")
    ] = None,
    catalog: Annotated[
        str | None, typer.Option(help="An Iceberg catalog of the settings to look into instead.")
    ] = None,
    output: Output = Format.TABLE,
) -> None:
    """Find tables under a location or in a catalog, and propose how to register them.

    Looks at the tables' files and schemas on this machine, with the settings of the server; nothing is changed. The
    fields that may name a person are guessed by their names: check them before you register.
    """
    from lethe.wiring.discovery import NothingFound, tables_in, tables_under

    if (location is None) == (catalog is None):
        raise Misused("give either a location or --catalog")
    try:
        tables = tables_under(loaded(), location) if location is not None else tables_in(loaded(), catalog or "")
    except NothingFound as error:
        raise Misused(str(error)) from error
    if output is Format.JSON:
        show_json([_body(table) for table in tables])
        return
    show_table(("FORMAT", "WHERE", "FILES", "BYTES", "MAY NAME A PERSON"), map(_row, tables))
    for table in tables:
        typer.echo(f"\n{_command(table)}")


def _row(table: "FoundTable") -> Sequence[object]:
    named = ", ".join(f"{'.'.join(each.path)} ({each.namespace or 'your own'})" for each in table.candidates)
    return (
        table.format.value,
        f"{table.catalog}: {table.identifier}" if table.catalog else table.location,
        table.files,
        table.size_bytes,
        table.problem or ("identityMap" if table.has_identity_map and not named else named) or "nothing",
    )


def _command(table: "FoundTable") -> str:
    """The command that registers the table, or why there is none."""
    if table.problem is not None:
        return f"# {table.location or table.identifier}: {table.problem}"
    if table.format.value == "iceberg" and table.catalog is None:
        return f"# {table.location}: an Iceberg table is registered by its catalog: lethe dataset discover --catalog …"
    words = ["lethe", "dataset", "register", _name(table), "--format", table.format.value]
    words += _options({"--catalog": table.catalog, "--identifier": table.identifier} if table.catalog else {})
    words += _options({"--location": table.location} if not table.catalog else {})
    schema = _schema(table)
    if "primaryIdentity" in schema:
        primary = schema["primaryIdentity"]
        dotted = any("." in name or name.startswith("[") for name in primary["path"])
        path = _json_path(primary["path"]) if dotted else ".".join(primary["path"])
        words += ["--identity", path, "--namespace", primary["namespace"]]
    elif schema.get("identityMap"):
        words.append("--identity-map")
    return shlex.join(words)


def _options(options: dict[str, str | None]) -> list[str]:
    return [word for name, value in options.items() if value is not None for word in (name, value)]


def _json_path(path: Sequence[str]) -> str:
    return json.dumps(list(path), ensure_ascii=False)


def _body(table: "FoundTable") -> dict[str, Any]:
    """The body of `POST /data/foundation/catalog/dataSets`, and what it is made from."""
    named = (
        {"catalog": table.catalog, "identifier": table.identifier} if table.catalog else {"location": table.location}
    )
    return {
        "dataset": {
            "name": _name(table),
            "schema": {"title": _name(table), **_schema(table)},
            "table": {"format": table.format.value, **named},
        },
        "files": table.files,
        "sizeBytes": table.size_bytes,
        "candidates": [{"path": list(each.path), "namespace": each.namespace} for each in table.candidates],
        "problem": table.problem,
    }


def _schema(table: "FoundTable") -> dict[str, Any]:
    """The identity of the rows: the likeliest candidate of a standard namespace, or the map, or nothing."""
    for each in table.candidates:
        if each.namespace is not None:
            return {"primaryIdentity": {"path": list(each.path), "namespace": each.namespace}}
    return {"identityMap": True} if table.has_identity_map else {}


def _name(table: "FoundTable") -> str:
    return (table.identifier or table.location.rstrip("/")).rpartition("/")[2].rpartition(".")[2] or "table"
