"""Identity clusters: which identities are one person's."""

from typing import Any

import pytest

from lethe.domain.ids import NamespaceId
from lethe.products.interface import GraphNode
from support.api import World
from support.values import DEV, ORG, OTHER_ORG, PROD

from .refusals import refused

MEMBERS = "/data/core/identity/clusters/members"


def node(number: int, value: str) -> GraphNode:
    return GraphNode((NamespaceId(number), value))


def ask(world: World, *xids: dict[str, Any], **headers: str) -> Any:
    return world.call("POST", MEMBERS, {"compositeXids": list(xids)}, client_id="viewer", headers=headers or None)


@pytest.fixture
def linked(sqlite_world: World) -> World:
    """A person of three identities."""
    graph = sqlite_world.services.graph
    graph.link(ORG, PROD, node(6, "a@x"), node(4, "ecid-1"))
    graph.link(ORG, PROD, node(4, "ecid-1"), node(7, "555"))
    return sqlite_world


def test_everything_that_is_linked_is_a_member(linked: World) -> None:
    response = ask(
        linked, {"nsid": 6, "id": "a@x"}, {"ns": "phone", "id": "555"}, {"ns": "Email", "nsid": 6, "id": "b@x"}
    )
    assert response.status_code == 200
    answer = response.json()
    assert list(answer) == ["version", "clusters"]
    assert answer["version"] == "1.0"
    first, second, unknown = answer["clusters"]
    members = [{"nsid": 4, "id": "ecid-1"}, {"nsid": 6, "id": "a@x"}, {"nsid": 7, "id": "555"}]
    assert first["compositeXid"] == {"nsid": 6, "id": "a@x"}
    assert second["compositeXid"] == {"nsid": 7, "id": "555"}
    for cluster in (first, second):
        assert sorted(cluster["members"], key=lambda member: member["nsid"]) == members
    assert unknown == {"compositeXid": {"nsid": 6, "id": "b@x"}, "members": []}


def test_another_org_and_another_sandbox_see_nothing(linked: World) -> None:
    for headers in (linked.headers("stranger", org_id=OTHER_ORG), linked.headers(sandbox_name=DEV)):
        assert ask(linked, {"nsid": 6, "id": "a@x"}, **headers).json()["clusters"][0]["members"] == []


def test_without_a_sandbox_it_is_the_default_one(linked: World) -> None:
    headers = linked.headers(sandbox_name=None)
    assert len(ask(linked, {"nsid": 6, "id": "a@x"}, **headers).json()["clusters"][0]["members"]) == 3


def test_a_thousand_and_no_more(sqlite_world: World) -> None:
    xids = [{"nsid": 6, "id": str(number)} for number in range(1_001)]
    assert len(ask(sqlite_world, *xids[:1_000]).json()["clusters"]) == 1_000
    refused(ask(sqlite_world, *xids), 400, "1002", "compositeXids")
    refused(ask(sqlite_world), 400, "1002", "compositeXids")


@pytest.mark.parametrize(
    "xid",
    [
        {"id": "a"},
        {"ns": "shoe", "id": "a"},
        {"nsid": 5, "id": "a"},
        {"ns": "email", "nsid": 4, "id": "a"},
        {"nsid": 10**30, "id": "a"},
    ],
)
def test_an_unknown_namespace_is_400_with_its_index(sqlite_world: World, xid: dict[str, Any]) -> None:
    refused(ask(sqlite_world, {"nsid": 6, "id": "a"}, xid), 400, "4005", "compositeXids[1]")


@pytest.mark.parametrize(
    ("xid", "field"),
    [
        ({"nsid": 6}, "compositeXids[0].id"),
        ({"nsid": "6", "id": "a"}, "compositeXids[0].nsid"),
        ({"nsid": 6, "id": 7}, "compositeXids[0].id"),
        ({"nsid": 6, "id": "a\0"}, "compositeXids[0].id"),
        ({"nsid": 6, "id": "a", "x": 1}, "compositeXids[0].x"),
        ({"nsid": True, "id": "a"}, "compositeXids[0].nsid"),
    ],
)
def test_what_is_wrong_is_named(sqlite_world: World, xid: dict[str, Any], field: str) -> None:
    refused(ask(sqlite_world, xid), 400, "1002", field)
