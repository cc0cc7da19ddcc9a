"""The body of `POST /workorder`, decoded fast: it may hold 100,000 identities.

Two forms hold identities: `identities`, an object each, and `namespacesIdentities`, a list of ids a namespace. Both
are read into runs of ids of one namespace.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from lethe.contract.json_body import NotJson, require_unique_keys, speakable
from lethe.contract.shape import DESCRIPTION_LENGTH_MAX, DISPLAY_NAME_LENGTH_MAX, FILTER_LENGTH_MAX, some_of
from lethe.contract.spelling import ACTION_IN, PRODUCT_NAME

_DATASETS_LENGTH_MAX: Final = 100_000


class WrongField(ValueError):
    """A field of the body is missing, of the wrong type or not allowed; `field` is its path."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        super().__init__(problem)


_ID: Final = Meta(
    description="The identity, matched byte for byte unless its namespace is case-insensitive.",
    # The decoder also takes null and any length, for an error that names the index.
    extra_json_schema={"type": "string", "minLength": 1},
)


def _at_most(length: int) -> Meta:
    """Say how long a text may be; it is checked after decoding, for an error in our words."""
    return Meta(extra_json_schema={"maxLength": length})


class NamespaceIn(Struct, forbid_unknown_fields=True, gc=False):
    """A namespace by code, by number, or both."""

    code: Annotated[str | None | UnsetType, Meta(examples=["Email"])] = UNSET
    id: Annotated[int | None | UnsetType, Meta(examples=[6])] = UNSET


class IdentityIn(Struct, forbid_unknown_fields=True, gc=False):
    """One identity."""

    namespace: NamespaceIn
    id: Annotated[str | None, _ID]

    def __repr__(self) -> str:
        return "IdentityIn()"


class NamespaceIdentitiesIn(Struct, forbid_unknown_fields=True):
    """Identities of one namespace; `ids` is another spelling of `IDs`."""

    namespace: NamespaceIn
    upper_ids: list[Annotated[str | None, _ID]] | None | UnsetType = msgspec.field(name="IDs", default=UNSET)
    lower_ids: list[Annotated[str | None, _ID]] | None | UnsetType = msgspec.field(name="ids", default=UNSET)

    def __repr__(self) -> str:
        return "NamespaceIdentitiesIn()"


class WorkOrderIn(Struct, forbid_unknown_fields=True, rename="camel"):
    """What a client asks for."""

    dataset_id: Annotated[
        str | None | UnsetType,
        Meta(
            description="A dataset, several separated by commas, or ALL.",
            examples=["5b020a27e7040801dedbf46e"],
            extra_json_schema={"type": "string", "minLength": 1},
        ),
    ] = UNSET
    action: Annotated[
        str | None | UnsetType,
        Meta(
            description="delete_identity when absent.",
            extra_json_schema={"enum": [*ACTION_IN, None]},
        ),
    ] = UNSET
    display_name: Annotated[str | None | UnsetType, _at_most(DISPLAY_NAME_LENGTH_MAX)] = UNSET
    description: Annotated[str | None | UnsetType, _at_most(DESCRIPTION_LENGTH_MAX)] = UNSET
    identities: Annotated[
        list[IdentityIn] | None | UnsetType,
        Meta(
            description="Up to 100,000 distinct identities; or namespacesIdentities, not both.",
            examples=[[{"namespace": {"code": "Email"}, "id": "poul.anderson@example.com"}]],
        ),
    ] = UNSET
    namespaces_identities: Annotated[
        list[NamespaceIdentitiesIn] | None | UnsetType,
        Meta(
            description="The same, the ids of a namespace together.",
            examples=[[{"namespace": {"code": "Email"}, "IDs": ["poul.anderson@example.com"]}]],
        ),
    ] = UNSET
    target_services: Annotated[
        list[str] | None | UnsetType,
        Meta(
            description="Absent for all; or exactly identity, profile and ajo, with datasetId ALL.",
            extra_json_schema={"items": {"enum": [*PRODUCT_NAME]}},
        ),
    ] = UNSET


