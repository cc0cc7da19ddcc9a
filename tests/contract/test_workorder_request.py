"""The one bulk body, decoded fast: what it yields is what plain JSON yields, and it never repeats a value."""

import json
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract.json_text import Pairs, has_twins, objects_in, pairs_of, write
from lethe.contract.json_body import DuplicateKey, NotJson
from lethe.contract.workorder_request import IdRunIn, WrongField, decode_work_order, id_runs
from support.properties import quickly, thoroughly

SECRET = "ovid"
NAMELESS = "must name a namespace by its code or its id"
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
namespaces = st.fixed_dictionaries({"code": texts}, optional={"id": st.integers(0, 2**70)}) | st.fixed_dictionaries(
    {"id": st.integers(-5, 10**9)}, optional={"code": st.none()}
)
few_namespaces = st.sampled_from([{"code": "Email"}, {"id": 6}, {"code": "Email", "id": 6}, {"code": "ECID"}])
objects_form = st.lists(st.fixed_dictionaries({"namespace": few_namespaces | namespaces, "id": texts}), max_size=6).map(
    lambda identities: {"identities": identities}
)
lists_form = st.lists(
    st.fixed_dictionaries({"namespace": namespaces, "IDs": st.none() | st.lists(texts, max_size=4)})
    | st.fixed_dictionaries({"namespace": namespaces, "ids": st.lists(texts, max_size=4)}),
    max_size=4,
).map(lambda groups: {"namespacesIdentities": groups})
others = st.fixed_dictionaries(
    {},
    optional={
        "datasetId": st.none() | texts,
        "action": st.none() | st.sampled_from(["delete_identity", "x"]),
        "displayName": st.none() | texts,
        "description": st.none() | texts,
        "targetServices": st.none() | st.lists(texts, max_size=3),
    },
)
forms = (
    objects_form
    | lists_form
    | st.tuples(objects_form, lists_form).map(lambda both: both[0] | both[1])
    | st.sampled_from([{}, {"identities": None}, {"namespacesIdentities": None}])
)
bodies = st.tuples(others, forms).map(lambda parts: parts[0] | parts[1])
randoms = st.randoms(use_true_random=False)


def plainly(body: dict[str, Any]) -> list[tuple[Any, Any, str, str]]:
    """Every identity with its path, as plain JSON has it."""
    found = []
    for index, one in enumerate(body.get("identities") or []):
        namespace = one["namespace"]
        found.append((namespace.get("code"), namespace.get("id"), one["id"], f"identities[{index}].id"))
    for position, group in enumerate(body.get("namespacesIdentities") or []):
        name = "IDs" if "IDs" in group else "ids"
        for index, value in enumerate(group[name] or []):
            namespace = group["namespace"]
            path = f"namespacesIdentities[{position}].{name}[{index}]"
            found.append((namespace.get("code"), namespace.get("id"), value, path))
    return found


def spread(runs: list[IdRunIn]) -> list[tuple[Any, Any, str, str]]:
    return [
        (run.code, run.namespace_id, value, run.id_field.format(index))
        for run in runs
        for index, value in zip(run.indexes, run.ids, strict=True)
    ]


def key(found: tuple[Any, Any, str, str]) -> str:
    return found[3]


@thoroughly
@given(bodies, randoms, st.booleans())
def test_decoding_equals_plain_json(body: dict[str, Any], random: Random, escapes: bool) -> None:
    text = write(pairs_of(body), random, escapes=escapes)
    assert json.loads(text) == body
    order = decode_work_order(text.encode())
    for name, value in (
        ("datasetId", order.dataset_id),
        ("action", order.action),
        ("displayName", order.display_name),
        ("description", order.description),
        ("targetServices", order.target_services),
    ):
        assert value == body.get(name, value)
    runs = id_runs(order)
    assert sorted(spread(runs), key=key) == sorted(plainly(body), key=key)
    assert all(list(run.indexes) == sorted(run.indexes) for run in runs)


