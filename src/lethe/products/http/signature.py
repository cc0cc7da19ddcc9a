"""Signatures after Standard Webhooks: who sent this message, unchanged, and not long ago."""

import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from standardwebhooks import Webhook

from lethe.products.interface import BadCallback

AGE_MAX: Final = timedelta(minutes=5)
"""By how much a message's time may differ from ours; within it, a message can be repeated by whoever overheard it."""


class BadSignature(BadCallback):
    """The message is not signed as it should be."""


class Signer:
    """Signs messages with a shared secret, and verifies those that come back."""

    def __init__(self, secret: str, now: Callable[[], datetime]) -> None:
        """Raises ValueError for a secret that cannot be read; its message does not repeat it."""
        try:
            webhook = Webhook(secret)
        except Exception:  # noqa: BLE001 - the library has no common class, and its texts are not for showing
            webhook = None
        if webhook is None:
            raise ValueError("a service's secret is `whsec_` and base64")
        self._webhook = webhook
        self._now = now

    def __repr__(self) -> str:
        """Nothing of the secret."""
        return "Signer()"

    def headers(self, message_id: str, body: bytes) -> dict[str, str]:
        """The three headers that make the body this message of ours, now."""
        now = self._now()
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(message_id, now.astimezone(UTC), body.decode()),
        }

    def verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """The id of the message. Raises BadSignature.

        The time is checked here, by the given clock; the library would read its own.
        """
        lowered = {name.lower(): value for name, value in headers.items()}
        message_id, stamp, signatures = (
            lowered.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
        )
        if (
            not message_id
            or not message_id.isascii()
            or not stamp.isascii()
            or not stamp.isdigit()
            or len(stamp) > len("99999999999")
        ):
            raise BadSignature("a signed message has webhook-id, webhook-timestamp and webhook-signature")
        sent_at = datetime.fromtimestamp(int(stamp), UTC)
        if abs(self._now() - sent_at) > AGE_MAX:
            raise BadSignature("the message is too old, or ahead of its time")
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise BadSignature("the message is no text") from None
        expected = self._webhook.sign(message_id, sent_at, text).encode()
        if not any(hmac.compare_digest(expected, each.encode(errors="replace")) for each in signatures.split()):
            raise BadSignature("no signature fits")
        return message_id
