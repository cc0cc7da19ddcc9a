"""What can happen next: every transition of a state, each with its name.

A worker's step is cut in two: its outside work, and its record. Between them, and before them, it may die, or stand
still while another takes its task over. What is recorded is what Lethe's own step says when it is shown what it did.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, NamedTuple

from lethe.domain.bundle import BundleLimits
from lethe.domain.caller import Caller, Permission
from lethe.domain.dataset import DatasetState
from lethe.domain.errors import ExpirationNotRestorable, ExpirationNotStuck, UnknownExpiration
from lethe.domain.expiration import Cancelled, Edit, Pending, Trashed
from lethe.domain.ids import ClientId
from lethe.domain.organization import Organization
from lethe.domain.product import SERVICES, Product
from lethe.domain.task import Claim, Step, Task, TaskState, promise
from lethe.domain.work_order import EndStatus, OpenStatus
from lethe.operations.call import Call
from lethe.operations.expirations import restore_expiration
from lethe.operations.own_call import LETHE
from lethe.operations.retries import retry_expiration, retry_work_order
from lethe.operations.work_orders import join_bundle
from lethe.pipeline import dataset_drop, worker
from lethe.pipeline.outcome import Did, Failed, Later, StepOutcome, Stuck
from lethe.pipeline.shop import Shop
from lethe.storage.work_interface import StaleClaim
from model import facts as known
from model.facts import AUTHOR, EPOCH, SANDBOX, TICK, Facts
from model.memory import TRASHED, Memory, Store, TaskKey, Transaction, frozen, order_of, row_of, task_of, thawed
from model.world import Service, Table, Tables, World, engines_of, initial_world

CLAIMED = "claimed"
NO_LEAD = timedelta(0)

Held = tuple[TaskKey, int, str, bool]
"""The task that a worker holds with its round, what came of its outside work, and whether another has claimed it."""
NOTHING: Held = (("", 0, "", ""), 0, "", False)


class Budget(NamedTuple):
    """How often things that nobody needs may still happen."""

    expiries: int
    returns: int
    refusals: int
    retries: int


class State(NamedTuple):
    """Everything, at one moment."""

    memory: Memory
    world: World
    workers: tuple[Held, ...]
    tick: int
    budget: Budget


class Move(NamedTuple):
    """A transition: its name, whether it always comes some time, and where it leads."""

    name: str
    is_fair: bool
    after: State


@dataclass(frozen=True, slots=True)
class Rules:
    """What a worker and the storage keep to; a test turns one off to see that the walk finds it out."""

    checks_tokens: bool = True
    locks_datasets: bool = True
    looks_up_markers: bool = True
    asks_whether_pending: bool = True


@dataclass
class Hold:
    """The hold of a step that does its outside work."""

    tx: Transaction

    def __call__(self) -> None: ...

    def require(self, _: Any) -> None:
        if self.tx.stale and self.tx.checks_tokens:
            raise StaleClaim


@dataclass
class NextBundle:
    """Ids for the one that is asked for: the next bundle's."""

    number: int

    def uuid(self) -> Any:
        return known.bundle_id(self.number)


