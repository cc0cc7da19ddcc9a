"""Interactive documentation that needs no other host: Swagger UI's files come with a package of the lock.

A server often stands in a closed network, and a page that asks for a token must not load its code from elsewhere.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from fastapi import FastAPI, HTTPException, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, Response

DOCS: Final = "/docs"
_TITLE: Final = "Lethe: Data Hygiene API"
_PACKAGE: Final = "fastapi_offline"
_TYPES: Final[Mapping[str, str]] = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.svg": "image/svg+xml",
}
_ICON: Final = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6" fill="none" '
    b'stroke="#246" stroke-width="3"/></svg>'
)
_DAY_SECONDS: Final = 86_400


def install(app: FastAPI, openapi_url: str) -> None:
    """Serve the page, and the files that it refers to, over this document."""

    def get_docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        return get_swagger_ui_html(
            openapi_url=root + openapi_url,
            title=_TITLE,
            swagger_js_url=f"{root}{DOCS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{DOCS}/swagger-ui.css",
            swagger_favicon_url=f"{root}{DOCS}/favicon.svg",
            # Without this, the page sends the document's address to a validator on the internet.
            swagger_ui_parameters={"validatorUrl": None},
        )

    def get_docs_file(name: str) -> Response:
        if name not in _TYPES:
            raise HTTPException(404)
        return Response(_content(name), media_type=_TYPES[name], headers={"Cache-Control": f"max-age={_DAY_SECONDS}"})

    app.add_api_route(DOCS, get_docs, include_in_schema=False)
    app.add_api_route(f"{DOCS}/{{name}}", get_docs_file, include_in_schema=False)


def _content(name: str) -> bytes:
    return _ICON if name == "favicon.svg" else files(_PACKAGE).joinpath("static", name).read_bytes()
