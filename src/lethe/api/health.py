"""Whether the process lives, whether it can serve, and what it counts."""

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from lethe import __version__
from lethe.api.answers import answer
from lethe.api.gate import SandboxUse, services_of
from lethe.api.resource import PUBLIC, Resource
from lethe.contract.health import HealthOut, ReadinessOut

health = Resource("", "Health")


@health.route("GET", "/healthz", permission=PUBLIC, sandbox_use=SandboxUse.IGNORED, answer=HealthOut)
def get_health() -> Response:
    """Say that the process lives."""
    return answer(HealthOut(status="ok", version=__version__))


@health.route(
    "GET",
    "/readyz",
    permission=PUBLIC,
    sandbox_use=SandboxUse.IGNORED,
    answer=ReadinessOut,
    also_answers=[503],
)
def get_readiness(request: Request) -> Response:
    """Say whether the process can serve: the database answers, its schema is current, the clocks agree."""
    services = services_of(request)
    found = services.store.health()
    problem = found.problem
    if problem is None and abs(found.clock_skew) > services.limits.clock_skew_max:
        problem = "this machine's clock and the database's differ; leases would not be safe"
    ready = ReadinessOut(
        status="ready" if problem is None else "not ready",
        database_reachable=found.reachable,
        migrations_current=found.migrations_current,
        clock_skew_seconds=found.clock_skew.total_seconds(),
        problem=problem,
    )
    return answer(ready, 200 if problem is None else 503)


def metrics(request: Request) -> Response:
    """Give the counters in Prometheus' text format."""
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
