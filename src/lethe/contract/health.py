"""`/healthz` and `/readyz`."""

from lethe.contract.shape import Answer


class HealthOut(Answer):
    """The process lives."""

    status: str
    version: str


class ReadinessOut(Answer):
    """Whether the process can serve, and what keeps it from it."""

    status: str
    database_reachable: bool
    migrations_current: bool
    clock_skew_seconds: float
    problem: str | None = None
