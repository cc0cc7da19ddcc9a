"""Orders of a bundle are found together, and each stands or falls alone."""

from collections.abc import Sequence
from typing import Any

import pytest

from lethe.domain.dataset import TableFormat
from lethe.engines.interface import Order, TableUnavailable
from lethe.pipeline import planning
from support.workshop import Workshop

ANN, BOB, CY, DEE = "ann@example.com", "bob@example.com", "cy@example.com", "dee@example.com"


class Looking:
    """An engine that notes how many orders ask in each find, and fails where somebody asks for one of these ids."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.finds: list[tuple[str, int]] = []
        self.unlucky: dict[str, Exception] = {}

    def find_each(self, target: Any, orders: Sequence[Order], **named: Any) -> Any:
        self.finds.append((target.dataset_id, len(orders)))
        for order in orders:
            for _, value in order.identities:
                if value in self.unlucky:
                    raise self.unlucky[value]
        return self._engine.find_each(target, orders, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


@pytest.fixture
def looking(workshop: Workshop) -> Looking:
    looking = Looking(workshop.world.engines[TableFormat.PARQUET])
    workshop.world.engines[TableFormat.PARQUET] = looking  # type: ignore[assignment]
    return looking


def statuses(workshop: Workshop, *order_ids: str) -> list[str]:
    return [workshop.order(each)["status"] for each in order_ids]


def test_waiting_orders_are_found_in_one_pass_over_each_dataset(workshop: Workshop, looking: Looking) -> None:
    workshop.table("a", [ANN, BOB, CY, DEE])
    workshop.table("b", [ANN, BOB, CY, DEE])
    orders = [workshop.delete("a", ANN), workshop.delete("a,b", BOB), workshop.delete("b", CY, ANN)]
    workshop.work()
    assert statuses(workshop, *orders) == ["completed"] * 3
    assert sorted(looking.finds) == [("a", 2), ("b", 2)]
    assert workshop.people("a") == [CY, DEE]
    assert workshop.people("b") == [DEE]
    plans = [workshop.world.call("GET", f"/workorder/{each}/plan").json() for each in orders]
    assert [[one["rowsMatched"] for one in plan["datasets"]] for plan in plans] == [[1], [1, 1], [2]]


def test_an_order_with_a_refused_dataset_fails_alone(workshop: Workshop, looking: Looking) -> None:
    workshop.table("a", [ANN, BOB, CY])
    workshop.register("missing")
    orders = [workshop.delete("a,missing", ANN), workshop.delete("a", BOB), workshop.delete("missing", CY)]
    workshop.work()
    assert statuses(workshop, *orders) == ["failed", "completed", "failed"]
    assert workshop.people("a") == [ANN, CY]


def test_after_some_failures_each_is_found_alone(workshop: Workshop, looking: Looking) -> None:
    """Whatever makes one order's find fail for ever does not take the others with it."""
    workshop.table("a", [ANN, BOB, CY])
    looking.unlucky = {ANN: TableUnavailable("not now"), BOB: RuntimeError("something nobody foresaw")}
    orders = [workshop.delete("a", each) for each in (ANN, BOB, CY)]
    workshop.work()
    assert statuses(workshop, *orders) == ["failed", "failed", "completed"]
    assert workshop.people("a") == [ANN, BOB]


def test_no_more_than_so_many_are_found_at_once(
    workshop: Workshop, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "TOGETHER_MAX", 2)
    workshop.table("a", [ANN, BOB, CY, DEE])
    orders = [workshop.delete("a", each) for each in (ANN, BOB, CY)]
    workshop.work()
    assert statuses(workshop, *orders) == ["completed"] * 3
    assert looking.finds == [("a", 2), ("a", 1)]
    assert workshop.people("a") == [DEE]
