"""What each role may do, as one table."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from lethe.domain.caller import Permission


class Role(StrEnum):
    """A name that a token's `roles` claim may carry."""

    VIEWER = "viewer"
    EXPIRATION_MANAGER = "expiration-manager"
    RECORD_DELETE_MANAGER = "record-delete-manager"
    DATASET_DELETER = "dataset-deleter"
    ADMINISTRATOR = "administrator"
    SERVICE = "service"
    """Another system acting for many orgs: it manages what it is asked to, but drops no datasets."""


PERMISSIONS_BY_ROLE: Final[Mapping[str, frozenset[Permission]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Permission.VIEW}),
        Role.EXPIRATION_MANAGER: frozenset({Permission.VIEW, Permission.MANAGE_EXPIRATIONS}),
        Role.RECORD_DELETE_MANAGER: frozenset({Permission.VIEW, Permission.MANAGE_RECORD_DELETES}),
        Role.DATASET_DELETER: frozenset({Permission.VIEW, Permission.DELETE_DATASETS}),
        Role.ADMINISTRATOR: frozenset(
            {
                Permission.VIEW,
                Permission.MANAGE_EXPIRATIONS,
                Permission.MANAGE_RECORD_DELETES,
                Permission.DELETE_DATASETS,
                Permission.ADMINISTER,
            }
        ),
        Role.SERVICE: frozenset(
            {
                Permission.VIEW,
                Permission.MANAGE_EXPIRATIONS,
                Permission.MANAGE_RECORD_DELETES,
                Permission.SERVICE,
            }
        ),
    }
)
"""The table. A permission added to the domain belongs to no role until it is written here."""


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """Everything that these roles permit together; a name that is no role permits nothing."""
    return frozenset().union(*(PERMISSIONS_BY_ROLE.get(name, frozenset()) for name in roles))
