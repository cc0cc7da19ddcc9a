"""Organizations and their sandboxes: whose data it is, and by what rules they delete it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from lethe.domain.bundle import BundleLimits
from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.quota import Allowances


class SandboxType(StrEnum):
    """What a sandbox is for."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A part of an org's data that nothing crosses."""

    sandbox_id: str
    name: SandboxName
    title: str
    type: SandboxType
    region: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Organization:
    """One org, its sandboxes and its rules."""

    org_id: OrgId
    sandboxes: Sequence[Sandbox]
    """At least one; exactly one is the default."""
    allowances: Allowances = field(default_factory=Allowances)
    bundle_limits: BundleLimits = field(default_factory=BundleLimits)
    min_expiry_lead: timedelta = timedelta(hours=24)
    sandbox_header_required: bool = True

    def sandbox(self, name: SandboxName) -> Sandbox | None:
        """The sandbox of this name."""
        return next((sandbox for sandbox in self.sandboxes if sandbox.name == name), None)

    @property
    def default_sandbox(self) -> Sandbox:
        """The sandbox of calls that name none."""
        return next(sandbox for sandbox in self.sandboxes if sandbox.is_default)
