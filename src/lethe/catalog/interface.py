"""What the edge asks about organizations."""

from typing import Protocol

from lethe.domain.ids import OrgId
from lethe.domain.organization import Organization


class Organizations(Protocol):
    """The orgs that this installation serves."""

    def find(self, org_id: OrgId) -> Organization | None:
        """The org with this id."""
        ...
