"""On whose behalf, in which org and sandbox an operation runs."""

from dataclasses import dataclass

from lethe.domain.audit import AuditEvent
from lethe.domain.caller import Caller
from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.organization import Organization, Sandbox


@dataclass(frozen=True, slots=True)
class Call:
    """An admitted call: the caller may be here, and sees this sandbox."""

    caller: Caller
    org: Organization
    sandbox: Sandbox
    """The org's default one for calls that are org-wide."""

    @property
    def org_id(self) -> OrgId:
        """The org's id."""
        return self.org.org_id

    @property
    def sandbox_name(self) -> SandboxName:
        """The sandbox's name."""
        return self.sandbox.name

    def event(self, action: str, subject: str, /, **details: object) -> AuditEvent:
        """The audit event of something that this call does; `details` hold no identity."""
        return AuditEvent(self.org_id, self.caller.actor.author, action, subject, details)
