"""The table of roles, written out a second time: a change of it must be made twice, on purpose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.auth.roles import PERMISSIONS_BY_ROLE, Role, permissions_of
from lethe.domain.caller import Permission

V, E, R, D, A, S = (
    Permission.VIEW,
    Permission.MANAGE_EXPIRATIONS,
    Permission.MANAGE_RECORD_DELETES,
    Permission.DELETE_DATASETS,
    Permission.ADMINISTER,
    Permission.SERVICE,
)


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        ("viewer", {V}),
        ("expiration-manager", {V, E}),
        ("record-delete-manager", {V, R}),
        ("dataset-deleter", {V, D}),
        ("administrator", {V, E, R, D, A}),
        ("service", {V, E, R, S}),
    ],
)
def test_each_role_permits_exactly_this(role: str, permissions: set[Permission]) -> None:
    assert permissions_of([role]) == permissions


def test_every_role_is_in_the_table() -> None:
    assert set(PERMISSIONS_BY_ROLE) == set(Role)


def test_only_the_service_role_speaks_for_other_orgs() -> None:
    assert [role for role, permissions in PERMISSIONS_BY_ROLE.items() if S in permissions] == [Role.SERVICE]


@given(st.lists(st.sampled_from(Role)), st.lists(st.text().filter(lambda name: name not in set(Role))))
def test_roles_add_up_and_unknown_ones_add_nothing(known: list[Role], unknown: list[str]) -> None:
    expected = {permission for role in known for permission in permissions_of([role])}
    assert permissions_of([*unknown, *known]) == expected


@pytest.mark.parametrize("name", ["Administrator", "administrator ", "ADMINISTRATOR", "", "admin"])
def test_a_name_that_resembles_a_role_grants_nothing(name: str) -> None:
    assert permissions_of([name]) == frozenset()
