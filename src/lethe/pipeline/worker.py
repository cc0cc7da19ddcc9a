"""A worker: claims a task, does it, records what came of it; over and over, until it is told to stop.

Between claim and record a heartbeat extends the lease. When the claim is lost all the same, because this process stood
still for longer than the lease, the next beat ends the work, and the record is refused by its token.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic, sleep
from typing import Final, assert_never

import structlog

from lethe.domain.ids import OrgId
from lethe.domain.product import Product
from lethe.domain.task import Claim, Step, backoff
from lethe.logs import places_of
from lethe.pipeline import aftercare, bundling, dataset_drop, planning, record_delete, reverifying, services
from lethe.pipeline.holding import StepFunction, with_dataset
from lethe.pipeline.idling import ALONE_SECONDS_MAX, idle_seconds
from lethe.pipeline.outcome import Did, Failed, Later, StepOutcome, Stuck
from lethe.pipeline.settling import settle
from lethe.pipeline.shop import Hold, Shop
from lethe.storage.interface import CommitUnknown, StoreUnavailable
from lethe.storage.work_interface import StaleClaim, WorkTransaction

LEASE: Final = timedelta(seconds=30)

RECORDS_FOR: Final = timedelta(seconds=10)
"""How long a record is tried again while the database does not answer: what is lost has to be done once more."""

RECORDS_AGAIN_SECONDS: Final = 0.5

_IN_THE_LAKE: Final[Mapping[Step, StepFunction]] = {
    Step.FIND: planning.find,
    Step.BUNDLE: bundling.bundle,
    Step.FORGET: with_dataset(record_delete.forget),
    Step.PURGE: with_dataset(record_delete.purge),
    Step.VERIFY: with_dataset(record_delete.verify),
    Step.DROP: dataset_drop.after_window(with_dataset(dataset_drop.drop)),
    Step.CONFIRM: with_dataset(dataset_drop.confirm),
    Step.REVERIFY: reverifying.reverify,
}
_IN_A_SERVICE: Final[Mapping[Step, StepFunction]] = {
    Step.FORGET: services.forget,
    Step.VERIFY: services.verify,
    Step.DROP: dataset_drop.after_window(dataset_drop.drop),
    Step.CONFIRM: dataset_drop.confirm,
}

log = structlog.get_logger("lethe.worker")


@dataclass(frozen=True, slots=True)
class _ClaimHold:
    """The hold of a claim; implements `shop.Hold`."""

    claim: Claim
    lost: Event

    def __call__(self) -> None:
        if self.lost.is_set():
            raise StaleClaim

    def require(self, tx: WorkTransaction) -> None:
        tx.tasks.require(self.claim)


class Worker:
    """Carries tasks out, one at a time."""

    def __init__(self, shop: Shop, owner: str, jitter: Callable[[], float], *, lease: timedelta = LEASE) -> None:
        """`owner` names the process in its claims; `jitter` gives numbers in [0, 1)."""
        self._shop = shop
        self._owner = owner
        self._jitter = jitter
        self._lease = lease
        self._swept_at: datetime | None = None
        self._served: OrgId | None = None
        """The org of the last claim; the next is another's, if another has work."""

    def run(self, stop: Event) -> None:
        """Work until told to stop; the task under way is finished first."""
        while not stop.is_set():
            heard, wait = self._shop.store.bell.rings, 0.0
            try:
                if not self.run_once():
                    wait = self._idle_seconds()
            except (StoreUnavailable, CommitUnknown) as error:
                log.warning("database_unavailable", error=type(error).__name__)
                wait = ALONE_SECONDS_MAX
            except Exception as error:  # noqa: BLE001 - a worker outlives whatever one task does to it
                _log_unforeseen("work_failed", error)
                wait = ALONE_SECONDS_MAX
            if wait and not stop.is_set():
                self._shop.store.bell.wait(heard, wait)

    def run_once(self) -> bool:
        """Begin what is due, do one task, now and then tidy up; whether there was anything to do."""
        begun = dataset_drop.begin_due(self._shop)
        with self._shop.store.write() as tx:
            claim, now = tx.tasks.claim(self._owner, self._lease, after=self._served), tx.now
        if claim is not None:
            self._served = claim.task.org_id
            self._do(claim)
        if self._swept_at is None or now - self._swept_at >= aftercare.EVERY:
            self._swept_at = now
            aftercare.sweep(self._shop)
        return claim is not None or begun > 0

    def _idle_seconds(self) -> float:
        """How long there is nothing to do, as far as the database knows."""
        with self._shop.store.read() as tx:
            due = [at for at in (tx.tasks.next_due_at(), tx.expirations.next_expiry_at()) if at is not None]
            return idle_seconds(self._shop.store.bell, tx.now, min(due, default=None))

    def _do(self, claim: Claim) -> None:
        task = claim.task
        steps = _IN_THE_LAKE if task.product in {None, Product.DATA_LAKE} else _IN_A_SERVICE
        with structlog.contextvars.bound_contextvars(
            task_id=str(task.task_id), step=task.step.value, subject_id=str(task.subject_id), token=claim.token
        ):
            try:
                self._record_patiently(claim, self._outcome(claim, steps[task.step]))
            except StaleClaim:
                log.warning("claim_lost")
            except (StoreUnavailable, CommitUnknown):
                raise
            except Exception as error:  # noqa: BLE001 - what cannot be recorded is an attempt too
                _log_unforeseen("record_failed", error)
                self._record(claim, Failed(f"unforeseen: {type(error).__name__}"))

    def _outcome(self, claim: Claim, step: StepFunction) -> StepOutcome:
        """Carry the step out; a failure that nobody foresaw is an attempt like any other. Raises StaleClaim."""
        try:
            with self._heartbeat(claim) as hold:
                return step(self._shop, claim.task, hold)
        except (StaleClaim, StoreUnavailable, CommitUnknown):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is
            _log_unforeseen("step_failed", error)
            return Failed(f"unforeseen: {type(error).__name__}")

    def _record_patiently(self, claim: Claim, outcome: StepOutcome) -> None:
        """Record, as long as the lease holds and the database does not answer. Raises StaleClaim, StoreUnavailable."""
        give_up_at = monotonic() + min(RECORDS_FOR, self._lease).total_seconds()
        while True:
            try:
                return self._record(claim, outcome)
            except StoreUnavailable:  # nothing was stored
                if monotonic() + RECORDS_AGAIN_SECONDS > give_up_at:
                    raise
                log.warning("record_delayed")
                sleep(RECORDS_AGAIN_SECONDS)

    def _record(self, claim: Claim, outcome: StepOutcome) -> None:
        """Write what came of it, if the claim still holds. Raises StaleClaim."""
        with self._shop.store.write() as tx:
            tx.tasks.require(claim)
            match outcome:
                case Did(record):
                    tx.tasks.finish(claim)
                    later = record(tx)
                    if later is not None:
                        tx.tasks.reopen(claim, tx.now + later.after, later.reason)
                case Later(after, reason):
                    tx.tasks.postpone(claim, tx.now + after, reason, failed=False)
                case Failed(reason) if not claim.task.is_at_last_attempt:
                    wait = backoff(claim.attempts + 1, self._jitter())
                    tx.tasks.postpone(claim, tx.now + wait, reason, failed=True)
                case Failed(reason) | Stuck(reason):
                    tx.tasks.give_up(claim, reason)
                    settle(tx, claim.task)
                case unreachable:
                    assert_never(unreachable)
        log.info("step_recorded", outcome=type(outcome).__name__)

    @contextmanager
    def _heartbeat(self, claim: Claim) -> Iterator[Hold]:
        """Extend the lease from a thread while the block runs."""
        done, lost = Event(), Event()

        def extend() -> None:
            while not done.wait(self._lease.total_seconds() / 3):
                try:
                    with self._shop.store.write() as tx:
                        tx.tasks.extend(claim, self._lease)
                except StaleClaim:
                    lost.set()
                    return
                except (StoreUnavailable, CommitUnknown):
                    log.warning("heartbeat_missed")

        thread = Thread(target=extend, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield _ClaimHold(claim, lost)
        finally:
            done.set()
            thread.join()


def _log_unforeseen(event: str, error: Exception) -> None:
    """Say what happened and where, without the exception's message, which may hold an identity."""
    log.error(event, error=type(error).__name__, places=places_of(error))
