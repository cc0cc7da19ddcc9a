"""Bad input: each with its own clear answer, which never repeats what was sent; nothing is stored, no quota spent."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lethe.api.services import EdgeLimits
from lethe.storage.store import SqlStore
from support.api import EMAILS, HYGIENE, MAPPED, World
from support.values import ORG

from .conftest import MakeWorld
from .refusals import refused

SECRET = "jörg.müller@example.com"
"""The identity that no answer may repeat."""

ONE = {"namespace": {"code": "email"}, "id": SECRET}
LIST = {"namespace": {"code": "email"}, "IDs": [SECRET]}
GOOD = {"datasetId": EMAILS, "identities": [ONE]}


def post(world: World, body: object, path: str = "/workorder", **headers: str) -> Any:
    """Send a body: bytes as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    chosen = world.headers() | {"Content-Type": "application/json"} | headers
    url = path if path.startswith("/data") else HYGIENE + path
    response = world.client.post(url, content=content, headers=chosen)
    assert SECRET not in response.text
    return response


def stored_nothing(world: World) -> bool:
    quotas = world.call("GET", "/quota").json()["quotas"]
    with world.store.read() as tx:
        audited = tx.audit.head()[0]
    return (
        world.orders() == [] == world.expirations() and not any(quota["consumed"] for quota in quotas) and not audited
    )


# What is no JSON

NOT_JSON: dict[str, bytes] = {
    "empty": b"",
    "half an object": b'{"datasetId": "a"',
    "trailing comma": b'{"datasetId": "a",}',
    "trailing text": b'{"datasetId": "a"} x',
    "two documents": b'{"datasetId": "a"}{"datasetId": "a"}',
    "single quotes": b"{'datasetId': 'a'}",
    "comment": b'{"datasetId": "a" /* all */}',
    "blank": b" \n\t ",
    "NUL": b"\0",
    "control character in a text": b'{"datasetId": "a\nb"}',
    "bad escape": b'{"datasetId": "\\x41"}',
    "half an escape": b'{"datasetId": "\\u12"}',
    "not UTF-8": b'{"datasetId": "\xff\xfe"}',
    "latin-1": '{"datasetId": "é"}'.encode("latin-1"),
    "overlong UTF-8": b'{"datasetId": "\xc0\x80"}',
    "a surrogate in UTF-8": b'{"datasetId": "\xed\xa0\x80"}',
    "byte order mark": b'\xef\xbb\xbf{"datasetId": "a"}',
    "UTF-16": '{"datasetId": "a"}'.encode("utf-16"),
    "a lone high surrogate": b'{"datasetId": "\\ud800"}',
    "a lone low surrogate": b'{"datasetId": "\\udc00"}',
    "surrogates the wrong way round": b'{"datasetId": "\\udc00\\ud800"}',
    "a form": b"datasetId=a",
    "XML": b"<datasetId>a</datasetId>",
    "NaN": b'{"datasetId": NaN}',
    "infinity": b'{"datasetId": -Infinity}',
    "a leading zero": b'{"datasetId": 01}',
}


@pytest.mark.parametrize("case", NOT_JSON)
def test_what_is_no_json(sqlite_world: World, case: str) -> None:
    for path in ("/workorder", "/ttl", "/jobs"):
        assert post(sqlite_world, NOT_JSON[case], path).status_code == 400, path
        if case not in {"NaN", "infinity", "a leading zero"}:
            refused(post(sqlite_world, NOT_JSON[case], path), 400, "1001")
    assert stored_nothing(sqlite_world)


def test_an_answer_says_where_json_ends(sqlite_world: World) -> None:
    assert "at line 2 column 1" in post(sqlite_world, b'{"datasetId": "a",\n}', "/ttl").json()["detail"]


