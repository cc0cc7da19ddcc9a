"""Previews, plans and certificates where there is nothing to show, or something in the way."""

from dataclasses import replace
from typing import Any

import pytest

from lethe.domain.dataset import TableFormat
from lethe.engines.interface import TableRefused, TableUnavailable
from lethe.pipeline.finding import LakeFinder
from support.api import EMAILS, World

from .refusals import refused

SECRET = "somebody@example.com"
ORDER = {"datasetId": EMAILS, "identities": [{"namespace": {"code": "email"}, "id": SECRET}]}


class FailingEngine:
    """An engine whose every find fails in one way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def find_each(self, *_: Any, **__: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(TableRefused("its files are encrypted"), 409, "4008"), (TableUnavailable("the disk is away"), 503, "4009")],
)
def test_a_preview_says_which_table_stands_in_the_way(
    sqlite_world: World, error: Exception, status: int, code: str
) -> None:
    finder = LakeFinder({TableFormat.PARQUET: FailingEngine(error)})  # type: ignore[dict-item]
    sqlite_world.client.app.state.services = replace(sqlite_world.services, finder=finder)  # type: ignore[attr-defined]
    response = sqlite_world.call("POST", "/workorder/preview", ORDER)
    assert (response.status_code, response.json()["error_code"]) == (status, f"HYGN-{code}-{status}")
    assert EMAILS in response.json()["detail"]
    assert SECRET not in response.text


def test_a_table_of_a_format_without_an_engine_is_refused(sqlite_world: World) -> None:
    refused(sqlite_world.call("POST", "/workorder/preview", ORDER), 409, "4008")


def test_an_order_that_is_not_planned_has_no_plan(sqlite_world: World) -> None:
    order_id = sqlite_world.call("POST", "/workorder", ORDER).json()["workorderId"]
    refused(sqlite_world.call("GET", f"/workorder/{order_id}/plan"), 404, "4010")


def test_work_that_is_not_completed_has_no_certificate(sqlite_world: World) -> None:
    order_id = sqlite_world.call("POST", "/workorder", ORDER).json()["workorderId"]
    refused(sqlite_world.call("GET", f"/workorder/{order_id}/certificate"), 404, "4011")
    sqlite_world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2031-01-01"})
    refused(sqlite_world.call("GET", f"/ttl/{EMAILS}/certificate"), 404, "4011")


def test_what_is_unknown_has_neither_plan_nor_results_nor_certificate(sqlite_world: World) -> None:
    order_id = "DI-00000000-0000-4000-8000-000000000000"
    for what in ("plan", "results", "certificate"):
        refused(sqlite_world.call("GET", f"/workorder/{order_id}/{what}"), 404, "4001")
    refused(sqlite_world.call("GET", "/ttl/unknown/certificate"), 404, "3001")
