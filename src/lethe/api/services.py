"""What the edge is given to work with, chosen by the wiring."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from lethe.api.rate_limit import RateLimiter
from lethe.auth.interface import Authenticator, Issuer, Signer
from lethe.catalog.interface import Organizations
from lethe.clock import Ids
from lethe.domain.product import Product
from lethe.operations.previews import Finder
from lethe.operations.webhooks import WebhookRules
from lethe.products.interface import CallingProduct, IdentityGraph
from lethe.storage.interface import Store


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """What the edge refuses by size."""

    body_bytes_max: int = 16 * 1024 * 1024
    small_order_identities: int = 100
    """A work order with fewer identities than this is small, and counts against the burst limit."""
    idempotency_lifetime: timedelta = timedelta(hours=24)
    clock_skew_max: timedelta = timedelta(seconds=5)
    """By how much this machine's clock may differ from the database's before it is not ready."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a handler may use."""

    store: Store
    authenticator: Authenticator
    issuer: Issuer
    signer: Signer
    organizations: Organizations
    graph: IdentityGraph
    finder: Finder
    ids: Ids
    rate_limiter: RateLimiter
    limits: EdgeLimits
    new_secret: Callable[[], str]
    """Makes the secrets of webhooks."""
    real_path: Callable[[str], str]
    """Where a path of this machine leads."""
    webhook_rules: WebhookRules = field(default_factory=WebhookRules)
    callbacks: Mapping[Product, CallingProduct] = field(default_factory=dict)
    """The services that may call back."""
    public_url: str | None = None
    """Under what root clients see this server, when a proxy stands before it."""
