"""The table between the wire's words and ours: complete on both sides, and the same way back."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.contract import shape
from lethe.contract.paging import order_keys, window
from lethe.contract.spelling import (
    ACTION_IN,
    ACTION_OUT,
    EXPIRATION_ORDER,
    PRODUCT_NAME,
    QUOTA_ALIASES,
    QUOTA_DESCRIPTION,
    STATUS_IN,
    WORK_ORDER_ORDER,
    bundle_id_out,
    expiration_id_in,
    expiration_id_out,
    work_order_id_in,
    work_order_id_out,
)
from lethe.contract.times import parse_instant
from lethe.domain import expiration, work_order
from lethe.domain.expiration import ExpirationStatus
from lethe.domain.product import Product
from lethe.domain.quota import QuotaName
from lethe.domain.work_order import Action
from lethe.storage.order_interface import ExpirationOrder, WorkOrderOrder
from support.properties import quickly


@quickly
@given(st.uuids())
def test_ids_go_out_and_come_back(uuid: UUID) -> None:
    assert expiration_id_in(expiration_id_out(uuid)) == uuid
    assert work_order_id_in(work_order_id_out(uuid)) == work_order_id_in(str(uuid)) == uuid
    assert work_order_id_in(uuid.hex) == work_order_id_in(str(uuid).upper()) == uuid
    assert expiration_id_out(uuid) == f"SD-{uuid}"
    assert work_order_id_out(uuid) == f"DI-{uuid}"
    assert bundle_id_out(uuid) == f"BN-{uuid}"
    # Without its prefix it may be the id of a dataset.
    assert expiration_id_in(str(uuid)) is None


UUID_TEXT = "6f2a1f3e-7f61-4a55-8b9c-0d8f8f0c1a2b"


@pytest.mark.parametrize(
    "text",
    ["", "DI-", "SD-" + UUID_TEXT, "di-" + UUID_TEXT, "DI-DI-" + UUID_TEXT, f"{{{UUID_TEXT}}}", "urn:uuid:" + UUID_TEXT,
     UUID_TEXT + "\n", UUID_TEXT + "0", UUID_TEXT[:-1], "DI-" + "\u0660" * 32, "%", "\0"],
)  # fmt: skip
def test_what_is_no_work_order_id(text: str) -> None:
    assert work_order_id_in(text) is None


def test_every_word_of_ours_has_a_spelling_and_none_is_left_over() -> None:
    assert set(ACTION_OUT) == set(Action) == set(ACTION_IN.values())
    assert {ACTION_IN[word] for word in ACTION_OUT.values()} == set(Action)
    assert list(PRODUCT_NAME) == list(Product)
    assert list(QUOTA_DESCRIPTION) == list(QuotaName)
    assert {name for names in QUOTA_ALIASES.values() for name in names} == set(QuotaName)
    assert set(STATUS_IN.values()) < set(ExpirationStatus)
    assert set(EXPIRATION_ORDER.values()) == set(ExpirationOrder)
    assert set(WORK_ORDER_ORDER.values()) == set(WorkOrderOrder)


def test_texts_are_as_long_on_the_wire_as_in_the_rules() -> None:
    for rules in (expiration, work_order):
        assert rules.DISPLAY_NAME_LENGTH_MAX == shape.DISPLAY_NAME_LENGTH_MAX
        assert rules.DESCRIPTION_LENGTH_MAX == shape.DESCRIPTION_LENGTH_MAX


orders = st.lists(
    st.tuples(st.sampled_from(sorted(EXPIRATION_ORDER)), st.sampled_from(["+", "-", "", " "])), min_size=1
)


@quickly
@given(orders)
def test_an_ordering_is_a_list_of_words_each_with_a_sign(keys: list[tuple[str, str]]) -> None:
    text = ",".join(sign + word for word, sign in keys)
    assert order_keys(text, EXPIRATION_ORDER) == [(EXPIRATION_ORDER[word], sign == "-") for word, sign in keys]


@pytest.mark.parametrize("text", ["", ",", "-", "displayName,", "--displayName", "display_name", "DISPLAYNAME", "x;y"])
def test_another_word_is_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(ValueError, match="takes a comma-separated list of displayName, description, datasetName, id"):
        order_keys(text, EXPIRATION_ORDER)


def test_filters_on_one_instant_leave_what_all_of_them_admit() -> None:
    at = parse_instant
    assert window(None, None, None) is None
    assert window("2030-01-02", None, None) == (at("2030-01-02"), at("2030-01-03"))
    assert window(None, "2030-01-02", None) == (at("2030-01-02"), None)
    assert window(None, None, "2030-01-02") == (None, at("2030-01-03"))
    assert window("2030-01-02", "2030-01-02T10:00", "2030-01-09") == (at("2030-01-02T10:00"), at("2030-01-03"))
    assert window(None, "2030-01-09", "2030-01-02") == (at("2030-01-09"), at("2030-01-03"))
