"""Three answers that make aepp do harm, and that Lethe cannot give.

Each danger is shown first, against a careless server: the library loops for ever on `total_pages: 0`, crashes on
`next: null`, and sends a POST again that was answered by a 5xx.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from compat.aepp.client import Aepp, Raised
from compat.aepp.conftest import EXPIRATIONS_IN, VERSIONS
from compat.aepp.hostile import Hostile
from support.postgres import Postgres
from support.server import ORG, PROD, SECRET, Server

pytestmark = pytest.mark.xdist_group("aepp")

PAGES_MAX = 50
HYGIENE = "/data/core/hygiene"
FORGET = {"namespacesIdentities": [{"namespace": {"code": "email"}, "IDs": ["a@example.com"]}], "name": "Forget"}

Open = Callable[..., Aepp]


@pytest.fixture
def open_aepp(old_aepp: Path) -> Iterator[Open]:
    """Open the library of a version, pointed at a URL; it is closed after the test."""
    opened: list[Aepp] = []

    def open_one(version: str, url: str, token: str = "any") -> Aepp:
        path = old_aepp if version == "0.4.0" else None
        known = {"org_id": ORG, "client_id": "administrator", "secret": SECRET, "sandbox": PROD}
        opened.append(Aepp(path, url=url, mode="static", token=token, **known))
        return opened[-1]

    yield open_one
    for library in opened:
        library.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_danger_no_pages_are_read_for_ever(version: str, open_aepp: Open) -> None:
    def answers(_method: str, query: dict[str, str], before: int) -> tuple[int, Any]:
        # After so many it is told what it waits for, so that the test ends.
        pages = 0 if before < PAGES_MAX else int(query["page"]) + 1
        return 200, {"results": [], "current_page": 0, "total_pages": pages, "total_count": 0}

    with Hostile(answers) as hostile:
        assert open_aepp(version, hostile.url).hygiene("getDatasetsExpirations") == []
    assert len(hostile.requests) == PAGES_MAX + 1
    assert [query["page"] for _, query in hostile.requests] == [str(page) for page in range(PAGES_MAX + 1)]


def test_lethe_an_empty_list_has_one_page(aepp_server: Server) -> None:
    with aepp_server.client() as client:
        for sandbox_name, count in EXPIRATIONS_IN.items():
            for limit in (1, 7, 40, 60, 100):
                for page in (0, 1, 2, 5, 1_000):
                    query = {"sandboxName": sandbox_name, "limit": limit, "page": page}
                    answered = client.get(f"{HYGIENE}/ttl", params=query)
                    assert answered.status_code == 200, query
                    assert answered.json()["total_pages"] == max(1, -(-count // limit)), query
                    assert answered.json()["current_page"] == page, query


@pytest.mark.parametrize("version", VERSIONS)
def test_danger_a_null_link_crashes_it(version: str, open_aepp: Open) -> None:
    links = {"page": {"href": "/workorder?page={page}", "templated": True}, "next": None}
    with Hostile(lambda *_: (200, {"results": [], "total": 0, "count": 0, "_links": links})) as hostile:
        library = open_aepp(version, hostile.url)
        with pytest.raises(Raised, match="AttributeError: 'NoneType' object has no attribute 'get'"):
            library.hygiene("getWorkOrders")


def test_lethe_the_last_page_has_no_next_link(aepp_server: Server) -> None:
    with aepp_server.client() as client:
        client.headers["x-sandbox-name"] = "many"  # where no other test makes work orders
        for number in range(5):
            body = {"datasetId": "ALL", "identities": [{"namespace": {"code": "Email"}, "id": f"{number}@example.com"}]}
            assert client.post(f"{HYGIENE}/workorder", json=body).status_code == 201
        for limit in (1, 2, 5, 100):
            pages = -(-5 // limit)
            for page in range(pages + 2):
                links = client.get(f"{HYGIENE}/workorder", params={"limit": limit, "page": page}).json()["_links"]
                expected = {"page", "next"} if page < pages - 1 else {"page"}
                assert set(links) == expected, (limit, page)
                assert None not in links.values()


def test_danger_a_post_is_sent_again_after_a_5xx(open_aepp: Open) -> None:
    with Hostile(lambda *_: (503, {"message": "stored, and then I fell over"})) as hostile:
        library = open_aepp("0.6.0", hostile.url)
        with pytest.raises(Raised, match="too many 503 error responses"):
            library.hygiene("createRecordDeleteRequest", **FORGET)
    assert [method for method, _ in hostile.requests] == ["POST", "POST"]


def test_lethe_a_post_that_is_answered_by_a_5xx_stored_nothing(tmp_path: Path, open_aepp: Open) -> None:
    postgres = Postgres()
    try:
        postgres.start()
        with Server(tmp_path, database_url=postgres.url()) as server, server.client() as client:
            library = open_aepp("0.6.0", server.url, server.token())
            kept = library.hygiene("createRecordDeleteRequest", **FORGET)["workorderId"]

            postgres.kill()
            with pytest.raises(Raised, match="too many 503 error responses"):
                library.hygiene("createRecordDeleteRequest", **FORGET)
            assert _problem(client.get(f"{HYGIENE}/workorder")) == "HYGN-9002-503"
            unready = client.get("/readyz")
            assert (unready.status_code, unready.json()["databaseReachable"]) == (503, False)

            postgres.start()
            assert [each["workorderId"] for each in library.hygiene("getWorkOrders")] == [kept]
            assert _consumed(library) == 1
            again = library.hygiene("createRecordDeleteRequest", **FORGET)["workorderId"]
            assert [each["workorderId"] for each in library.hygiene("getWorkOrders")] == [again, kept]
            assert _consumed(library) == 2
        created = [line["status"] for line in server.log if line.get("method") == "POST" and line["org"] == ORG]
        assert created == [201, 503, 503, 201]
    finally:
        postgres.remove()


def _problem(answered: httpx2.Response) -> str:
    assert answered.status_code == 503
    code: str = answered.json()["error_code"]
    return code


def _consumed(library: Aepp) -> int:
    consumed = {each["name"]: each["consumed"] for each in library.hygiene("getQuotas")}
    deletes: int = consumed["dailyConsumerDeleteIdentitiesQuota"]
    assert consumed["monthlyConsumerDeleteIdentitiesQuota"] == deletes
    return deletes
