"""The catalogue of errors: whole, unambiguous, and every entry of it can occur."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from lethe.api import problems, refusals
from lethe.api.app import all_routes
from lethe.contract import error_codes as codes
from lethe.contract.error_codes import GATEWAY_CODES, PROBLEM_CODES, ProblemCode
from lethe.domain import errors
from lethe.domain.errors import Refusal
from support.api import EMAILS, World

from .refusals import refused

TESTS: Final = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))


def refusals_of(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for each in kind.__subclasses__():
        yield each
        yield from refusals_of(each)


def test_every_refusal_has_a_code() -> None:
    assert set(problems.CODE_OF) == set(refusals_of(Refusal))


def test_every_refusal_says_what_it_is() -> None:
    for kind in refusals_of(Refusal):
        assert kind.__module__ in {errors.__name__, refusals.__name__}
        assert kind().detail.endswith("."), kind
        assert kind(field="here").detail.startswith("here: ")


def test_numbers_are_unique_and_grouped() -> None:
    numbers = [code.number for code in PROBLEM_CODES]
    assert len(set(numbers)) == len(numbers)
    assert all(1_000 <= number <= 9_999 for number in numbers)
    gateway = [code.code for code in GATEWAY_CODES]
    assert len(set(gateway)) == len(gateway)
    assert all(re.fullmatch(r"\d{6}", code.code) and code.code.startswith(str(code.status)) for code in GATEWAY_CODES)


def test_no_two_refusals_share_a_code() -> None:
    assert len(set(problems.CODE_OF.values())) == len(problems.CODE_OF)


def test_every_problem_code_is_of_a_refusal_or_of_the_service() -> None:
    own = {codes.INTERNAL, codes.UNAVAILABLE, codes.OUTCOME_UNKNOWN}
    assert set(PROBLEM_CODES) == {*problems.CODE_OF.values(), *own}


@pytest.mark.parametrize("code", PROBLEM_CODES, ids=lambda code: code.code)
def test_every_problem_can_occur(code: ProblemCode) -> None:
    """A test of this folder produces it, and checks it by its number."""
    assert re.search(rf'{code.status}, "{code.number}"', TESTS), f"no test produces {code.code}, {code.title}"


@pytest.mark.parametrize("code", GATEWAY_CODES, ids=lambda code: code.code)
def test_every_gateway_error_can_occur(code: codes.GatewayCode) -> None:
    assert f'"{code.code}"' in TESTS, f"no test produces {code.code}, {code.message}"


def test_every_route_declares_only_errors_of_the_catalogue() -> None:
    known = {*GATEWAY_CODES, *PROBLEM_CODES}
    assert all(set(facts.errors) <= known for facts in all_routes())


def test_server_errors_promise_that_nothing_was_stored() -> None:
    for code in PROBLEM_CODES:
        assert (code.status >= 500) == ("Nothing was stored" in code.remedy)


def test_a_problem_says_for_which_org_and_sandbox(sqlite_world: World) -> None:
    response = sqlite_world.call("GET", f"/ttl/{EMAILS}")
    refused(response, 404, "3001")
    assert response.json()["report"]["tenantInfo"] == {
        "sandboxName": "prod",
        "sandboxId": "id-of-prod",
        "imsOrgId": "0123ABCD@LetheOrg",
    }
    assert response.json()["title"] == "The dataset expiration does not exist"
