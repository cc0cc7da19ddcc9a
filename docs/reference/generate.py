"""Writes the reference pages that are made from the code: errors, settings, roles, API, commands. `make docs` runs it.

`python docs/reference/generate.py --check` changes nothing, and exits with status 1 when a page is out of date.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from lethe.api.app import all_routes, openapi_document
from lethe.api.resource import Public
from lethe.auth.roles import PERMISSIONS_BY_ROLE, Role
from lethe.cli.exits import Exit
from lethe.cli.main import app
from lethe.contract.error_codes import GATEWAY_CODES, PROBLEM_CODES
from lethe.domain.caller import Permission
from lethe.settings import Settings

HERE = Path(__file__).parent
NEEDS = {Public.PUBLIC: "nothing", Public.SIGNED: "a signed body"}


def errors_page() -> str:
    """Every error that a caller can get."""
    gateway = _table(
        ("Code", "Status", "Message", "What to do"),
        [(f"`{code.code}`", str(code.status), code.message, code.remedy) for code in GATEWAY_CODES],
    )
    problems = _table(
        ("Code", "Status", "Title", "What to do"),
        [(f"`{code.code}`", str(code.status), code.title, code.remedy) for code in PROBLEM_CODES],
    )
    return f"""# Errors

Every error is JSON. None repeats an identity value: an error names the field, and in a list the index.

## Before the service is reached

`{{"error_code": "...", "message": "..."}}`

{gateway}
## By the service

Problem documents (RFC 9457), `application/problem+json`, of type `http://ns.adobe.com/aep/errors/<code>`, with `title`,
`status`, `detail`, `error_code`, `message` (the same text as `detail`), `report.tenantInfo`,
`report.additionalContext` (the field, the index, the figures) and `error-chain`.

{problems}
A 5xx means that nothing was stored: the request can be sent again.
"""


def settings_page() -> str:
    """Every setting."""
    parts = "\n".join(["## Top level\n", *_settings_part(Settings, "")])
    return f"""# Settings

Settings are read once, at start, from `lethe.toml` in the working directory (or the file that `LETHE_CONFIG` names)
and from the environment, which wins: `port = 8081` is `LETHE_PORT=8081`, `burst` of `[limits]` is
`LETHE_LIMITS__BURST`. `lethe config check` says what is wrong with them, `lethe config show` what is in force.

{parts}"""


def permissions_page() -> str:
    """Roles, what they may, and what each route needs."""
    roles = _table(
        ("Role", *(f"`{permission.value}`" for permission in Permission)),
        [_role_row(role) for role in Role],
    )
    routes = _table(
        ("Call", "Needs", "`x-sandbox-name`"),
        [
            (
                f"`{route.method} {route.path}`",
                NEEDS[route.permissions]
                if isinstance(route.permissions, Public)
                else " or ".join(f"`{permission.value}`" for permission in route.permissions),
                route.sandbox_use.value,
            )
            for route in all_routes()
        ],
    )
    return f"""# Roles and permissions

A token carries roles; a role is a set of permissions.

{roles}
Each call needs one permission. `POST /workorder` needs `manage-record-deletes` to delete identities and
`delete-datasets` to delete a dataset.

{routes}"""


def openapi_page() -> str:
    """The OpenAPI document, a line a value, so that a change of it can be read."""
    return json.dumps(openapi_document(), indent=2, ensure_ascii=False) + "\n"


def api_page() -> str:
    """Every call, by resource."""
    by_tag: dict[str, list[tuple[str, ...]]] = {}
    for path, calls in openapi_document()["paths"].items():
        for method, call in calls.items():
            answers = ", ".join(sorted(call["responses"]))
            by_tag.setdefault(call["tags"][0], []).append((f"`{method.upper()} {path}`", call["summary"], answers))
    parts = "\n".join(
        f"## {tag}\n\n{_table(('Call', 'What it does', 'Answers'), rows)}" for tag, rows in by_tag.items()
    )
    return f"""# API

