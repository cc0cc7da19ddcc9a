"""A worker's seams, watched: what passes them is noted, and at a named point the worker may die or freeze.

Nothing of this is in Lethe: the shop that the wiring made gets wrappers around its store, its engines and its services.
What a transaction did under which claim is noted in the same transaction, in a table of the harness's own, so that the
notes are exactly what was committed.
"""

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import local
from typing import Any, Final

import sqlalchemy as sa

from lethe.domain.product import Product
from lethe.domain.task import Claim
from lethe.engines.interface import unwatched
from lethe.pipeline.shop import Shop
from torture import points

effects: Final = sa.Table(
    "torture_effects",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("task_id", sa.Uuid, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("held", sa.Integer, nullable=False),
    sa.Column("stored", sa.Integer, nullable=False),
    sa.Column("effect", sa.Text, nullable=False),
    sa.Column("worker", sa.Text, nullable=False),
)
"""`held` is the token of the worker's claim, `stored` that of the row, read in the same transaction."""


@dataclass
class Hand:
    """One watched worker: its name, what is to happen to it where, and what it is doing."""

    name: str
    tell: Callable[[Mapping[str, Any]], None]
    latch: Path
    """A file that all share who are armed at once: who removes it is the one to whom it happens."""
    arms: dict[str, tuple[signal.Signals, int]] = field(default_factory=dict)
    """By point: the signal to send oneself, and at the how-manieth time."""
    _doing: local = field(default_factory=local)

    @property
    def claim(self) -> Claim | None:
        """The claim of this thread; the heartbeat's thread has none."""
        claim: Claim | None = getattr(self._doing, "claim", None)
        return claim

    @claim.setter
    def claim(self, claim: Claim | None) -> None:
        self._doing.claim = claim

    @property
    def step(self) -> str:
        assert self.claim is not None
        task = self.claim.task
        return task.step.value if task.product in {None, Product.DATA_LAKE} else f"{task.step.value}-service"

    def reach(self, point: str) -> None:
        """Come by a point."""
        number, left = self.arms.get(point, (signal.SIGKILL, 0))
        if not left:
            return
        self.arms[point] = (number, left - 1)
        if left == 1 and self._is_first():
            self.tell({"reached": point, "signal": number.name})
            os.kill(os.getpid(), number)

    def _is_first(self) -> bool:
        """Two that are frozen with a lock in their hands would stop everybody else, and only one is thawed."""
        try:
            self.latch.unlink()
        except FileNotFoundError:
            return False
        return True


class WatchedTasks:
    """The tasks of one transaction."""

    def __init__(self, transaction: "WatchedTransaction", tasks: Any, hand: Hand) -> None:
        self._transaction = transaction
        self._tasks = tasks
        self._hand = hand

    def claim(self, *arguments: Any, **named: Any) -> Claim | None:
        claim: Claim | None = self._tasks.claim(*arguments, **named)
        self._hand.claim = claim
        if claim is not None:
            self._transaction.did("claim", claim)
        return claim

    def require(self, claim: Claim) -> None:
        self._tasks.require(claim)
        self._transaction.did("require", claim)

    def extend(self, claim: Claim, *arguments: Any) -> None:
        self._tasks.extend(claim, *arguments)
        self._transaction.did("extend", claim)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._tasks, name)
        if name not in {"finish", "postpone", "reopen", "give_up"}:
            return attribute

        def change(claim: Claim, *arguments: Any, **named: Any) -> None:
            attribute(claim, *arguments, **named)
            self._transaction.did(name, claim)

        return change


class WatchedDatasets:
    """The catalog of one transaction; only here does a transaction show that it begins an expiration."""

    def __init__(self, transaction: "WatchedTransaction", datasets: Any) -> None:
        self._transaction = transaction
        self._datasets = datasets

    def mark_deleting(self, *arguments: Any) -> None:
        self._datasets.mark_deleting(*arguments)
        self._transaction.marks = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._datasets, name)