@pytest.mark.parametrize("bad", [b'"\\ud800"', b'"a\\udfffb"', b'"\\ud83d"'])
def test_half_a_character_in_an_identity(world: World, bad: bytes) -> None:
    objects = b'{"datasetId": "%s", "identities": [{"namespace": {"code": "email"}, "id": %s}]}' % (
        EMAILS.encode(),
        bad,
    )
    lists = b'{"datasetId": "%s", "namespacesIdentities": [{"namespace": {"id": 6}, "IDs": [%s]}]}' % (
        EMAILS.encode(),
        bad,
    )
    for body in (objects, lists):
        refused(post(world, body), 400, "1001")
    assert stored_nothing(world)


@pytest.mark.parametrize("opened", ["[", '{"a":', '{"identities":[', '[{"users":'])
@pytest.mark.parametrize("path", ["/workorder", "/ttl", "/jobs", "/data/foundation/catalog/dataSets"])
def test_deep_nesting(sqlite_world: World, path: str, opened: str) -> None:
    for depth in (200, 5_000, 200_000):
        assert post(sqlite_world, opened.encode() * depth, path).status_code == 400


def test_deep_nesting_that_is_closed_again(sqlite_world: World) -> None:
    for depth in (300, 100_000):
        assert post(sqlite_world, b"[" * depth + b"]" * depth, "/ttl").status_code == 400
        nested = b'{"datasetId": "a", "expiry": ' + b"[" * depth + b"]" * depth + b"}"
        assert post(sqlite_world, nested, "/ttl").status_code == 400
        assert post(sqlite_world, b'{"identities": ' + b"[" * depth + b"]" * depth + b"}").status_code == 400


# Wrong types, at every place

WRONG: dict[str, list[Any]] = {
    "text": [7, 1.5, True, ["a"], {"a": "b"}],
    "list": [7, "a", True, {"a": "b"}],
    "object": [7, "a", True, ["a"], None],
    "number": ["6", 6.5, True, [6], {"a": 6}],
}
PLACES: list[tuple[str, str, Any]] = [
    ("datasetId", "text", lambda bad: GOOD | {"datasetId": bad}),
    ("action", "text", lambda bad: GOOD | {"action": bad}),
    ("displayName", "text", lambda bad: GOOD | {"displayName": bad}),
    ("description", "text", lambda bad: GOOD | {"description": bad}),
    ("identities", "list", lambda bad: GOOD | {"identities": bad}),
    ("identities[1]", "object", lambda bad: GOOD | {"identities": [ONE, bad]}),
    ("identities[1].namespace", "object", lambda bad: GOOD | {"identities": [ONE, {"namespace": bad, "id": SECRET}]}),
    ("identities[0].namespace.code", "text", lambda bad: GOOD | {"identities": [ONE | {"namespace": {"code": bad}}]}),
    ("identities[0].namespace.id", "number", lambda bad: GOOD | {"identities": [ONE | {"namespace": {"id": bad}}]}),
    ("identities[2].id", "text", lambda bad: GOOD | {"identities": [ONE, ONE, ONE | {"id": bad}]}),
    ("namespacesIdentities", "list", lambda bad: {"datasetId": EMAILS, "namespacesIdentities": bad}),
    ("namespacesIdentities[1]", "object", lambda bad: {"datasetId": EMAILS, "namespacesIdentities": [LIST, bad]}),
    (
        "namespacesIdentities[0].namespace",
        "object",
        lambda bad: {"datasetId": EMAILS, "namespacesIdentities": [LIST | {"namespace": bad}]},
    ),
    (
        "namespacesIdentities[0].IDs",
        "list",
        lambda bad: {"datasetId": EMAILS, "namespacesIdentities": [LIST | {"IDs": bad}]},
    ),
    (
        "namespacesIdentities[1].IDs[1]",
        "text",
        lambda bad: {"datasetId": EMAILS, "namespacesIdentities": [LIST, LIST | {"IDs": [SECRET, bad]}]},
    ),
    ("targetServices", "list", lambda bad: GOOD | {"datasetId": "ALL", "targetServices": bad}),
    ("targetServices[1]", "text", lambda bad: GOOD | {"datasetId": "ALL", "targetServices": ["identity", bad]}),
]