@thoroughly
@given(bodies, randoms, st.booleans(), st.data())
def test_a_key_that_stands_twice_is_never_missed_and_never_imagined(
    body: dict[str, Any], random: Random, escapes: bool, data: st.DataObject
) -> None:
    document = pairs_of(body)
    for _ in range(data.draw(st.integers(0, 2))):
        one = data.draw(st.sampled_from(objects_in(document)))
        if one:
            name, value = data.draw(st.sampled_from(list(one)))
            # The same key with the same, a smaller or an empty value: none may make up for the other's quotation marks.
            twin = data.draw(st.sampled_from([deepcopy(value), emptied(value)]))
            one.insert(data.draw(st.integers(0, len(one))), (name, twin))
    text = write(document, random, escapes=escapes).encode()
    if has_twins(document):
        with pytest.raises(DuplicateKey):
            decode_work_order(text)
    else:
        decode_work_order(text)


def emptied(value: Any) -> Any:
    """The least value of its type that the shape takes."""
    match value:
        case Pairs():
            return Pairs([("code", "")])
        case list():
            return []
        case str():
            return ""
        case _:
            return value


@pytest.mark.parametrize(
    "body",
    [
        '{"datasetId":"ALL","datasetId":"ALL"}',
        '{"datasetId":null,"datasetId":null}',
        '{"identities":[],"identities":null}',
        '{"identities":[{"namespace":{"code":"a"},"namespace":{"code":"a"},"id":"x"}]}',
        '{"identities":[{"namespace":{"id":1,"id":1},"id":"x"}]}',
        '{"identities":[{"namespace":{"id":1},"id":null,"id":"x"}]}',
        '{"identities":[{"namespace":{"id":1},"id":"x","\\u0069d":"y"}]}',
        '{"namespacesIdentities":[{"namespace":{"id":1},"IDs":[],"IDs":[]}]}',
        '{"namespacesIdentities":[{"namespace":{"id":1},"ids":["\\""],"ids":["a"]}]}',
        '{"targetServices":["a"],"targetServices":[]}',
    ],
)
def test_twins(body: str) -> None:
    with pytest.raises(DuplicateKey):
        decode_work_order(body.encode())


def identity(**parts: Any) -> dict[str, Any]:
    return {
        "identities": [{"namespace": {"code": "Email"}, "id": "a"}, {"namespace": {"code": "Email"}, "id": "b"} | parts]
    }


