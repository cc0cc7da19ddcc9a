"""Deliveries that fail, wait, are given up, are repeated; several senders; and receivers that misbehave."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest
from standardwebhooks import Webhook

from lethe.domain.webhook import ATTEMPTS_MAX, RETRY_WAITS
from support.receiver import Message, Receiver

from .conftest import Post, sender_of

ANN, BOB, CY = "ann@example.com", "bob@example.com", "cy@example.com"


def pings(post: Post, webhook_id: str, number: int = 1) -> list[str]:
    return [post.call("POST", f"/{webhook_id}/test")["eventId"] for _ in range(number)]


def test_a_receiver_that_recovers_gets_each_event_once_and_in_order(post: Post, receiver: Receiver) -> None:
    receiver.answer = lambda _: 500 if len(receiver.messages) < 4 else 204
    post.workshop.table("ds", [ANN, BOB])
    webhook_id = post.hook(receiver)
    order_id = post.workshop.delete("ds", ANN)
    post.workshop.work()
    post.deliver_all()
    assert receiver.types(order_id) == ["received", "validated", "submitted", "ingested", "completed"]
    assert [message.status for message in receiver.messages] == [500] * 4 + [204] * 5
    first, *others = post.deliveries(webhook_id)
    assert (first["status"], first["attempts"], first["responseStatus"]) == ("delivered", 5, 204)
    assert {(each["status"], each["attempts"]) for each in others} == {("delivered", 1)}
    assert "reason" not in first


def test_attempts_are_spread_over_days_and_then_given_up(sqlite_post: Post, receiver: Receiver) -> None:
    receiver.answer = lambda _: 503
    webhook_id = sqlite_post.hook(receiver)
    [event_id] = pings(sqlite_post, webhook_id)
    begun = sqlite_post.world.clock.now
    for number, wait in enumerate((*RETRY_WAITS, None), 1):
        assert sqlite_post.deliver() == 1
        sqlite_post.world.clock.advance(timedelta(minutes=10))  # the pause of the webhook is over
        if wait is not None and wait > timedelta(minutes=10):
            assert sqlite_post.deliver() == 0, "not before its time"
            [shown] = sqlite_post.deliveries(webhook_id)
            assert (shown["status"], shown["attempts"], shown["responseStatus"]) == ("pending", number, 503)
            assert shown["reason"] == "the receiver answers 503"
            sqlite_post.world.clock.advance(wait - timedelta(minutes=10))
    assert len(receiver.messages) == ATTEMPTS_MAX
    assert {message.message_id for message in receiver.messages} == {event_id}
    assert timedelta(days=3) < sqlite_post.world.clock.now - begun < timedelta(days=4)
    [given_up] = sqlite_post.deliveries(webhook_id)
    assert (given_up["status"], given_up["attempts"]) == ("failed", ATTEMPTS_MAX)
    assert "nextAttemptAt" not in given_up
    sqlite_post.world.later(minutes=60 * 24 * 5)
    assert sqlite_post.deliver() == 0


def test_one_event_that_is_refused_holds_up_its_own_subject_only(sqlite_post: Post, receiver: Receiver) -> None:
    sqlite_post.workshop.table("ds", [ANN, BOB, CY])
    webhook_id = sqlite_post.hook(receiver)
    refused_order, other = sqlite_post.workshop.delete("ds", ANN), sqlite_post.workshop.delete("ds", CY)

    def answer(message: Message) -> int:
        event = message.event
        return 400 if (event["subject"], event["type"]) == (refused_order, "org.lethe.workorder.validated") else 200

    receiver.answer = answer
    sqlite_post.workshop.work()
    for _ in range(4):
        sqlite_post.deliver()
        sqlite_post.world.clock.advance(timedelta(seconds=2))
    assert receiver.types(other)[-1] == "completed"
    assert receiver.types(refused_order) == ["received"]
    sqlite_post.deliver_all()
    assert receiver.types(refused_order) == ["received", "submitted", "ingested", "completed"]
    assert [each["type"] for each in sqlite_post.deliveries(webhook_id, status="failed")] == [
        "org.lethe.workorder.validated"
    ]


def test_what_was_given_up_or_delivered_is_delivered_again_on_request(sqlite_post: Post, receiver: Receiver) -> None:
    receiver.answer = lambda _: 204
    webhook_id = sqlite_post.hook(receiver)
    [event_id] = pings(sqlite_post, webhook_id)
    sqlite_post.deliver()
    [delivered] = sqlite_post.deliveries(webhook_id)
    again = sqlite_post.call("POST", f"/{webhook_id}/deliveries/{delivered['deliveryId']}/redeliver")
    assert (again["status"], again["attempts"]) == ("pending", 0)
    sqlite_post.deliver()
    assert [message.message_id for message in receiver.messages] == [event_id] * 2
    assert receiver.messages[0].event == receiver.messages[1].event
    assert sqlite_post.deliveries(webhook_id)[0]["status"] == "delivered"


def test_a_webhook_that_only_fails_is_disabled_and_says_why(post: Post, receiver: Receiver) -> None:
    receiver.answer = lambda _: 500
    with Receiver() as watcher:
        webhook_id = post.hook(receiver, types=["org.lethe.workorder.received"])
        watching = post.hook(watcher, types=["org.lethe.webhook.disabled"])
        for _ in range(6):
            pings(post, webhook_id)
            post.deliver()
            post.world.later(minutes=60 * 24)
        post.deliver()
        shown = post.call("GET", f"/{webhook_id}")
        assert not shown["enabled"]
        assert shown["disabledReason"] == "every delivery failed for 5 days"
        [told] = watcher.accepted()
        assert told["subject"] == webhook_id
        assert told["data"]["disabledReason"] == shown["disabledReason"]
        assert len(post.deliveries(watching)) == 1
    attempts = len(receiver.messages)
    post.world.later(minutes=60 * 24)
    post.deliver()
    assert len(receiver.messages) == attempts, "a disabled webhook is left alone"
    receiver.answer = lambda _: 204
    enabled = post.call("PUT", f"/{webhook_id}", {"enabled": True})
    assert "disabledReason" not in enabled
    assert "failingSince" not in enabled
    post.deliver_all()
    assert {each["status"] for each in post.deliveries(webhook_id)} <= {"delivered", "failed"}
    assert receiver.messages[-1].status == 204


def test_a_receiver_that_says_gone_is_left_alone_at_once(sqlite_post: Post, receiver: Receiver) -> None:
    receiver.answer = lambda _: 410
    webhook_id = sqlite_post.hook(receiver)
    pings(sqlite_post, webhook_id, 2)
    sqlite_post.deliver_all()
    assert len(receiver.messages) == 1
    assert sqlite_post.call("GET", f"/{webhook_id}")["disabledReason"].startswith("the receiver answers 410")


def test_both_secrets_sign_for_a_day_after_a_change(sqlite_post: Post, receiver: Receiver) -> None:
    webhook_id = sqlite_post.hook(receiver)
    old = receiver.secret
    assert old is not None
    new = sqlite_post.call("POST", f"/{webhook_id}/secret")["secret"]
    pings(sqlite_post, webhook_id)
    sqlite_post.deliver()
    receiver.secret = new
    pings(sqlite_post, webhook_id)
    sqlite_post.deliver()
    assert [len(message.headers["webhook-signature"].split()) for message in receiver.messages] == [2, 2]
    sqlite_post.world.later(minutes=60 * 24 + 1)
    pings(sqlite_post, webhook_id)
    sqlite_post.deliver()
    assert len(receiver.messages[-1].headers["webhook-signature"].split()) == 1
    assert receiver.bad == []
    receiver.secret = old
    pings(sqlite_post, webhook_id)
    sqlite_post.deliver()
    assert len(receiver.bad) == 1, "the old secret signs no more"


def test_a_redirect_is_not_followed(sqlite_post: Post, receiver: Receiver) -> None:
    receiver.answer = lambda _: 307
    webhook_id = sqlite_post.hook(receiver)
    pings(sqlite_post, webhook_id)
    sqlite_post.deliver()
    [shown] = sqlite_post.deliveries(webhook_id)
    assert shown["reason"] == "the receiver answers 307, and redirects are not followed"
    assert shown["status"] == "pending"


def test_neither_log_nor_reasons_repeat_the_url(
    sqlite_post: Post, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    webhook_id = sqlite_post.hook(receiver)
    sqlite_post.call("PUT", f"/{webhook_id}", {"url": "http://127.0.0.1:9/hooks?token=sesame"})
    pings(sqlite_post, webhook_id)
    sqlite_post.deliver()
    [shown] = sqlite_post.deliveries(webhook_id)
    assert shown["reason"] == "the receiver cannot be reached (ConnectError)"
    assert "responseStatus" not in shown
    logged = capsys.readouterr()
    assert "delivery_attempted" in logged.out + logged.err
    for secret in ("sesame", "127.0.0.1:9", "whsec_", receiver.secret or "?"):
        assert secret not in logged.out + logged.err


def test_a_slow_receiver_holds_up_nobody_else(post: Post, receiver: Receiver) -> None:
    release = Event()

    def hang(_: Message) -> int:
        release.wait(60)
        return 204

    with Receiver(answer=hang) as slow:
        slow_id = post.hook(slow)
        quick_id = post.hook(receiver)
        slow_events, quick_events = pings(post, slow_id, 2), pings(post, quick_id, 3)
        with two_senders(post):
            receiver.wait_for(lambda messages: len(messages) == len(quick_events))
            assert post.deliveries(slow_id, status="pending")
            release.set()
            slow.wait_for(lambda messages: len(messages) == len(slow_events))
        assert [message.message_id for message in receiver.messages] == quick_events
        assert [message.message_id for message in slow.messages] == slow_events, "one sender at a time, in order"


@contextmanager
def two_senders(post: Post) -> Iterator[None]:
    stop = Event()
    threads = [
        Thread(target=sender_of(post.world.store, f"sender-{number}").run, args=(stop,), daemon=True)
        for number in range(2)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        post.world.store.bell.ring()
        for thread in threads:
            thread.join(60)


def test_a_receiver_that_never_answers_is_waited_for_so_long_and_no_longer(sqlite_post: Post) -> None:
    release = Event()

    def hang(_: Message) -> int:
        release.wait(60)
        return 204

    with Receiver(answer=hang) as slow:
        webhook_id = sqlite_post.hook(slow)
        pings(sqlite_post, webhook_id)
        begun = monotonic()
        assert sender_of(sqlite_post.world.store, timeout_seconds=0.2).run_once()
        assert monotonic() - begun < 30
        release.set()
    [shown] = sqlite_post.deliveries(webhook_id)
    assert (shown["status"], shown["reason"]) == ("pending", "the receiver did not answer within 0.2 s")


def test_a_sender_that_stood_still_records_nothing(post: Post, receiver: Receiver) -> None:
    webhook_id = post.hook(receiver)
    [event_id] = pings(post, webhook_id)
    other = sender_of(post.world.store, "sender-2")

    def meanwhile(message: Message) -> int:
        if len(receiver.messages) == 0 and not taken:
            taken.append(message.message_id)
            post.world.clock.advance(timedelta(minutes=5))
            assert other.run_once(), "the lease has run out, and another delivers"
            assert post.deliveries(webhook_id)[0]["status"] == "delivered"
            return 500
        return 204

    taken: list[str] = []
    receiver.answer = meanwhile
    assert post.sender.run_once()
    [shown] = post.deliveries(webhook_id)
    assert (shown["status"], shown["attempts"], shown["responseStatus"]) == ("delivered", 1, 204)
    assert [message.message_id for message in receiver.messages] == [event_id] * 2


def test_what_is_changed_is_not_delivered_to_any_more(sqlite_post: Post, receiver: Receiver) -> None:
    """A sender in the midst of its portion stops when the webhook is disabled."""
    webhook_id = sqlite_post.hook(receiver)
    pings(sqlite_post, webhook_id, 5)

    def disable(_: Message) -> int:
        if not receiver.messages:
            sqlite_post.call("PUT", f"/{webhook_id}", {"enabled": False})
        return 204

    receiver.answer = disable
    sqlite_post.deliver()
    assert len(receiver.messages) == 1
    sqlite_post.call("PUT", f"/{webhook_id}", {"enabled": True})
    sqlite_post.deliver_all()
    assert [each["status"] for each in sqlite_post.deliveries(webhook_id)] == ["delivered"] * 5


def test_a_deleted_webhook_is_told_nothing_more(sqlite_post: Post, receiver: Receiver) -> None:
    webhook_id = sqlite_post.hook(receiver)
    pings(sqlite_post, webhook_id, 2)
    sqlite_post.call("DELETE", f"/{webhook_id}")
    sqlite_post.workshop.table("ds", [ANN])
    sqlite_post.workshop.delete("ds", ANN)
    sqlite_post.workshop.work()
    assert sqlite_post.deliver() == 0
    assert receiver.messages == []


def test_old_events_are_removed_and_waiting_ones_are_not(post: Post, receiver: Receiver) -> None:
    receiver.answer = lambda _: 204
    with Receiver() as other:
        webhook_id, disabled = post.hook(receiver), post.hook(other)
        pings(post, webhook_id, 3)
        post.deliver()
        pings(post, disabled)
        post.call("PUT", f"/{disabled}", {"enabled": False})
        post.world.later(minutes=60 * 24 * 31)
        [kept] = pings(post, webhook_id)
        post.deliver()
    assert [each["eventId"] for each in post.deliveries(webhook_id)] == [kept]
    assert post.deliveries(disabled) == []


def test_a_secret_survives_the_rotation_of_the_settings_key(post: Post, receiver: Receiver, open_store: Any) -> None:
    from lethe.storage.vault_keys import VaultKeys

    webhook_id = post.hook(receiver)
    old, new = b"a secret of the tests, long enough", b"another secret of the tests, as long"
    url = post.world.store._engines.write.url.render_as_string(hide_password=False).replace("+psycopg", "")
    both = open_store(url, VaultKeys.from_secret(new, previous=[old]))
    pings(post, webhook_id)
    assert sender_of(both).run_once()
    pings(post, webhook_id)
    assert sender_of(open_store(url, VaultKeys.from_secret(new))).run_once(), "sealed anew when it was used"
    assert len(receiver.messages) == 2
    pings(post, webhook_id)
    assert sender_of(open_store(url, VaultKeys.from_secret(b"one that was never in use at all"))).run_once()
    assert post.deliveries(webhook_id)[-1]["reason"].startswith("its secret cannot be decrypted")
    assert receiver.bad == []


def test_the_library_verifies_what_it_is_sent(sqlite_post: Post, receiver: Receiver) -> None:
    """The receiver of these tests is no friend: what is tampered with is refused."""
    webhook_id = sqlite_post.hook(receiver)
    pings(sqlite_post, webhook_id)
    sqlite_post.deliver()
    [message] = receiver.messages
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(receiver.secret or "").verify(b'{"type": "other"}', message.headers)