@pytest.mark.parametrize(("field", "kind", "body"), PLACES, ids=[place[0] for place in PLACES])
def test_a_wrong_type_is_named_by_its_place(sqlite_world: World, field: str, kind: str, body: Any) -> None:
    for bad in WRONG[kind]:
        refused(post(sqlite_world, body(bad)), 400, "1002", field)
    assert stored_nothing(sqlite_world)


@pytest.mark.parametrize("body", [[], [GOOD], "text", 7, True, None])
@pytest.mark.parametrize("path", ["/workorder", "/ttl", "/jobs"])
def test_a_body_that_is_no_object(sqlite_world: World, path: str, body: object) -> None:
    assert post(sqlite_world, body, path).json()["error_code"] == "HYGN-1002-400"


@pytest.mark.parametrize("number", [b"6.5", b"1e400", b"-1", b"9" * 5_000, b"18446744073709551616", b"true", b'"6"'])
def test_odd_numbers_of_a_namespace(sqlite_world: World, number: bytes) -> None:
    body = b'{"datasetId": "ALL", "identities": [{"namespace": {"id": %s}, "id": "a"}]}' % number
    response = post(sqlite_world, body)
    assert response.status_code == 400
    assert stored_nothing(sqlite_world)


# Keys


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (GOOD | {"surprise": 1}, "surprise"),
        (GOOD | {"dataSetId": EMAILS}, "dataSetId"),
        (GOOD | {"identities": [ONE, ONE | {"Id": "x"}]}, "identities[1].Id"),
        (
            GOOD | {"identities": [{"namespace": {"code": "email", "name": "x"}, "id": SECRET}]},
            "identities[0].namespace.name",
        ),
        (GOOD | {"identities": [{"namespace": {"code": "email"}}]}, "identities[0].id"),
        (GOOD | {"identities": [{"id": SECRET}]}, "identities[0].namespace"),
        ({"datasetId": EMAILS, "namespacesIdentities": [LIST | {"id": SECRET}]}, "namespacesIdentities[0].id"),
        (GOOD | {SECRET: 1}, "(a field)"),
        (GOOD | {"x" * 41: 1}, "(a field)"),
        (GOOD | {"30583967185734": 1}, "(a field)"),
    ],
)
def test_unknown_and_missing_fields(sqlite_world: World, body: object, field: str) -> None:
    refused(post(sqlite_world, body), 400, "1002", field)
    assert stored_nothing(sqlite_world)


ONES = b'"identities": [{"namespace": {"id": 6}, "id": "a"}]'
DOUBLED: dict[str, tuple[bytes, str]] = {
    "dataset": (b'{"datasetId": "x", "datasetId": "ALL", %s}' % ONES, "datasetId"),
    "with an escape": (b'{"datasetId": "x", "d\\u0061tasetId": "ALL", %s}' % ONES, "datasetId"),
    "identities": (b'{"datasetId": "ALL", "identities": [], %s}' % ONES, "identities"),
    "identities after null": (b'{"datasetId": "ALL", "identities": null, %s}' % ONES, "identities"),
    "id": (b'{"datasetId": "ALL", "identities": [{"namespace": {"id": 6}, "id": "a", "id": "b"}]}', "id"),
    "namespace": (
        b'{"datasetId": "ALL", "identities": [{"namespace": {"id": 6}, "namespace": {"id": 4}, "id": "b"}]}',
        "namespace",
    ),
    "number": (b'{"datasetId": "ALL", "identities": [{"namespace": {"id": 4, "id": 6}, "id": "b"}]}', "id"),
    "lists": (
        b'{"datasetId": "ALL", "namespacesIdentities": [{"namespace": {"id": 6}, "IDs": ["a"], "IDs": ["b"]}]}',
        "IDs",
    ),
    "a list and null": (
        b'{"datasetId": "ALL", "namespacesIdentities": [{"namespace": {"id": 6}, "ids": null, "ids": ["b"]}]}',
        "ids",
    ),
    "services": (
        b'{"datasetId": "ALL", "targetServices": [], "targetServices": ["identity", "profile", "ajo"], %s}' % ONES,
        "targetServices",
    ),
    "action": (b'{"action": "delete_dataset", "action": "delete_identity", "datasetId": "ALL", %s}' % ONES, "action"),
}


