"""Identities from a file or standard input, as CSV or JSON. What is wrong is said by its line, never by its value.

CSV has a header line that names its columns: `id`, and `namespace` unless one namespace is given for all. JSON is one
of: a list of `{"namespace": {"code": "Email"}, "id": "…"}` (or `"namespace": "Email"`), an object of lists by namespace
code, a list of ids with one namespace given for all, the body of `POST /workorder`; or one such object a line.
"""

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from lethe.cli.exits import Misused
from lethe.client.identities import problem_of

Csv = Annotated[Path | None, typer.Option("--csv", help="A CSV file of the identities, or - for standard input.")]
Json = Annotated[Path | None, typer.Option("--json", help="A JSON file of the identities, or - for standard input.")]
NamespaceCode = Annotated[
    str | None, typer.Option("--namespace", "-n", help="The namespace of all ids, such as Email.")
]
Column = Annotated[str, typer.Option(help="The CSV's column that holds the ids.")]
NoHeader = Annotated[
    bool, typer.Option("--no-header", help="The CSV's first line is an id already, and its first column the ids.")
]

FILE_BYTES_MAX: Final = 1024**3
_PROBLEMS_SHOWN: Final = 20
_NAMESPACE_LENGTH_MAX: Final = 100

Found = tuple[str, object, object]
"""Where an identity stands, its namespace, its id; the last two as they were read."""


@dataclass(frozen=True, slots=True)
class GivenIdentities:
    """Ids by namespace code, as they were given."""

    by_namespace: Mapping[str, list[str]] = field(repr=False)

    @property
    def count(self) -> int:
        """How many there are, repetitions included."""
        return sum(map(len, self.by_namespace.values()))


@dataclass(frozen=True, slots=True)
class Source:
    """Where identities come from, as the options say."""

    csv: Path | None
    json: Path | None
    namespace: str | None = None
    column: str = "id"
    header: bool = True

    @property
    def is_stdin(self) -> bool:
        """Whether it is standard input."""
        return str(self.csv or self.json) == "-"

    def read(self) -> GivenIdentities:
        """Read them all. Raises Misused, with every line that is wrong."""
        if (self.csv is None) == (self.json is None):
            raise Misused("give the identities with either --csv or --json; a file, or - for standard input")
        text = _text(self.csv or self.json or Path("-"))
        found = _csv(text, self) if self.csv is not None else _json(text, self)
        return _checked(found)


def _text(path: Path) -> str:
    try:
        data = sys.stdin.buffer.read(FILE_BYTES_MAX + 1) if str(path) == "-" else _file(path)
    except OSError as error:
        raise Misused(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > FILE_BYTES_MAX:
        raise Misused(f"{path}: has more than {FILE_BYTES_MAX // 1024**2:,} MB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Misused(f"{path}: line {line}: is not UTF-8") from None


def _file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


def _csv(text: str, source: Source) -> Iterator[Found]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names: list[str] = [source.column] if not source.header else []
    try:
        for row in reader:
            if not row:
                continue
            if not names:
                names = [name.strip() for name in row]
                _require_columns(names, source)
                continue
            cells = dict(zip(names, row, strict=False))
            yield f"line {reader.line_num}", source.namespace or cells.get("namespace"), cells.get(source.column)
    except csv.Error as error:
        raise Misused(f"line {reader.line_num}: is not CSV: {error}") from None


def _require_columns(names: list[str], source: Source) -> None:
    """The header is not repeated in the message: without --no-header it may be an identity."""
    if source.column not in names:
        raise Misused(
            f"line 1: no column is named {source.column!r}; name the one that holds the ids with --column, or say "
            "--no-header when the first line is an id already"
        )
    if source.namespace is None and "namespace" not in names:
        raise Misused("line 1: no column is named 'namespace'; add it, or give one for all ids with --namespace")


def _json(text: str, source: Source) -> Iterator[Found]:
    try:
        document = json.loads(text)
    except ValueError as error:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if len(lines) < 2 or not lines[0][1].lstrip().startswith("{"):  # noqa: PLR2004 - one line is no list of lines
            raise Misused(_not_json(error, 0)) from None
        yield from _json_lines(lines, source)
        return
    yield from _document(document, source)


def _json_lines(lines: Iterable[tuple[int, str]], source: Source) -> Iterator[Found]:
    for number, line in lines:
        try:
            one = json.loads(line)
        except ValueError as error:
            raise Misused(_not_json(error, number - 1)) from None
        yield from _one(f"line {number}", one, source)


def _not_json(error: ValueError, lines_before: int) -> str:
    at = error.lineno + lines_before if isinstance(error, json.JSONDecodeError) else lines_before + 1
    return f"line {at}: is not JSON"


def _document(document: object, source: Source) -> Iterator[Found]:
    match document:
        case {"namespacesIdentities": list(groups)}:
            for number, group in enumerate(groups):
                ids = group.get("IDs", group.get("ids")) if isinstance(group, dict) else None
                yield from _ids(f"namespacesIdentities[{number}].IDs", _code(group, source), ids)
        case {"identities": list(listed)}:
            yield from _document(listed, source)
        case dict():
            for position, (code, ids) in enumerate(document.items(), 1):
                yield from _ids(f"list {position}", code, ids)
        case list():
            for index, one in enumerate(document):
                yield from _one(f"item {index + 1}", one, source)
        case _:
            raise Misused("the JSON is neither a list nor an object")


def _ids(where: str, code: object, ids: object) -> Iterator[Found]:
    if not isinstance(ids, list):
        raise Misused(f"{where}: is not a list of ids")
    for index, value in enumerate(ids):
        yield f"{where}[{index}]", code, value


def _one(where: str, one: object, source: Source) -> Iterator[Found]:
    if isinstance(one, dict):
        yield where, _code(one, source), one.get("id")
    else:
        yield where, source.namespace, one


def _code(one: Any, source: Source) -> object:
    namespace = one.get("namespace") if isinstance(one, dict) else None
    return source.namespace or (namespace.get("code") if isinstance(namespace, dict) else namespace)


def _checked(found: Iterable[Found]) -> GivenIdentities:
    by_namespace: dict[str, list[str]] = {}
    problems = []
    for where, namespace, value in found:
        problem = problem_of(value)
        if not isinstance(namespace, str) or not 0 < len(namespace.strip()) <= _NAMESPACE_LENGTH_MAX:
            problems.append(f"{where}: no namespace is given, here or with --namespace")
        elif problem is not None:
            problems.append(f"{where}: {problem}")
        else:
            by_namespace.setdefault(namespace.strip(), []).append(str(value))
    if problems:
        more = len(problems) - _PROBLEMS_SHOWN
        shown = problems[:_PROBLEMS_SHOWN] + ([f"and {more:,} more"] if more > 0 else [])
        raise Misused("nothing was sent, the identities cannot be used:\n  " + "\n  ".join(shown))
    if not by_namespace:
        raise Misused("there are no identities")
    return GivenIdentities(by_namespace)