_GIVEN: Final[Mapping[str, Any]] = {"type": "array", "minItems": 1}
_ABSENT: Final[Mapping[str, Any]] = {"type": "null"}
_DELETE_IDENTITY: Final = [*(word for word, action in ACTION_IN.items() if action == "delete_identity"), None]
_DELETE_DATASET: Final = [word for word, action in ACTION_IN.items() if action == "delete_dataset"]

SCHEMA_RULES: Final[Mapping[str, Mapping[str, Any]]] = {
    "NamespaceIn": some_of(code="string", id="integer"),
    "NamespaceIdentitiesIn": {"oneOf": [{"required": ["IDs"]}, {"required": ["ids"]}]},
    "WorkOrderIn": {
        "required": ["datasetId"],
        "oneOf": [
            {
                "required": ["identities"],
                "properties": {
                    "identities": _GIVEN,
                    "namespacesIdentities": _ABSENT,
                    "action": {"enum": _DELETE_IDENTITY},
                },
            },
            {
                "required": ["namespacesIdentities"],
                "properties": {
                    "identities": _ABSENT,
                    "namespacesIdentities": _GIVEN,
                    "action": {"enum": _DELETE_IDENTITY},
                },
            },
            {
                "required": ["action"],
                "properties": {
                    "identities": _ABSENT,
                    "namespacesIdentities": _ABSENT,
                    "action": {"enum": _DELETE_DATASET},
                },
            },
        ],
    },
}
"""What the types above do not say about which fields go together; checked by `draft_of` and `id_runs`."""


@dataclass(frozen=True, slots=True)
class IdRunIn:
    """Ids that the body lists under one namespace."""

    code: str | None
    namespace_id: int | None
    namespace_field: str
    ids: Sequence[str]
    id_field: str
    """The path of one id, with `{}` for its index."""
    indexes: Sequence[int]

    def __repr__(self) -> str:
        return f"IdRunIn({len(self.ids)})"


_DECODER: Final = msgspec.json.Decoder(WorkOrderIn)
_AT: Final = re.compile(r"(?P<problem>.*?)(?: - at `\$\.?(?P<path>[A-Za-z0-9.\[\]]*)`)?", re.DOTALL)
"""A field that is not known may have any name, so only what looks like a path at the very end is one."""
_UNKNOWN_FIELD: Final = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_MISSING_FIELD: Final = re.compile(r"Object missing required field `(?P<field>.*)`")