@pytest.mark.parametrize("case", DOUBLED)
def test_a_key_that_stands_twice(sqlite_world: World, case: str) -> None:
    body, field = DOUBLED[case]
    response = post(sqlite_world, body)
    refused(response, 400, "1002", field)
    assert "stands twice" in response.json()["detail"]
    assert stored_nothing(sqlite_world)


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("form", ["objects", "lists"])
def test_a_key_that_stands_twice_among_100_000_identities(sqlite_world: World, form: str, *, escaped: bool) -> None:
    ids = [f"{number}@example.com" for number in range(100_000 if form == "lists" else 20_000)]
    if escaped:
        ids[7] = 'with "quotes"'
    if form == "objects":
        body = json.dumps({"datasetId": EMAILS, "identities": [ONE | {"id": each} for each in ids]})
        body = body.replace('"id": "19@example.com"', '"id": "18@example.com", "id": "19@example.com"')
    else:
        body = json.dumps({"datasetId": EMAILS, "namespacesIdentities": [LIST | {"IDs": ids}]})
        body = body.replace('{"code": "email"}', '{"code": "ECID", "code": "email"}')
    refused(post(sqlite_world, body.encode()), 400, "1002", "id" if form == "objects" else "code")
    assert stored_nothing(sqlite_world)


def test_quotation_marks_in_identities_are_no_doubled_keys(sqlite_world: World) -> None:
    ids = ['"', '""', '\\"', '{"id": "a", "id": "b"}', "'"]
    assert post(sqlite_world, {"datasetId": EMAILS, "namespacesIdentities": [LIST | {"IDs": ids}]}).status_code == 201


def test_a_doubled_key_is_not_repeated_when_it_is_no_fields_name(sqlite_world: World) -> None:
    body = f'{{"datasetId": "x", "{SECRET}": 1, "{SECRET}": 2}}'.encode()
    refused(post(sqlite_world, body, "/ttl"), 400, "1002", "(a field)")


# Identities


@pytest.mark.parametrize("bad", ["x" * 10_000, "x" * 1_025, f"{SECRET}\0", "\0", " ", ""])
def test_bad_identities(world: World, bad: str) -> None:
    context = refused(post(world, GOOD | {"identities": [ONE, ONE | {"id": bad}]}), 400, "1002", "identities[1].id")
    assert context["index"] == 1
    lists = {"datasetId": EMAILS, "namespacesIdentities": [LIST, LIST | {"IDs": [SECRET, SECRET, bad]}]}
    refused(post(world, lists), 400, "1002", "namespacesIdentities[1].IDs[2]")
    assert stored_nothing(world)


def test_the_first_bad_identity_of_many_is_named(sqlite_world: World) -> None:
    ids = [str(number) for number in range(50_000)]
    ids[41_999], ids[42_000] = " ", ""
    body = {"datasetId": EMAILS, "namespacesIdentities": [LIST | {"IDs": ids}]}
    refused(post(sqlite_world, body), 400, "1002", "namespacesIdentities[0].IDs[41999]")


# Sizes

MEGABYTE = 1024 * 1024


def test_17_megabytes_are_refused_by_their_announcement(sqlite_world: World) -> None:
    body = b'{"datasetId": "' + b"x" * (17 * MEGABYTE) + b'"}'
    context = refused(post(sqlite_world, body), 413, "1004")
    assert context["maximum"] == 16 * MEGABYTE
    assert stored_nothing(sqlite_world)


def test_17_megabytes_in_chunks_are_refused_before_their_end(sqlite_world: World) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(17):
            sent += 1
            yield b" " * MEGABYTE

    headers = sqlite_world.headers() | {"Content-Type": "application/json"}
    response = sqlite_world.client.post(f"{HYGIENE}/workorder", content=chunks(), headers=headers)
    assert "content-length" not in response.request.headers
    refused(response, 413, "1004")
    assert sent == 17
    assert stored_nothing(sqlite_world)


