"""The organizations that the settings name."""

from collections.abc import Iterable

from lethe.domain.ids import OrgId
from lethe.domain.organization import Organization


class ConfiguredOrganizations:
    """Orgs from the settings; implements `interface.Organizations`."""

    def __init__(self, organizations: Iterable[Organization]) -> None:
        self._by_id = {organization.org_id: organization for organization in organizations}

    def find(self, org_id: OrgId) -> Organization | None:
        """Find the org with this id."""
        return self._by_id.get(org_id)
