"""A sender: takes a webhook that waits, and delivers to it what is due, one event after another.

Order of effects, for each delivery: the message is posted; then one transaction, which first checks the claim, records
how it ended. A crash between the two leaves the delivery pending, and another sender posts it again when the lease has
run out, under the same message id: at least once, and the receiver can tell. A sender that stood still for longer than
its lease records nothing, and stops.

Senders are threads of their own: whatever a receiver does, deletions go on. One webhook is one sender's at a time, for
a bounded number of deliveries; a failure makes the sender leave it alone for a while. So a slow or dead receiver costs
the others at most one answer's time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event as Flag
from typing import Final

import structlog

from lethe.domain.event import Event
from lethe.domain.webhook import RETRY_WAITS, Delivery, DeliveryState, pause_after, retry_after
from lethe.logs import places_of
from lethe.operations.own_call import LETHE, own_event
from lethe.operations.webhooks import webhook_disabled
from lethe.pipeline.idling import ALONE_SECONDS_MAX, idle_seconds
from lethe.storage.event_interface import Attempted, Outgoing, WebhookClaim
from lethe.storage.interface import CommitUnknown, StoreUnavailable
from lethe.storage.work_interface import StaleClaim, WorkStore
from lethe.webhooks.interface import GONE, Answered, Courier

AT_ONCE: Final = 25
"""Deliveries to one webhook before others have their turn."""
FORGOTTEN_AT_ONCE: Final = 500
_FORGETS_EVERY: Final = timedelta(minutes=1)
_TRIES_FOR: Final = sum(RETRY_WAITS, timedelta())
_SEALED_AWAY: Final = "its secret cannot be decrypted: the settings no longer hold the key; rotate it"

log = structlog.get_logger("lethe.sender")


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How long things may take."""

    lease: timedelta = timedelta(seconds=60)
    """Longer than a receiver may take to answer."""
    disable_after: timedelta = timedelta(days=5)
    keep: timedelta = timedelta(days=30)