def group(**parts: Any) -> dict[str, Any]:
    return {"namespacesIdentities": [{"namespace": {"code": "Email"}, "IDs": ["a"]}, {"namespace": {"id": 6}} | parts]}


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        (identity(id=5), "identities[1].id", "expected `str | null`, got `int`"),
        (identity(id=None), "identities[1].id", "must not be null"),
        (identity(id=["b"]), "identities[1].id", "expected `str | null`, got `array`"),
        (identity(namespace=None), "identities[1].namespace", "expected `object`, got `null`"),
        (identity(namespace="Email"), "identities[1].namespace", "expected `object`, got `str`"),
        (identity(namespace={}), "identities[1].namespace", NAMELESS),
        (identity(namespace={"code": None}), "identities[1].namespace", NAMELESS),
        (identity(namespace={"id": "6"}), "identities[1].namespace.id", "expected `int | null`, got `str`"),
        (identity(namespace={"id": 6.5}), "identities[1].namespace.id", "expected `int | null`, got `float`"),
        (identity(namespace={"id": True}), "identities[1].namespace.id", "expected `int | null`, got `bool`"),
        (identity(namespace={"code": 6}), "identities[1].namespace.code", "expected `str | null`, got `int`"),
        (identity(namespace={"cod": "x"}), "identities[1].namespace.cod", "is not a field of this request"),
        (identity(ids="x"), "identities[1].ids", "is not a field of this request"),
        ({"identities": [{"namespace": {"id": 6}}]}, "identities[0].id", "is required"),
        ({"identities": [{"id": "a"}]}, "identities[0].namespace", "is required"),
        ({"identities": ["a"]}, "identities[0]", "expected `object`, got `str`"),
        ({"identities": {}}, "identities", "expected `array | null`, got `object`"),
        ({"identities": "a"}, "identities", "expected `array | null`, got `str`"),
        (group(IDs=["a", None]), "namespacesIdentities[1].IDs[1]", "must not be null"),
        (group(ids=[None]), "namespacesIdentities[1].ids[0]", "must not be null"),
        (group(IDs=["a", 7]), "namespacesIdentities[1].IDs[1]", "expected `str | null`, got `int`"),
        (group(IDs="a"), "namespacesIdentities[1].IDs", "expected `array | null`, got `str`"),
        (group(), "namespacesIdentities[1].IDs", "is required"),
        (group(IDs=["a"], ids=["a"]), "namespacesIdentities[1].IDs", "stands twice, as IDs and as ids"),
        (group(IDs=[], namespace={}), "namespacesIdentities[1].namespace", NAMELESS),
        ({"datasetId": ["a"]}, "datasetId", "expected `str | null`, got `array`"),
        ({"datasetId": "x" * 100_001}, "datasetId", "has at most 100000 characters"),
        ({"datasetid": "a"}, "datasetid", "is not a field of this request"),
        ({"action": 1}, "action", "expected `str | null`, got `int`"),
        ({"targetServices": "identity"}, "targetServices", "expected `array | null`, got `str`"),
        ({"targetServices": ["identity", 1]}, "targetServices[1]", "expected `str`, got `int`"),
        ({"displayName": "x" * 256}, "displayName", "has at most 255 characters"),
        ({"description": "x" * 1_001}, "description", "has at most 1000 characters"),
        ({"displayName": "a\0"}, "displayName", "must not contain the NUL character"),
        ([], "body", "expected `object`, got `array`"),
        (None, "body", "expected `object`, got `null`"),
        ("x", "body", "expected `object`, got `str`"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_by_its_path(body: Any, field: str, problem: str) -> None:
    with pytest.raises(WrongField) as refused:
        id_runs(decode_work_order(json.dumps(body).encode()))
    assert (refused.value.field, str(refused.value)) == (field, problem)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"action":"",}', b"{} {}", b"\xef\xbb\xbf{}", b'{"displayName":"\xff"}', b'{"displayName":"\\ud800"}',
     b'{"identities":[{"namespace":{"id":6},"id":"\xed\xa0\x80"}]}', b'{"datasetId":NaN}', '{"a":1}'.encode("utf-16"),
     b'{"datasetId":"' + b"[" * 10 + b"\n" + b'"}'],
    ids=repr,
)  # fmt: skip
def test_what_is_not_json(body: bytes) -> None:
    with pytest.raises(NotJson, match="the request body is not valid JSON in UTF-8"):
        decode_work_order(body)


@pytest.mark.parametrize("opening", [b"[", b'{"identities":[', b'{"identities":[{"namespace":', b'{"x":'])
def test_a_deep_body_is_refused_and_not_fallen_into(opening: bytes) -> None:
    with pytest.raises((NotJson, WrongField)):
        decode_work_order(opening * 100_000)


sensitive = {
    "displayName": f"for {SECRET}",
    "identities": [{"namespace": {"code": SECRET}, "id": f"{number}.{SECRET}@example.com"} for number in range(3)],
    "namespacesIdentities": [{"namespace": {"code": SECRET}, "IDs": [SECRET, f"{SECRET}@example.com"]}],
}
breaks = st.sampled_from(
    ["", "5", "null", "[", "{", '"', ",", ":", f'"{SECRET}@x":1,', f'"x` - at `$.{SECRET}@y":1,', "\\"]
)


@quickly
@given(st.integers(0, 400), st.integers(0, 30), breaks)
@example(1, 0, f'"x` - at `$.{SECRET}@y":1,')
def test_no_refusal_repeats_what_was_sent(place: int, removed: int, inserted: str) -> None:
    text = json.dumps(sensitive)
    text = text[:place] + inserted + text[place + removed :]
    try:
        id_runs(decode_work_order(text.encode()))
    except (NotJson, WrongField) as refused:
        said = f"{refused} {refused!r} {getattr(refused, 'field', '')}"
    except DuplicateKey as refused:
        said = f"{refused} {refused!r} {refused.key}"
    else:
        said = ""
    assert SECRET not in said


def test_nothing_that_holds_identities_shows_one() -> None:
    order = decode_work_order(json.dumps(sensitive | {"displayName": ""}).encode())
    assert f"{SECRET}@" not in repr(order)
    assert f"{SECRET}@" not in repr(order.identities)
    assert f"{SECRET}@" not in repr(id_runs(order))
