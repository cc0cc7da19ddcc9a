"""An installation that runs: everything of the settings, opened and closed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from fastapi import FastAPI

from lethe.api.app import create_app
from lethe.api.rate_limit import RateLimiter
from lethe.api.services import EdgeLimits, Services
from lethe.catalog.organizations import ConfiguredOrganizations
from lethe.clock import SystemIds, monotonic_seconds
from lethe.domain.product import Product
from lethe.pipeline.delivering import Sender
from lethe.pipeline.finding import LakeFinder
from lethe.pipeline.worker import Worker
from lethe.products.interface import ForgettingProduct
from lethe.settings import Settings
from lethe.storage.store import SqlStore
from lethe.wiring.auth import authentication, document_signer
from lethe.wiring.datasets import register_datasets
from lethe.wiring.organizations import organization
from lethe.wiring.products import callbacks, embedded_stores
from lethe.wiring.products import services as forgetting_services
from lethe.wiring.store import open_store
from lethe.wiring.webhooks import new_secret, sender, webhook_rules
from lethe.wiring.work import engines, worker


@dataclass(frozen=True, slots=True)
class Lethe:
    """A running installation."""

    settings: Settings
    store: SqlStore
    organizations: ConfiguredOrganizations
    services: Services
    products: Mapping[Product, ForgettingProduct]

    def application(self) -> FastAPI:
        """Build the application for a server."""
        return create_app(self.services)

    def worker(self) -> Worker:
        """Make one worker; each runs in a thread of its own."""
        return worker(self.settings, self.store, self.products)

    def sender(self) -> Sender:
        """Make one sender of events; each runs in a thread of its own."""
        return sender(self.settings, self.store)


@contextmanager
def running(settings: Settings) -> Iterator[Lethe]:
    """Open everything, bring the database up to date, register the datasets of the settings; close it at the end."""
    ids = SystemIds()
    store = open_store(settings)
    embedded = embedded_stores(settings.data_dir)
    try:
        store.migrate()
        organizations = ConfiguredOrganizations(map(organization, settings.orgs))
        register_datasets(store, organizations, settings.datasets, ids)
        authenticator, issuer = authentication(settings)
        products = forgetting_services(settings.products, embedded)
        limits = settings.limits
        services = Services(
            store=store,
            authenticator=authenticator,
            issuer=issuer,
            signer=document_signer(settings),
            organizations=organizations,
            graph=embedded.graph,
            finder=LakeFinder(engines(settings)),
            ids=ids,
            rate_limiter=RateLimiter(limits.small_orders_per_second, limits.burst, monotonic_seconds),
            limits=EdgeLimits(
                body_bytes_max=limits.body_bytes_max,
                small_order_identities=limits.small_order_identities,
                idempotency_lifetime=timedelta(hours=limits.idempotency_hours),
                clock_skew_max=timedelta(seconds=limits.clock_skew_seconds),
            ),
            public_url=settings.public_url,
            webhook_rules=webhook_rules(settings.webhooks),
            new_secret=new_secret,
            real_path=os.path.realpath,
            callbacks=callbacks(products),
        )
        yield Lethe(settings, store, organizations, services, products)
    finally:
        embedded.close()
        store.close()