class Sender:
    """Delivers events, one at a time."""

    def __init__(
        self,
        store: WorkStore,
        courier: Courier,
        render: Callable[[Event], bytes],
        *,
        owner: str,
        jitter: Callable[[], float],
        policy: DeliveryPolicy,
    ) -> None:
        """`render` makes the message, `owner` names the process in its claims, `jitter` gives numbers in [0, 1)."""
        self._store = store
        self._courier = courier
        self._render = render
        self._owner = owner
        self._jitter = jitter
        self._policy = policy
        self._forgot_at: datetime | None = None

    def run(self, stop: Flag) -> None:
        """Deliver until told to stop; the message under way is finished first."""
        while not stop.is_set():
            heard, wait = self._store.bell.rings, 0.0
            try:
                if not self.run_once(stop):
                    wait = self._idle_seconds()
            except (StoreUnavailable, CommitUnknown) as error:
                log.warning("database_unavailable", error=type(error).__name__)
                wait = ALONE_SECONDS_MAX
            except Exception as error:  # noqa: BLE001 - a sender outlives whatever one delivery does to it
                log.error(  # noqa: TRY400 - a message may hold a URL
                    "sending_failed", error=type(error).__name__, places=places_of(error)
                )
                wait = ALONE_SECONDS_MAX
            if wait and not stop.is_set():
                self._store.bell.wait(heard, wait)

    def run_once(self, stop: Flag | None = None) -> bool:
        """Serve one webhook; whether there was one to serve."""
        with self._store.read() as tx:
            now, due_at = tx.now, tx.webhooks.next_due_at()
        self._forget(now)
        if due_at is None or due_at > now:
            return False
        with self._store.write() as tx:
            claim = tx.webhooks.claim(self._owner, self._policy.lease)
        if claim is None:
            return False
        with structlog.contextvars.bound_contextvars(webhook_id=str(claim.webhook.webhook_id), token=claim.token):
            try:
                self._serve(claim, stop or Flag())
            except StaleClaim:
                log.info("webhook_taken")
        return True

    def _idle_seconds(self) -> float:
        with self._store.read() as tx:
            return idle_seconds(self._store.bell, tx.now, tx.webhooks.next_due_at())

    def _serve(self, claim: WebhookClaim, stop: Flag) -> None:
        """Deliver what is due, until something fails or others have their turn. Raises StaleClaim."""
        left, failures = AT_ONCE, claim.failures
        while left > 0:
            with self._store.read() as tx:
                waiting = tx.deliveries.sendable(claim.webhook.webhook_id, left)
            for outgoing in waiting:
                if stop.is_set():
                    left = 0
                    break
                left -= 1
                answered = self._send(claim, outgoing)
                failures = 0 if answered.problem is None else failures + 1
                self._record(claim, outgoing.delivery, answered, failures)
                if answered.problem is not None:
                    left = 0
                    self._maybe_disable(claim, answered)
                    break
            if not waiting:
                break
        with self._store.write() as tx:
            tx.webhooks.release(claim)

    def _send(self, claim: WebhookClaim, outgoing: Outgoing) -> Answered:
        if not claim.secrets:
            return Answered(None, timedelta(0), _SEALED_AWAY)
        event = outgoing.event
        return self._courier.send(claim.webhook.url, str(event.event_id), claim.secrets, self._render(event))

    def _record(self, claim: WebhookClaim, delivery: Delivery, answered: Answered, failures: int) -> None:
        """Write how the attempt ended, if the claim still holds; `failures` are those in a row. Raises StaleClaim."""
        with self._store.write() as tx:
            tx.webhooks.require(claim)
            attempted = self._attempted(delivery, answered, tx.now)
            tx.deliveries.record(delivery, attempted)
            pause = pause_after(failures, self._jitter()) if failures else timedelta(0)
            tx.webhooks.note(claim, failures=failures, paused_until=tx.now + pause, lease=self._policy.lease)
        write = log.warning if failures else log.info
        write(
            "delivery_attempted",
            delivery_id=str(delivery.delivery_id),
            event_type=delivery.type.value,
            state=attempted.state.value,
            attempt=delivery.attempts + 1,
            status=answered.status,
            reason=answered.problem,
        )

    def _attempted(self, delivery: Delivery, answered: Answered, now: datetime) -> Attempted:
        state, due_at = DeliveryState.DELIVERED, now
        if answered.problem is not None:
            wait = retry_after(delivery.attempts + 1, self._jitter())
            is_over = wait is None or now - delivery.created_at >= _TRIES_FOR
            state = DeliveryState.FAILED if is_over else DeliveryState.PENDING
            due_at = now + (wait or timedelta(0))
        return Attempted(state, due_at, answered.status, answered.duration, answered.problem)

    def _maybe_disable(self, claim: WebhookClaim, answered: Answered) -> None:
        """Give the webhook up if it asks for that, or has failed for too long; its administrators can see why."""
        with self._store.write() as tx:
            tx.webhooks.require(claim)
            webhook = tx.webhooks.find(claim.webhook.org_id, claim.webhook.webhook_id)
            if webhook is None or webhook.failing_since is None:
                return
            if answered.status == GONE:
                reason = "the receiver answers 410: it wants no more"
            elif tx.now - webhook.failing_since >= self._policy.disable_after:
                reason = f"every delivery failed for {self._policy.disable_after / timedelta(days=1):g} days"
            else:
                return
            disabled = webhook.given_up(reason, tx.now, LETHE.author)
            tx.webhooks.save(disabled)
            tx.events.add(webhook_disabled(tx, disabled))
            tx.audit.append(own_event(disabled.org_id, "webhook.disabled", str(disabled.webhook_id), reason=reason))
        log.warning("webhook_disabled", reason=reason)

    def _forget(self, now: datetime) -> None:
        """Remove some of what is kept no longer, now and then."""
        if self._forgot_at is not None and now - self._forgot_at < _FORGETS_EVERY:
            return
        with self._store.write() as tx:
            removed = tx.deliveries.forget(now - self._policy.keep, FORGOTTEN_AT_ONCE)
        # A full portion means that there is more.
        self._forgot_at = None if removed == FORGOTTEN_AT_ONCE else now
