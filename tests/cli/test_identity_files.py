"""Identities from files: every form is read, and what is wrong is said by its line and never by its value."""

import io
import json
import sys
from pathlib import Path

import pytest

from lethe.cli.exits import Misused
from lethe.cli.identity_files import Source

ANN, BEN = "ann@example.com", "ben@example.com"
BOTH = {"Email": [ANN, BEN]}


def read(tmp_path: Path, text: str | bytes, *, form: str = "csv", **options: object) -> dict[str, list[str]]:
    file = tmp_path / "people"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    source = Source(file if form == "csv" else None, file if form == "json" else None, **options)  # type: ignore[arg-type]
    return dict(source.read().by_namespace)


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (f"id\n{ANN}\n{BEN}\n", {"namespace": "Email"}, BOTH),
        (f"\ufeffid\r\n{ANN}\r\n\r\n{BEN}", {"namespace": "Email"}, BOTH),
        (f"{ANN}\n{BEN}\n", {"namespace": "Email", "header": False}, BOTH),
        (f"namespace,since,id\nEmail,2020,{ANN}\nECID,2021,7\n", {}, {"Email": [ANN], "ECID": ["7"]}),
        (f"who,id\n{ANN},1\n", {"namespace": "Email", "column": "who"}, {"Email": [ANN]}),
        ('id\n"a ""quoted"", one\nof two lines"\n', {"namespace": "X"}, {"X": ['a "quoted", one\nof two lines']}),
    ],
)
def test_csv(tmp_path: Path, text: str, options: dict[str, object], expected: dict[str, list[str]]) -> None:
    assert read(tmp_path, text, **options) == expected


@pytest.mark.parametrize(
    ("document", "options", "expected"),
    [
        ([{"namespace": {"code": "Email"}, "id": ANN}, {"namespace": "Email", "id": BEN}], {}, BOTH),
        ({"Email": [ANN], "ECID": ["7"]}, {}, {"Email": [ANN], "ECID": ["7"]}),
        ([ANN, BEN], {"namespace": "Email"}, BOTH),
        ({"datasetId": "d", "identities": [{"namespace": {"code": "Email"}, "id": ANN}]}, {}, {"Email": [ANN]}),
        ({"namespacesIdentities": [{"namespace": {"code": "Email"}, "IDs": [ANN, BEN]}]}, {}, BOTH),
        ({"namespacesIdentities": [{"namespace": {"code": "Email"}, "ids": [ANN, BEN]}]}, {}, BOTH),
    ],
)
def test_json(tmp_path: Path, document: object, options: dict[str, object], expected: dict[str, list[str]]) -> None:
    assert read(tmp_path, json.dumps(document, indent=1), form="json", **options) == expected


def test_json_lines(tmp_path: Path) -> None:
    lines = f'{{"namespace": "Email", "id": "{ANN}"}}\n\n{{"namespace": {{"code": "Email"}}, "id": "{BEN}"}}\n'
    assert read(tmp_path, lines, form="json") == BOTH


@pytest.mark.parametrize("form", ["csv", "json"])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    text = f"id\n{ANN}\n" if form == "csv" else json.dumps([ANN])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    source = Source(Path("-") if form == "csv" else None, Path("-") if form == "json" else None, "Email")
    assert source.is_stdin
    assert source.read().by_namespace == {"Email": [ANN]}


SECRET = "zoe@example.com"


@pytest.mark.parametrize(
    ("form", "text", "options", "said"),
    [
        ("csv", f"{SECRET}\n", {"namespace": "E"}, "line 1: no column is named 'id'"),
        ("csv", f"id\n{SECRET}\n", {}, "line 1: no column is named 'namespace'"),
        ("csv", f"id\n{SECRET}\n  \n{SECRET}\n", {"namespace": "E"}, "line 3: the id is empty"),
        ("csv", f"id,namespace\n{SECRET},E\n{SECRET}\n", {}, "line 3: no namespace is given"),
        ("csv", f'id\n{SECRET}\n"{SECRET}" x\n', {"namespace": "E"}, "line 3: is not CSV"),
        ("csv", f"id\n{SECRET}{'x' * 1_025}\n", {"namespace": "E"}, "line 2: the id has more than 1,024 characters"),
        ("csv", "id\n\xe4\n".encode("latin-1"), {"namespace": "E"}, "line 2: is not UTF-8"),
        ("csv", "id\n", {"namespace": "E"}, "there are no identities"),
        ("csv", "", {"namespace": "E"}, "there are no identities"),
        ("json", f'[\n"{SECRET}",\n{SECRET}]', {"namespace": "E"}, "line 3: is not JSON"),
        ("json", f'{{"id": "{SECRET}", "namespace": "E"}}\n{{"id": "{SECRET}"\n', {}, "line 2: is not JSON"),
        ("json", f'{{"id": "{SECRET}", "namespace": "E"}}\n{{"id": "{SECRET}"}}\n', {}, "line 2: no namespace"),
        ("json", json.dumps([SECRET]), {}, "item 1: no namespace is given"),
        ("json", json.dumps([SECRET, None]), {"namespace": "E"}, "item 2: the id is empty or no text"),
        ("json", json.dumps([f"{SECRET}\ud800"]), {"namespace": "E"}, "item 1: the id is no valid text"),
        ("json", json.dumps([SECRET, 7]), {"namespace": "E"}, "item 2: the id is empty or no text"),
        ("json", json.dumps({"E": SECRET}), {}, "list 1: is not a list of ids"),
        ("json", json.dumps({"E": [SECRET, ""]}), {}, "list 1[1]: the id is empty"),
        ("json", json.dumps({"namespacesIdentities": [{"IDs": [SECRET]}]}), {}, "namespacesIdentities[0].IDs[0]: no"),
        ("json", json.dumps(SECRET), {"namespace": "E"}, "neither a list nor an object"),
    ],
)
def test_what_is_wrong_is_said_by_its_line(
    tmp_path: Path, form: str, text: str | bytes, options: dict[str, object], said: str
) -> None:
    with pytest.raises(Misused) as wrong:
        read(tmp_path, text, form=form, **options)
    assert said in str(wrong.value)
    assert SECRET not in str(wrong.value)


def test_every_wrong_line_is_said_up_to_a_bound(tmp_path: Path) -> None:
    with pytest.raises(Misused) as wrong:
        read(tmp_path, "namespace,id\n" + "Email,\n" * 1_000)
    assert "line 2: " in str(wrong.value)
    assert "line 21: " in str(wrong.value)
    assert "and 980 more" in str(wrong.value)


def test_one_source_is_given() -> None:
    for csv, form in ((None, None), (Path("a"), Path("b"))):
        with pytest.raises(Misused, match="either --csv or --json"):
            Source(csv, form).read()
    with pytest.raises(Misused, match="cannot be read: No such file"):
        Source(Path("/nowhere"), None).read()
