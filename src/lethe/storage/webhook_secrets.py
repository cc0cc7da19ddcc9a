"""Webhooks' secrets at rest: encrypted under a key of the settings' secret, each bound to its webhook."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lethe.domain.ids import WebhookId
from lethe.storage.vault_keys import KeySet, UnknownVaultKey, VaultKeys

_NONCE_LENGTH: Final = 12


def sealed(keys: KeySet, webhook_id: WebhookId, secret: str) -> bytes:
    """The secret, encrypted."""
    nonce = os.urandom(_NONCE_LENGTH)
    return nonce + AESGCM(keys.webhook_key).encrypt(nonce, secret.encode(), _place(webhook_id))


def opened(keys: VaultKeys, key_id: str, webhook_id: WebhookId, ciphertext: bytes) -> str | None:
    """The secret; None when the settings no longer hold its key, or it is not this webhook's."""
    try:
        cipher = AESGCM(keys.of(key_id).webhook_key)
        nonce, content = ciphertext[:_NONCE_LENGTH], ciphertext[_NONCE_LENGTH:]
        return cipher.decrypt(nonce, content, _place(webhook_id)).decode()
    except (UnknownVaultKey, InvalidTag):
        return None


def _place(webhook_id: WebhookId) -> bytes:
    return b"webhook secret\x1f" + webhook_id.bytes
