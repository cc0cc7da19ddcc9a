"""Calls that Lethe makes by itself, such as registering the datasets of its settings."""

from typing import Final

from lethe.domain.actor import Actor
from lethe.domain.audit import AuditEvent
from lethe.domain.caller import Caller, Permission
from lethe.domain.ids import ClientId, OrgId
from lethe.domain.organization import Organization, Sandbox
from lethe.operations.call import Call

LETHE: Final = Actor("Lethe", "lethe@localhost", "lethe")
"""The author of what nobody else asked for."""


def own_call(org: Organization, sandbox: Sandbox) -> Call:
    """Return a call in Lethe's own name."""
    caller = Caller(ClientId("lethe"), LETHE, frozenset({org.org_id}), frozenset(Permission))
    return Call(caller, org, sandbox)


def own_event(org_id: OrgId, action: str, subject: str, /, **details: object) -> AuditEvent:
    """Return the audit event of something that Lethe does by itself; `details` hold no identity."""
    return AuditEvent(org_id, LETHE.author, action, subject, details)
