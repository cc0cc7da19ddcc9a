"""Who asks, and what they may."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from lethe.domain.actor import Actor
from lethe.domain.errors import PermissionDenied
from lethe.domain.ids import ClientId, OrgId, SandboxName


class Permission(StrEnum):
    """One kind of thing that a caller may do. Which role has which is the table in `auth.roles`."""

    VIEW = "view"
    MANAGE_EXPIRATIONS = "manage-expirations"
    MANAGE_RECORD_DELETES = "manage-record-deletes"
    DELETE_DATASETS = "delete-datasets"
    ADMINISTER = "administer"
    SERVICE = "service"
    """A service token: may name another org in `orgId`."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The bearer of a verified token."""

    client_id: ClientId
    actor: Actor
    org_ids: frozenset[OrgId]
    """The orgs that the token is entitled to."""
    permissions: frozenset[Permission]
    sandbox_names: frozenset[SandboxName] | None = None
    """The sandboxes that the caller may see; None is all of the org's."""

    def may(self, permission: Permission) -> bool:
        """Whether the caller has this permission."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Refuse a caller without this permission. Raises PermissionDenied."""
        self.require_one_of((permission,))

    def require_one_of(self, permissions: Sequence[Permission]) -> None:
        """Refuse a caller who has none of these permissions. Raises PermissionDenied."""
        if not any(map(self.may, permissions)):
            names = [permission.value for permission in permissions]
            raise PermissionDenied(f"this needs the permission {' or '.join(names)}", permissions=names)

    def sees(self, sandbox_name: SandboxName) -> bool:
        """Whether this sandbox of the caller's org is visible to them."""
        return self.sandbox_names is None or sandbox_name in self.sandbox_names