@dataclass
class Machine:
    """The transitions of one small world."""

    facts: Facts
    rules: Rules = field(default_factory=Rules)
    _worked: dict[Any, tuple[Memory, World, str]] = field(default_factory=dict)
    _recorded: dict[Any, Memory] = field(default_factory=dict)
    _planned: dict[tuple[TaskKey, str], Did] = field(default_factory=dict)
    """What finds came to: they plan for whoever waits at that time, which is over when it is recorded."""

    def start(self) -> State:
        """Nothing is accepted yet."""
        facts = self.facts
        memory = Memory(
            orders=(None,) * len(facts.orders),
            bundles=(),
            tasks=frozenset(),
            locks=frozenset(),
            expiration=None if facts.expiring is None else ("pending", 1, 0),
            catalog=frozenset((str(each), DatasetState.ENABLED.value) for each in facts.datasets),
            plans=frozenset(),
            failures=frozenset(),
        )
        budget = Budget(facts.expiries, facts.returns, facts.refusals, facts.retries)
        return State(memory, initial_world(facts), (NOTHING,) * facts.workers, 0, budget)

    def moves(self, state: State) -> Iterator[Move]:
        """Everything that can happen next."""
        yield from self._accepted(state)
        yield from self._claimed(state)
        yield from self._carried_on(state)
        yield from self._expiring(state)
        yield from self._called_back(state)
        yield from self._come_back(state)

    def _accepted(self, state: State) -> Iterator[Move]:
        for number, row in enumerate(state.memory.orders):
            asked = self.facts.orders[number]
            if row is not None or any(dict(state.memory.catalog).get(each) is None for each in asked.datasets):
                continue
            tx = self._thawed(state)
            bundle = join_bundle(tx, _call(), asked.action, 1, NextBundle(len(state.memory.bundles)))  # type: ignore[arg-type]
            bundle_number = bundle.bundle_id.int - known.bundle_id(0).int
            order = order_of(self.facts, number, OpenStatus.RECEIVED.value, bundle_number)
            tx.work_orders.save(order)
            tx.tasks.add(promise(Step.FIND, order.work_order_id, order.org_id, SANDBOX, EPOCH))
            yield Move(f"order {number} is accepted", True, state._replace(memory=frozen(tx)))

    def _claimed(self, state: State) -> Iterator[Move]:
        """An idle worker claims a task; one that another holds only when that one's lease has run out."""
        if NOTHING not in state.workers:
            return
        for key, task_state, round_ in state.memory.tasks:
            if task_state != TaskState.READY or self._is_early(state, key):
                continue
            others = [(*held[:3], held[3] or held[0] == key) for held in state.workers]
            is_takeover = tuple(others) != state.workers
            others.remove(NOTHING)
            workers = _sorted([*others, (key, round_, CLAIMED, False)])
            name = f"{_named(key)} is {'taken over' if is_takeover else 'claimed'}"
            yield Move(name, not is_takeover, state._replace(workers=workers))

    def _is_early(self, state: State, key: TaskKey) -> bool:
        """Whether the dataset may still be restored; other waits are not worth a model's while."""
        expiration = state.memory.expiration
        of_expiration = key[1] == known.EXPIRATION.int and expiration is not None
        return of_expiration and expiration[0] == TRASHED and state.tick < expiration[2]

    def _carried_on(self, state: State) -> Iterator[Move]:
        for held in dict.fromkeys(state.workers):
            if held == NOTHING:
                continue
            key, _, came_of_it, is_stale = held
            who = f"the stale worker of {_named(key)}" if is_stale else f"the worker of {_named(key)}"
            yield Move(f"{who} dies", False, _with(state, held, NOTHING))
            if came_of_it == CLAIMED:
                memory, world, outcome = self._work(state, held)
                after = _with(state, held, (*held[:2], outcome, is_stale))
                yield Move(f"{who} works: {outcome}", True, after._replace(memory=memory, world=world))
                if state.budget.refusals and not is_stale:
                    memory = self._record(state, held, Stuck("it never will"))
                    budget = state.budget._replace(refusals=state.budget.refusals - 1)
                    after = _with(state, held, NOTHING)._replace(memory=memory, budget=budget)
                    yield Move(f"{who} is refused for ever", False, after)
            else:
                memory = self._record(state, held)
                yield Move(f"{who} records: {came_of_it}", True, _with(state, held, NOTHING)._replace(memory=memory))

    def _expiring(self, state: State) -> Iterator[Move]:
        if state.memory.expiration is None:
            return
        tx = self._thawed(state)
        expiration = tx.expiration
        if isinstance(expiration, Pending | Trashed) and state.tick < max(state.memory.expiration[1:]):
            yield Move("time passes", True, state._replace(tick=state.tick + 1))
        shop = Shop(Store(tx), {}, {}, trash=self.facts.trash * TICK)  # type: ignore[arg-type]
        dataset_drop.begin_due(shop)
        if not self.rules.asks_whether_pending and isinstance(expiration, Cancelled):
            tx.expiration = Pending(**{each.name: getattr(expiration, each.name) for each in fields(expiration)})
            dataset_drop.begin_due(shop)
        begun = frozen(tx)
        if begun.expiration != state.memory.expiration:
            yield Move("the expiration begins", True, state._replace(memory=begun))
        edit = Edit(expiry_at=EPOCH + (state.tick + 1) * TICK)
        if isinstance(expiration, Pending):
            cancelled = expiration.cancel(now=tx.now, by=AUTHOR).expiration
            yield Move("the expiration is cancelled", False, self._with_expiration(state, cancelled))
        if state.budget.expiries and isinstance(expiration, Pending | Cancelled):
            change = expiration.update if isinstance(expiration, Pending) else expiration.reopen
            moved = change(edit, min_lead=NO_LEAD, now=tx.now, by=AUTHOR).expiration
            budget = state.budget._replace(expiries=state.budget.expiries - 1)
            after = self._with_expiration(state, moved)._replace(budget=budget)
            yield Move("the expiration gets a new date", False, after)

    def _called_back(self, state: State) -> Iterator[Move]:
        """What has failed is retried; what is in the trash is restored."""
        call = _call()
        with suppress(ExpirationNotRestorable, UnknownExpiration):
            tx = self._thawed(state)
            restore_expiration(tx, call, known.EXPIRATION)  # type: ignore[arg-type]
            yield Move("the dataset is restored", False, _lost(state._replace(memory=frozen(tx)), tx))
        if not state.budget.retries:
            return
        budget = state.budget._replace(retries=state.budget.retries - 1)
        for number, row in enumerate(state.memory.orders):
            if row is not None and row[0] == EndStatus.FAILED.value:
                tx = self._thawed(state)
                ids = NextBundle(len(state.memory.bundles))
                retry_work_order(tx, call, known.order_id(number), ids=ids)  # type: ignore[arg-type]
                after = _lost(state._replace(memory=frozen(tx), budget=budget), tx)
                yield Move(f"order {number} is retried", False, after)
        with suppress(ExpirationNotStuck, UnknownExpiration):
            tx = self._thawed(state)
            retry_expiration(tx, call, known.EXPIRATION)  # type: ignore[arg-type]
            after = _lost(state._replace(memory=frozen(tx), budget=budget), tx)
            yield Move("the expiration is retried", False, after)

    def _come_back(self, state: State) -> Iterator[Move]:
        """Rows come back while somebody is still to look for them."""
        if not state.budget.returns:
            return
        tables = dict(state.world.tables)
        for key, task_state, _ in state.memory.tasks:
            step, subject, _, dataset_id = key
            if step != Step.VERIFY or task_state != TaskState.READY or not dataset_id:
                continue
            if any(held[0] == key and held[2] != CLAIMED for held in state.workers):
                continue
            for number, row in enumerate(state.memory.orders):
                table = tables[dataset_id]
                bit = 1 << number
                if row is None or known.bundle_id(row[1]).int != subject or table.rows & bit or not table.exists:
                    continue
                if (number, dataset_id) in state.memory.plans:
                    back = table._replace(rows=table.rows | bit, history=table.history | bit)
                    world = _world(tables | {dataset_id: back}, dict(state.world.services))
                    budget = state.budget._replace(returns=state.budget.returns - 1)
                    yield Move(
                        f"rows of order {number} come back to {dataset_id}",
                        False,
                        state._replace(world=world, budget=budget),
                    )

    def _work(self, state: State, held: Held) -> tuple[Memory, World, str]:
        """The outside work of a held task; what came of it."""
        remembered = (state.memory, state.world, state.tick, held)
        if remembered not in self._worked:
            tx = self._thawed(state, stale=held[3])
            tables, services = dict(state.world.tables), dict(state.world.services)
            try:
                came_of_it = self._step(tx, held, tables, services, replays=False)
                outcome = type(came_of_it).__name__
                if isinstance(came_of_it, Did) and held[0][0] == Step.FIND:
                    outcome = f"{outcome}: {self._plans(state, came_of_it)}"
                    self._planned[held[0], outcome] = came_of_it
            except StaleClaim:
                outcome = StaleClaim.__name__
            self._worked[remembered] = (frozen(tx), _world(tables, services), outcome)
        return self._worked[remembered]

    def _record(self, state: State, held: Held, refused: Stuck | None = None) -> Memory:
        """Record what came of a held task, as a worker does."""
        remembered = (state.memory, state.tick, held, refused is None)
        if remembered in self._recorded:
            return self._recorded[remembered]
        tx = self._thawed(state, stale=held[3])
        outcomes: Mapping[str, Callable[[], StepOutcome]] = {
            Did.__name__: lambda: self._step(
                tx, held, dict(state.world.tables), dict(state.world.services), replays=True
            ),
            Later.__name__: lambda: Later(timedelta(0), ""),
            Failed.__name__: lambda: Failed(""),
            Stuck.__name__: lambda: Stuck(""),
        }
        if held[2] != StaleClaim.__name__:
            recorder = worker.Worker(Shop(Store(tx), {}, {}), "worker", lambda: 0.0)  # type: ignore[arg-type]
            with suppress(StaleClaim):  # then the worker goes on with something else
                outcome = refused or self._planned.get(held[:3:2]) or outcomes[held[2]]()
                recorder._record(Claim(_task(held), 1, 0, EPOCH), outcome)
        self._recorded[remembered] = frozen(tx)
        return self._recorded[remembered]

    def _plans(self, state: State, found: Did) -> str:
        """Whom a find plans where, and in which bundle: what tells its record from any other."""
        tx = self._thawed(state)
        found.record(tx)
        after = frozen(tx)
        orders = [row for row, before in zip(after.orders, state.memory.orders, strict=True) if row != before]
        return f"{orders} {sorted(after.plans - state.memory.plans)}"

    def _step(
        self, tx: Transaction, held: Held, tables: dict[str, Table], services: dict[str, int], *, replays: bool
    ) -> StepOutcome:
        task = _task(held)
        steps = worker._IN_THE_LAKE if task.product in {None, Product.DATA_LAKE} else worker._IN_A_SERVICE
        shop = Shop(
            Store(tx),  # type: ignore[arg-type]
            engines_of(Tables(tables, replays, self.rules.looks_up_markers)),
            {each: Service(each, services, replays) for each in SERVICES},  # type: ignore[misc]
        )
        return steps[task.step](shop, task, Hold(tx))

    def _thawed(self, state: State, *, stale: bool = False) -> Transaction:
        rules = {"checks_tokens": self.rules.checks_tokens, "locks_datasets": self.rules.locks_datasets}
        return thawed(self.facts, state.memory, state.tick, stale=stale, **rules)

    def _with_expiration(self, state: State, expiration: Any) -> State:
        return state._replace(memory=state.memory._replace(expiration=row_of(expiration)))


