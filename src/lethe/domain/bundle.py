"""Bundles: work orders that go through one pass over the tables together.

The cost of a deletion is the rewriting of files, so orders of one org and sandbox share it. An accepted order joins
the open bundle. A worker closes the bundle at its first look after the window has passed, and an order that finds it
full closes it at once; a closed bundle takes no more orders.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lethe.domain.ids import BundleId, OrgId, SandboxName


@dataclass(frozen=True, slots=True)
class BundleLimits:
    """When a bundle closes. With a window of zero it takes orders until a worker looks."""

    window: timedelta = timedelta(0)
    orders_max: int = 1_000
    identities_max: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Bundle:
    """The orders that will run together."""

    bundle_id: BundleId
    org_id: OrgId
    sandbox_name: SandboxName
    opened_at: datetime
    closes_at: datetime
    order_count: int = 0
    identity_count: int = 0
    closed_at: datetime | None = None

    def admits(self, identity_count: int, limits: BundleLimits) -> bool:
        """Whether one more order of this size may still join."""
        return (
            self.closed_at is None
            and self.order_count + 1 <= limits.orders_max
            and (self.order_count == 0 or self.identity_count + identity_count <= limits.identities_max)
        )

    def joined(self, identity_count: int) -> "Bundle":
        """The bundle with one more order."""
        return replace(self, order_count=self.order_count + 1, identity_count=self.identity_count + identity_count)

    def closed(self, now: datetime) -> "Bundle":
        """The bundle, shut: no order joins it from here on."""
        return replace(self, closed_at=now)


def open_bundle(
    bundle_id: BundleId, org_id: OrgId, sandbox_name: SandboxName, limits: BundleLimits, now: datetime
) -> Bundle:
    """A new bundle whose window starts now."""
    return Bundle(bundle_id, org_id, sandbox_name, opened_at=now, closes_at=now + limits.window)
