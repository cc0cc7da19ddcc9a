"""What a verified token's claims mean, and which of them cannot be understood."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.support import claims
from lethe.auth.claims import ClaimNames, caller_of
from lethe.auth.interface import InvalidToken
from lethe.domain.caller import Permission

TEXT_CLAIMS = ["sub", "client_id", "name", "email"]
LIST_CLAIMS = ["orgs", "roles", "sandboxes"]

not_text: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.lists(st.text()) | st.just({}) | st.just("")
)
not_texts = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.dictionaries(st.text(), st.text())
    | st.tuples(st.lists(st.text(min_size=1), max_size=2), not_text).map(lambda pair: [*pair[0], pair[1]])
)


@pytest.mark.parametrize("name", ["sub", "client_id", "orgs"])
def test_who_and_for_whom_must_be_said(name: str) -> None:
    with pytest.raises(InvalidToken, match=f"'{name}'"):
        caller_of(claims(**{name: ...}), ClaimNames())


@given(st.sampled_from(TEXT_CLAIMS), not_text)
def test_a_text_of_another_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidToken, match=f"'{name}'"):
        caller_of(claims(**{name: value}), ClaimNames())


@given(st.sampled_from(LIST_CLAIMS), not_texts)
def test_a_list_of_another_type_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidToken, match=f"'{name}'"):
        caller_of(claims(**{name: value}), ClaimNames())


@pytest.mark.parametrize("name", [*TEXT_CLAIMS, *LIST_CLAIMS])
def test_half_a_character_is_refused_before_a_database_sees_it(name: str) -> None:
    broken = "secret-\ud800"
    with pytest.raises(InvalidToken, match=f"'{name}' holds broken text") as refusal:
        caller_of(claims(**{name: broken if name in TEXT_CLAIMS else [broken]}), ClaimNames())
    assert "secret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("value", [None, "prod", [None], {}, 0, False])
def test_a_sandboxes_claim_that_is_not_understood_never_means_all(value: Any) -> None:
    with pytest.raises(InvalidToken):
        caller_of(claims(sandboxes=value), ClaimNames())


def test_absent_sandboxes_are_all_and_an_empty_list_is_none() -> None:
    assert caller_of(claims(), ClaimNames()).sandbox_names is None
    assert caller_of(claims(sandboxes=[]), ClaimNames()).sandbox_names == frozenset()
    assert caller_of(claims(sandboxes=["dev", "prod", "dev"]), ClaimNames()).sandbox_names == frozenset({"dev", "prod"})


def test_unknown_or_absent_roles_permit_nothing() -> None:
    assert caller_of(claims(roles=["root", "Administrator"]), ClaimNames()).permissions == frozenset()
    assert caller_of(claims(roles=...), ClaimNames()).permissions == frozenset()
    assert caller_of(claims(roles=["root", "viewer"]), ClaimNames()).permissions == {Permission.VIEW}


def test_no_orgs_are_entitled_to_no_org() -> None:
    assert caller_of(claims(orgs=[]), ClaimNames()).org_ids == frozenset()


def test_a_technical_account_without_name_or_address_is_called_by_its_client_id() -> None:
    assert caller_of(claims(name=..., email=...), ClaimNames()).actor.author == "robot <> ACC1@tech"


def test_the_client_id_is_the_first_of_its_claims_that_is_there() -> None:
    assert caller_of(claims(azp="other"), ClaimNames()).client_id == "robot"
    assert caller_of(claims(client_id=..., azp="other"), ClaimNames()).client_id == "other"
    # A malformed first claim is not papered over by the second.
    with pytest.raises(InvalidToken, match="'client_id'"):
        caller_of(claims(client_id=None, azp="other"), ClaimNames())


def test_an_issuer_may_use_other_names() -> None:
    names = ClaimNames(
        client_id=("cid",),
        orgs="https://claims.test/orgs",
        roles="groups",
        sandboxes="envs",
        name="display",
        email="mail",
        subject="oid",
    )
    foreign = {
        "cid": "c",
        "https://claims.test/orgs": ["O"],
        "groups": ["administrator"],
        "envs": ["dev"],
        "display": "D",
        "mail": "d@test",
        "oid": "1",
    }
    caller = caller_of({**claims(roles=["service"]), **foreign}, names)
    assert caller.client_id == "c"
    assert caller.org_ids == {"O"}
    assert caller.sandbox_names == frozenset({"dev"})
    assert caller.actor.author == "D <d@test> 1"
    assert caller.may(Permission.ADMINISTER)
    assert not caller.may(Permission.SERVICE)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=160))
def test_names_are_kept_character_for_character(name: str) -> None:
    assert caller_of(claims(name=name), ClaimNames()).actor.name == name


@pytest.mark.parametrize("value", ["a" * 161, "nul\0inside"])
@pytest.mark.parametrize("name", TEXT_CLAIMS)
def test_what_no_record_could_keep_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidToken, match=f"'{name}' has a NUL character, or more than 160"):
        caller_of(claims(**{name: value}), ClaimNames())