def _task(held: Held) -> Task:
    return task_of(held[0], TaskState.READY.value, held[1])


def _call() -> Call:
    organization = Organization(known.ORG, (), bundle_limits=BundleLimits())
    caller = Caller(ClientId("c"), LETHE, frozenset(), frozenset(Permission))
    return Call(caller, organization, _Sandbox())  # type: ignore[arg-type]


class _Sandbox:
    name = SANDBOX


def _with(state: State, held: Held, instead: Held) -> State:
    workers = list(state.workers)
    workers.remove(held)
    return state._replace(workers=_sorted([*workers, instead]))


def _lost(state: State, tx: Transaction) -> State:
    """Whoever holds a task that was restarted or taken back has lost it."""
    workers = [(*held[:3], held[3] or held[0] in tx.lost) for held in state.workers]
    return state._replace(workers=_sorted(workers))


def _sorted(workers: list[Held]) -> tuple[Held, ...]:
    """Workers are alike: which one it is makes no other state."""
    return tuple(sorted(workers))


def _world(tables: Mapping[str, Table], services: Mapping[str, int]) -> World:
    return World(tuple(sorted(tables.items())), tuple(sorted(services.items())))


def _named(key: TaskKey) -> str:
    step, subject, product, dataset_id = key
    kinds = {1: "order", 2: "bundle", 3: "expiration"}
    words = [step, f"of {kinds[subject // 100]} {subject % 100}", product and f"in {product}", dataset_id]
    return " ".join(word for word in words if word)