Every call, by resource. [openapi.json](openapi.json) says all of every field, and a running server shows it
interactively at `/docs`. What each call needs: [permissions](permissions.md).
What each error means: [errors](errors.md).

{parts}"""


def cli_page() -> str:
    """Every command of `lethe`, with every option."""
    statuses = _table(("Status", "What it means"), [(f"`{exit_.value}`", exit_.meaning) for exit_ in Exit])
    root = typer.main.get_command(app)
    parts = "\n".join(_command_part(words, command) for words, command in commands(root, ("lethe",)))
    return f"""# Command line

{_paragraphs(root.help)}

{_parameters(root)}
## Exit statuses

{statuses}
{parts}"""


def commands(group: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name), command


def _command_part(words: tuple[str, ...], command: Any) -> str:
    arguments = [f"<{each.name}>" for each in command.params if each.param_type_name == "argument"]
    usage = " ".join([*words, *arguments, "[options]"])
    epilog = f"\n{_paragraphs(command.epilog)}\n" if command.epilog else ""
    return f"## {' '.join(words)}\n\n    {usage}\n\n{_paragraphs(command.help)}\n\n{_parameters(command)}{epilog}"


def _parameters(command: Any) -> str:
    """The arguments and options; `--help` is the same everywhere."""
    rows = []
    for each in command.params:
        if each.name not in {"help", "install_completion", "show_completion"}:
            is_argument = each.param_type_name == "argument"
            name = f"<{each.name}>" if is_argument else ", ".join(each.opts)
            default = "required" if each.required else _cli_default(each.default)
            variable = f" (`{each.envvar}`)" if each.envvar else ""
            rows.append((f"`{name}`", default, f"{each.help or ''}{variable}"))
    return _table(("Option", "Default", "What it is"), rows) if rows else ""


def _cli_default(value: object) -> str:
    return "none" if value in {None, "", False} else f"`{value}`"


def _paragraphs(text: str | None) -> str:
    """A help text; what is a command line stands as one."""
    parts = [" ".join(part.split()) for part in (text or "").split("\n\n")]
    return "\n\n".join(f"    {part}" if part.startswith("lethe ") else part for part in parts)


def _role_row(role: Role) -> tuple[str, ...]:
    has = PERMISSIONS_BY_ROLE[role.value]
    return (f"`{role.value}`", *("yes" if permission in has else "" for permission in Permission))


PAGES = {
    "api.md": api_page,
    "errors.md": errors_page,
    "settings.md": settings_page,
    "permissions.md": permissions_page,
    "cli.md": cli_page,
    "openapi.json": openapi_page,
}


def _settings_part(part: type[BaseModel], path: str) -> Iterator[str]:
    rows, below = [], []
    for name, field in part.model_fields.items():
        nested = _nested(field.annotation)
        if nested is None:
            rows.append((f"`{name}`", _default(field), field.description or ""))
        else:
            model, is_list = nested
            heading = f"{path}.{name}".lstrip(".")
            below.append((f"[[{heading}]]" if is_list else f"[{heading}]", model, heading))
    yield _table(("Setting", "Default", "What it is"), rows)
    for title, model, heading in below:
        yield f"## `{title}`\n\n{(model.__doc__ or '').strip()}\n"
        yield from _settings_part(model, heading)


def _nested(annotation: Any) -> tuple[type[BaseModel], bool] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    if get_origin(annotation) is tuple:
        inner = _nested(get_args(annotation)[0])
        return None if inner is None else (inner[0], True)
    if get_origin(annotation) in {Union, UnionType}:
        return next((found for each in get_args(annotation) if (found := _nested(each)) is not None), None)
    return None


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return ", ".join(f"`{each}`" for each in value) or "none"
    if isinstance(value, tuple):
        return ", ".join(f"`{each}`" for each in value) or "none"
    return f"`{value}`"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> int:
    """Write the pages, or check them."""
    stale = []
    for name, make in PAGES.items():
        path, text = HERE / name, make()
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            stale.append(name)
    for name in stale:
        sys.stderr.write(f"docs/reference/{name} is out of date; `make docs` writes it again.\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
