"""How events reach webhooks."""

import secrets
from datetime import timedelta
from random import SystemRandom
from typing import Final

from lethe.api.event_rendering import event_json
from lethe.clock import monotonic_seconds, system_now
from lethe.domain.addresses import AddressRule
from lethe.operations.webhooks import WebhookRules
from lethe.pipeline.delivering import DeliveryPolicy, Sender
from lethe.settings import Settings, WebhookSettings
from lethe.storage.store import SqlStore
from lethe.webhooks.poster import Poster
from lethe.webhooks.signing import secret_of
from lethe.wiring.work import owner_name

_SECRET_BYTES: Final = 32


def webhook_rules(settings: WebhookSettings) -> WebhookRules:
    """Make what the installation allows."""
    return WebhookRules(settings.max_per_org, AddressRule(settings.allowed_networks))


def new_secret() -> str:
    """Make a secret that nobody can guess."""
    return secret_of(secrets.token_bytes(_SECRET_BYTES))


def sender(settings: Settings, store: SqlStore) -> Sender:
    """Make a sender whose claims name this machine and process."""
    webhooks = settings.webhooks
    rule = AddressRule(webhooks.allowed_networks)
    poster = Poster(rule, webhooks.timeout_seconds, now=system_now, monotonic=monotonic_seconds)
    lease = timedelta(seconds=settings.work.lease_seconds + webhooks.timeout_seconds)
    policy = DeliveryPolicy(
        lease=lease,
        disable_after=timedelta(days=webhooks.disable_after_days),
        keep=timedelta(days=webhooks.keep_days),
    )
    return Sender(store, poster, event_json, owner=owner_name(), jitter=SystemRandom().random, policy=policy)
