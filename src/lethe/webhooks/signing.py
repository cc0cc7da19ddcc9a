"""Signatures after Standard Webhooks: one for each valid secret, so that receivers can change theirs in peace."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook


def signed_headers(secrets: Sequence[str], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The three headers that make the body this message of ours, now."""
    text, at = body.decode(), now.astimezone(UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, at, text) for secret in secrets),
    }


def secret_of(randomness: bytes) -> str:
    """The secret that these random bytes are, as both sides write it."""
    return f"whsec_{base64.b64encode(randomness).decode()}"
