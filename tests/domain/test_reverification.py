"""When the next look is due."""

from datetime import timedelta

import pytest

from lethe.domain.reverification import next_look
from support.clock import NOON

DAY = timedelta(days=1)
AFTER = [DAY, 7 * DAY, 30 * DAY]


@pytest.mark.parametrize(
    ("completed", "now", "due"),
    [
        ([0], 0, 1),
        ([0], 0.5, 1),
        ([0], 1, 7),
        ([0], 29, 30),
        ([0], 30, None),
        ([0, 5], 1, 6),
        ([0, 5], 6, 7),
        ([0, 5], 30, 35),
        ([], 0, None),
    ],
)
def test_a_look_serves_every_order_and_stands_for_those_that_were_missed(
    completed: list[float], now: float, due: float | None
) -> None:
    found = next_look([NOON + day * DAY for day in completed], AFTER, NOON + now * DAY)
    assert found == (None if due is None else NOON + due * DAY)


def test_without_a_schedule_there_is_no_look() -> None:
    assert next_look([NOON], [], NOON) is None
