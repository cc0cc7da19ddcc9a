"""`/docs` in a closed network: the page and whatever it refers to come from this server."""

import re
from html.parser import HTMLParser

import httpx2
import pytest

from support.server import Server

PAGE = "/docs"


class References(HTMLParser):
    """Every address that a page's elements name, and its scripts' text."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action"}]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page(server: Server) -> References:
    answered = httpx2.get(server.url + PAGE, trust_env=False)
    assert answered.status_code == 200
    assert answered.headers["content-type"].startswith("text/html")
    found = References()
    found.feed(answered.text)
    return found


def test_the_page_names_no_other_host(page: References) -> None:
    assert len(page.addresses) >= 3
    assert [each for each in page.addresses if not each.startswith("/") or each.startswith("//")] == []
    assert re.findall(r"https?://|['\"]//", page.text) == []
    assert '"validatorUrl": null' in page.text


def test_every_file_that_the_page_names_is_served(page: References, server: Server) -> None:
    named = [address for address in page.addresses if address.startswith("/")]
    named += re.findall(r"url: ['\"](/[^'\"]*)['\"]", page.text)
    types = {}
    for address in named:
        answered = httpx2.get(server.url + address, trust_env=False)
        assert answered.status_code == 200, address
        assert len(answered.content) > 50
        types[address] = answered.headers["content-type"].split(";")[0]
    assert types == {
        "/docs/swagger-ui.css": "text/css",
        "/docs/favicon.svg": "image/svg+xml",
        "/docs/swagger-ui-bundle.js": "text/javascript",
        "/openapi.json": "application/json",
    }


def test_the_style_sheet_names_no_other_host(server: Server) -> None:
    css = httpx2.get(f"{server.url}/docs/swagger-ui.css", trust_env=False).text
    loaded = re.findall(r"url\(\s*['\"]?([^)'\"]{0,40})", css) + re.findall(r"@import[^;]*", css)
    assert [address for address in loaded if not address.startswith(("data:", "#"))] == []


@pytest.mark.parametrize("name", ["nothing.js", "..%2f__init__.py", "%2e%2e/core.py"])
def test_no_other_file_is_served(server: Server, name: str) -> None:
    answered = httpx2.get(f"{server.url}/docs/{name}", trust_env=False)
    assert answered.status_code == 404
    assert answered.json()["error_code"] == "404000"