@pytest.mark.parametrize("announced", ["9" * 5_000, "16777217", "00000000000000000000000016777217"])
def test_an_announced_size_that_is_too_large(sqlite_world: World, announced: str) -> None:
    refused(post(sqlite_world, GOOD, **{"Content-Length": announced}), 413, "1004")


@pytest.mark.parametrize("announced", ["-1", "abc", "1.5", "0"])
def test_an_announced_size_of_no_use_is_not_believed(sqlite_world: World, announced: str) -> None:
    assert post(sqlite_world, GOOD, **{"Content-Length": announced}).status_code in {201, 400}


def test_the_size_can_be_configured(make_world: MakeWorld, sqlite_store: SqlStore) -> None:
    world = make_world(sqlite_store, limits=EdgeLimits(body_bytes_max=1_000))
    body = json.dumps(GOOD).encode()
    assert post(world, body.ljust(1_000)).status_code == 201
    refused(post(world, body.ljust(1_001)), 413, "1004")
    refused(post(world, b" " * 1_001, "/ttl"), 413, "1004")


# The catalog


def register(world: World, properties: bytes, location: bytes = b"/x") -> Any:
    table = b'{"format": "parquet", "location": "%s"}' % location
    body = b'{"name": "x", "table": %s, "schema": {"properties": %s}}' % (table, properties)
    return post(world, body, "/data/foundation/catalog/dataSets")


def test_numbers_and_nesting_that_no_database_keeps(world: World) -> None:
    for properties in (b'{"a": 1e400}', b'{"a": [-1e999]}', b'{"a": %s}' % (b"9" * 5_000), b'{"a": "\\ud800"}'):
        refused(register(world, properties), 400, "1001")
    for depth in (300, 100_000):
        refused(register(world, b'{"a": %s%s}' % (b"[" * depth, b"]" * depth)), 400, "1001")


def test_odd_properties_that_are_kept(world: World) -> None:
    kept = (b'{"a": "\\u0000"}', b'{"a": 1e308}', b'{"a": %s}' % (b"9" * 4_000), b'{"a": [[[[]]]]}')
    for number, properties in enumerate(kept):
        assert register(world, properties, b"/x/%d" % number).status_code == 201


# Headers


@pytest.mark.parametrize(
    "value", [b"prod\r\nSet-Cookie: a=b", b"\xff\xfe", "prod\u00e9".encode(), b"prod\0", b"x" * 100_000]
)
def test_hostile_sandbox_names(sqlite_world: World, value: bytes) -> None:
    headers = sqlite_world.headers(sandbox_name=None) | {"x-sandbox-name": value}  # type: ignore[operator]
    response = sqlite_world.client.get(f"{HYGIENE}/ttl", headers=headers)  # type: ignore[arg-type]
    assert response.json()["error_code"] == "403027"
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("value", [b"\r\nSet-Cookie: a=b", b"\xff", b"' OR 1=1 --", b"x" * 100_000])
@pytest.mark.parametrize("name", ["x-gw-ims-org-id", "x-api-key", "Authorization"])
def test_hostile_headers(sqlite_world: World, name: str, value: bytes) -> None:
    headers: dict[str, Any] = {**sqlite_world.headers(), name: ORG.encode() + value}
    response = sqlite_world.client.get(f"{HYGIENE}/quota", headers=headers)
    assert 400 <= response.status_code < 500
    assert "set-cookie" not in response.headers


def test_wildcards_are_letters_everywhere_but_behind_like(world: World) -> None:
    post(world, GOOD | {"displayName": "a%b_c\\d'e\"f"})
    post(world, {"datasetId": MAPPED, "identities": [ONE], "displayName": "plain"})
    for text, found in {
        "%": 1,
        "_": 1,
        "\\": 1,
        "'": 1,
        '"': 1,
        "%%": 0,
        "a_b": 0,
        "\\%": 0,
        "[a-z]": 0,
        "*": 0,
    }.items():
        for name in ("displayName", "search"):
            assert len(world.orders(**{name: text})) == found, (name, text)