def decode_work_order(body: bytes) -> WorkOrderIn:
    """Read the body. Raises NotJson, DuplicateKey, WrongField."""
    try:
        order = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise _wrong_field(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotJson("the request body is not valid JSON in UTF-8") from None
    if b"\\" in body or body.count(b'"') != 2 * _strings(order):
        require_unique_keys(body)
    _check_texts(order)
    return order


def id_runs(order: WorkOrderIn) -> list[IdRunIn]:
    """The identities in the order of the body, ids of one namespace together. Raises WrongField."""
    runs: list[IdRunIn] = []
    if isinstance(order.identities, list):
        runs += _object_runs(order.identities)
    if isinstance(order.namespaces_identities, list):
        runs += _list_runs(order.namespaces_identities)
    return runs


def _object_runs(identities: Sequence[IdentityIn]) -> Iterator[IdRunIn]:
    groups: dict[tuple[object, object], tuple[list[str], list[int]]] = {}
    for index, identity in enumerate(identities):
        namespace, value = identity.namespace, identity.id
        if value is None:
            raise WrongField(f"identities[{index}].id", "must not be null")
        key = (namespace.code, namespace.id)
        group = groups.get(key)
        if group is None:
            group = groups[key] = ([], [])
        group[0].append(value)
        group[1].append(index)
    for ids, indexes in groups.values():
        first = indexes[0]
        yield _run(identities[first].namespace, f"identities[{first}].namespace", ids, "identities[{}].id", indexes)


def _list_runs(groups: Sequence[NamespaceIdentitiesIn]) -> Iterator[IdRunIn]:
    for position, group in enumerate(groups):
        field = f"namespacesIdentities[{position}]"
        given = [(name, ids) for name, ids in (("IDs", group.upper_ids), ("ids", group.lower_ids)) if ids is not UNSET]
        if len(given) != 1:
            raise WrongField(f"{field}.IDs", "is required" if not given else "stands twice, as IDs and as ids")
        name, ids = given[0]
        listed = ids if isinstance(ids, list) else []
        if None in listed:
            raise WrongField(f"{field}.{name}[{listed.index(None)}]", "must not be null")
        values: list[str] = listed  # type: ignore[assignment]  # no None is left
        yield _run(group.namespace, f"{field}.namespace", values, f"{field}.{name}[{{}}]", range(len(values)))


def _run(namespace: NamespaceIn, field: str, ids: Sequence[str], id_field: str, indexes: Sequence[int]) -> IdRunIn:
    code = namespace.code if isinstance(namespace.code, str) else None
    number = namespace.id if isinstance(namespace.id, int) else None
    if code is None and number is None:
        raise WrongField(field, "must name a namespace by its code or its id")
    return IdRunIn(code, number, field, ids, id_field, indexes)


def _check_texts(order: WorkOrderIn) -> None:
    for name, text, maximum in (
        ("datasetId", order.dataset_id, _DATASETS_LENGTH_MAX),
        ("action", order.action, FILTER_LENGTH_MAX),
        ("displayName", order.display_name, DISPLAY_NAME_LENGTH_MAX),
        ("description", order.description, DESCRIPTION_LENGTH_MAX),
    ):
        if isinstance(text, str) and len(text) > maximum:
            raise WrongField(name, f"has at most {maximum} characters")
        if isinstance(text, str) and "\0" in text:
            raise WrongField(name, "must not contain the NUL character")


def _wrong_field(message: str) -> WrongField:
    """Split the decoder's message into field and problem; neither ever holds a value."""
    matched = _AT.fullmatch(message)
    problem = matched["problem"] if matched else "is not valid"
    path = (matched["path"] if matched else None) or ""
    within = f"{path}." if path else ""
    if unknown := _UNKNOWN_FIELD.fullmatch(problem):
        return WrongField(within + speakable(unknown["field"]), "is not a field of this request")
    if missing := _MISSING_FIELD.fullmatch(problem):
        return WrongField(within + missing["field"], "is required")
    return WrongField(path or "body", problem[:1].lower() + problem[1:])


def _strings(order: WorkOrderIn) -> int:
    """How many strings, keys included, the decoded body is made of.

    Without escapes, a body with twice as many quotation marks has each key once. This is what makes the check for
    duplicate keys cheap for large bodies; any other body is walked.
    """
    count = 0
    for value in (order.dataset_id, order.action, order.display_name, order.description):
        count += (value is not UNSET) + isinstance(value, str)
    for values in (order.identities, order.namespaces_identities, order.target_services):
        count += values is not UNSET
    if isinstance(order.target_services, list):
        count += len(order.target_services)
    if isinstance(order.identities, list):
        count += 2 * len(order.identities)
        for identity in order.identities:
            namespace = identity.namespace
            count += (
                (identity.id is not None)
                + (namespace.code is not UNSET)
                + (namespace.code.__class__ is str)
                + (namespace.id is not UNSET)
            )
    if isinstance(order.namespaces_identities, list):
        for group in order.namespaces_identities:
            namespace = group.namespace
            count += 1 + (namespace.code is not UNSET) + isinstance(namespace.code, str) + (namespace.id is not UNSET)
            for ids in (group.upper_ids, group.lower_ids):
                count += (ids is not UNSET) + (len(ids) - ids.count(None) if isinstance(ids, list) else 0)
    return count