class WatchedTransaction:
    """One writing transaction."""

    def __init__(self, transaction: Any, hand: Hand) -> None:
        self._transaction = transaction
        self._hand = hand
        self._did: list[tuple[str, Claim]] = []
        self.marks = False
        self.tasks = WatchedTasks(self, transaction.tasks, hand)
        self.datasets = WatchedDatasets(self, transaction.datasets)

    def did(self, effect: str, claim: Claim) -> None:
        self._did.append((effect, claim))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transaction, name)

    def before_commit(self) -> None:
        """Note what was done, and with which token against which."""
        session = self._transaction._session
        names = {effect for effect, _ in self._did}
        if self._hand.claim is not None and not names:
            # A step that writes without asking for its claim would write after it has lost it.
            self.did("unguarded", self._hand.claim)
        for effect, claim in self._did:
            if effect == "extend" or (effect == "require" and names != {"require"}):
                continue
            stored = session.value(
                sa.text("SELECT token FROM tasks WHERE task_id = :id").bindparams(
                    sa.bindparam("id", claim.task.task_id, sa.Uuid)
                )
            )
            note = effects.insert().values(
                task_id=claim.task.task_id,
                step=claim.task.step.value,
                round=claim.task.round,
                held=claim.token,
                stored=stored,
                effect=effect,
                worker=self._hand.name,
            )
            session.run(note.inline())
        moment = self._moment(names)
        if moment is not None:
            self._hand.reach(f"{moment}:{points.BEFORE_COMMIT}")

    def after_commit(self) -> None:
        names = {effect for effect, _ in self._did}
        if "claim" in names:
            self._hand.reach(f"{self._hand.step}:{points.CLAIMED}")
        elif names == {"require"} and self._hand.claim is not None:
            self._hand.reach(f"{self._hand.step}:{points.INTENDED}")
        moment = self._moment(names)
        if moment is not None:
            self._hand.reach(f"{moment}:{points.AFTER_COMMIT}")
            self._hand.claim = None

    def _moment(self, names: set[str]) -> str | None:
        """Of which step this is the record, or of the beginning of an expiration; None when of neither."""
        if names & {"finish", "postpone", "give_up"} and self._hand.claim is not None:
            return self._hand.step
        return "begin" if self.marks and self._hand.claim is None else None


class WatchedStore:
    """The store."""

    def __init__(self, store: Any, hand: Hand) -> None:
        self._store = store
        self._hand = hand

    @contextmanager
    def write(self) -> Iterator[WatchedTransaction]:
        before = self._hand.claim
        try:
            with self._store.write() as tx:
                watched = WatchedTransaction(tx, self._hand)
                yield watched
                watched.before_commit()
        except BaseException:
            self._hand.claim = before  # what was claimed in it is not
            raise
        watched.after_commit()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class WatchedEngine:
    """An engine; before it changes a table, the commits that the table bears are noted."""

    def __init__(self, engine: Any, hand: Hand, look: Callable[[str, str], None]) -> None:
        self._engine = engine
        self._hand = hand
        self._look = look

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._engine, name)
        if name not in {"find", "find_each", "forget", "purge", "verify", "drop"}:
            return verb

        def watched(target: Any, *arguments: Any, watch: Any = unwatched, **named: Any) -> Any:
            if self._hand.claim is None or name == "find":  # of another step, or of nobody's
                return verb(target, *arguments, watch=watch, **named)

            def beat(progress: Any) -> None:
                watch(progress)
                self._hand.reach(f"{self._hand.step}:{points.WORKING}")

            self._look(target.dataset_id, target.table.format.value)
            answer = verb(target, *arguments, watch=beat, **named)
            self._look(target.dataset_id, target.table.format.value)
            self._hand.reach(f"{self._hand.step}:{points.EFFECT}")
            return answer

        return watched


class WatchedProduct:
    """A service."""

    def __init__(self, product: Any, hand: Hand) -> None:
        self._product = product
        self._hand = hand

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._product, name)
        if name not in {"forget_each", "remaining", "forget_dataset", "remaining_of_dataset"}:
            return attribute

        def watched(*arguments: Any, **named: Any) -> Any:
            answer = attribute(*arguments, **named)
            if name == "forget_each":
                answer = list(answer)
            if self._hand.claim is not None:
                self._hand.reach(f"{self._hand.step}:{points.EFFECT}")
            return answer

        return watched


def watched_shop(shop: Shop, hand: Hand, look: Callable[[str, str], None]) -> Shop:
    """The same shop with every seam watched."""
    return replace(
        shop,
        store=WatchedStore(shop.store, hand),
        engines={name: WatchedEngine(each, hand, look) for name, each in shop.engines.items()},
        products={name: WatchedProduct(each, hand) for name, each in shop.products.items()},
    )
