"""The application: every resource behind one frame."""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute

from lethe.api import interactive_docs, problems
from lethe.api.backlog_metrics import BacklogMetrics
from lethe.api.callbacks import callbacks
from lethe.api.certificates import certificates
from lethe.api.clusters import clusters
from lethe.api.datasets import datasets
from lethe.api.frame import RequestFrame
from lethe.api.health import health, metrics
from lethe.api.jobs import jobs
from lethe.api.metrics import EdgeMetrics, IdentitiesBack
from lethe.api.namespaces import namespaces
from lethe.api.openapi import describe
from lethe.api.quota import quota
from lethe.api.recovery import recovery
from lethe.api.resource import Resource, RouteFacts
from lethe.api.sandboxes import sandboxes
from lethe.api.schemas import schemas
from lethe.api.services import Services
from lethe.api.tokens import tokens
from lethe.api.ttl import ttl
from lethe.api.webhooks import webhooks
from lethe.api.workorder import workorder
from lethe.api.workorder_results import workorder_results
from lethe.clock import monotonic_seconds

RESOURCES: Final[Sequence[Resource]] = (
    quota,
    ttl,
    workorder_results,
    certificates,
    recovery,
    workorder,
    jobs,
    webhooks,
    callbacks,
    tokens,
    sandboxes,
    datasets,
    namespaces,
    schemas,
    clusters,
    health,
)
OPENAPI: Final = "/openapi.json"


def all_routes() -> list[RouteFacts]:
    """Return every route, with what it was declared with."""
    return [facts for resource in RESOURCES for facts in resource.routes]


def create_app(services: Services) -> FastAPI:
    """Build the application over these services."""
    app = _routed()
    app.state.services = services
    app.state.metrics = EdgeMetrics()
    problems.install(app)
    _require_declared(app.routes)
    document = describe(app, all_routes())

    def get_document() -> dict[str, Any]:
        return document

    app.add_api_route(OPENAPI, get_document, include_in_schema=False)
    interactive_docs.install(app, OPENAPI)
    app.state.metrics.registry.register(BacklogMetrics(lambda: app.state.services.store))
    app.state.metrics.registry.register(IdentitiesBack(lambda: _identities_back(app.state.services)))
    app.add_api_route("/metrics", metrics, include_in_schema=False)
    app.add_middleware(RequestFrame, ids=services.ids, metrics=app.state.metrics, monotonic_seconds=monotonic_seconds)
    return app


def _identities_back(services: Services) -> int:
    with services.store.read() as tx:
        return tx.reverifications.identities_back()


def openapi_document() -> dict[str, Any]:
    """Return the document of the application, which is the same whatever services it has."""
    return describe(_routed(), all_routes())


def _routed() -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for resource in RESOURCES:
        app.include_router(resource.router)
    return app


def _require_declared(routes: Sequence[BaseRoute]) -> None:
    """Refuse to start with a route that did not say who may call it."""
    declared = {(facts.method, facts.path) for facts in all_routes()}
    for route in iter_route_contexts(routes):
        for method in route.methods or ("ANY",):
            if (method, route.path) not in declared:
                raise RuntimeError(f"the route {method} {route.path} has no permission")
