"""Breadth first over every state, so that the first trace to a violation is a shortest one."""

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from model.invariants import INVARIANTS, has_ended, is_stuck
from model.machine import Machine, State

STATES_MAX = 2_000_000


class Violated(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, trace: Sequence[str]) -> None:
        self.invariant = invariant
        self.trace = trace
        super().__init__("\n".join([f"{invariant}, after", *(f"  {n}. {name}" for n, name in enumerate(trace, 1))]))


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk came by."""

    states: int
    moves: int
    ends: frozenset[tuple[tuple[str, ...], str]]
    """How it can end: the orders' statuses and the expiration's."""


def walk(machine: Machine) -> Walked:
    """Visit every state. Raises Violated, also for a state from which no end can be reached any more."""
    start = machine.start()
    came_from: dict[State, tuple[State, str] | None] = {start: None}
    fair_before: dict[State, list[State]] = defaultdict(list)
    ends: set[State] = set()
    moves = 0
    waiting = deque([start])
    while waiting:
        state = waiting.popleft()
        if has_ended(machine.facts, state):
            ends.add(state)
        for move in machine.moves(state):
            moves += 1
            for name, holds in INVARIANTS.items():
                if not holds(machine.facts, state, move):
                    raise Violated(name, [*_trace(came_from, state), move.name])
            if move.is_fair:
                fair_before[move.after].append(state)
            if move.after not in came_from:
                came_from[move.after] = (state, move.name)
                waiting.append(move.after)
        assert len(came_from) < STATES_MAX, "the model is too large"
    _require_ends(came_from, fair_before, ends)
    return Walked(len(came_from), moves, frozenset(map(_end, ends)))


def _require_ends(
    came_from: Mapping[State, tuple[State, str] | None], fair_before: Mapping[State, Sequence[State]], ends: set[State]
) -> None:
    """From every state an end is reached by what always comes some time: nobody need die or interfere for it."""
    hopeful = set(ends)
    waiting = deque(ends)
    while waiting:
        for before in fair_before.get(waiting.popleft(), ()):
            if before not in hopeful:
                hopeful.add(before)
                waiting.append(before)
    for state in came_from:  # in the order in which they were found: the first has the shortest trace
        if state not in hopeful:
            raise Violated("an_end_stays_reachable", _trace(came_from, state))


def _trace(came_from: Mapping[State, tuple[State, str] | None], state: State) -> list[str]:
    names = []
    step = came_from[state]
    while step is not None:
        names.append(step[1])
        step = came_from[step[0]]
    return names[::-1]


def _end(state: State) -> tuple[tuple[str, ...], str]:
    expiration = state.memory.expiration
    orders = tuple(row[0] if row else "" for row in state.memory.orders)
    return orders, "stuck" if is_stuck(state) else expiration[0] if expiration else ""
