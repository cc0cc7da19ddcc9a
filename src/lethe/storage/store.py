"""The store: opens transactions, and is honest about how they end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import sqlalchemy as sa

from lethe.domain.identity import Identities
from lethe.domain.ids import OrgId, WorkOrderId
from lethe.storage.audit import SqlAuditTrail
from lethe.storage.bell import Bell
from lethe.storage.bundles import SqlBundles
from lethe.storage.callback_messages import SqlCallbacks
from lethe.storage.certificates import SqlCertificates
from lethe.storage.commit import Started, commit, database_time, start
from lethe.storage.dataset_locks import SqlDatasetLocks
from lethe.storage.datasets import SqlDatasets
from lethe.storage.deliveries import SqlDeliveries
from lethe.storage.ended import SqlEnded
from lethe.storage.engine import empty_wal, open_engines
from lethe.storage.events import SqlEvents
from lethe.storage.expirations import SqlExpirations
from lethe.storage.failures import SqlFailures
from lethe.storage.idempotency import SqlIdempotencyKeys
from lethe.storage.identities import SqlIdentityVault
from lethe.storage.interface import Store, StoreHealth, StoreUnavailable
from lethe.storage.listening import Listener, notify
from lethe.storage.migrate import is_current, migrate
from lethe.storage.namespaces import SqlNamespaces
from lethe.storage.plans import SqlPlans
from lethe.storage.quotas import SqlQuotas
from lethe.storage.reverifications import SqlReverifications
from lethe.storage.sealing import seal
from lethe.storage.service_results import SqlServiceResults
from lethe.storage.session import Session
from lethe.storage.tasks import SqlTasks
from lethe.storage.vault_interface import SealedIdentities
from lethe.storage.vault_keys import VaultKeys
from lethe.storage.webhooks import SqlWebhooks
from lethe.storage.work_interface import WorkStore
from lethe.storage.work_orders import SqlWorkOrders


class SqlTransaction:
    """All repositories on one transaction; implements `work_interface.WorkTransaction`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def now(self) -> datetime:
        """The time of the transaction, aware UTC."""
        return self._session.now

    @cached_property
    def datasets(self) -> SqlDatasets:
        """The catalog's datasets."""
        return SqlDatasets(self._session)

    @cached_property
    def namespaces(self) -> SqlNamespaces:
        """The custom identity namespaces."""
        return SqlNamespaces(self._session)

    @cached_property
    def expirations(self) -> SqlExpirations:
        """Dataset expirations."""
        return SqlExpirations(self._session, self.events)

    @cached_property
    def work_orders(self) -> SqlWorkOrders:
        """Work orders."""
        return SqlWorkOrders(self._session, self.events)

    @cached_property
    def identities(self) -> SqlIdentityVault:
        """The vault of identities."""
        return SqlIdentityVault(self._session)

    @cached_property
    def bundles(self) -> SqlBundles:
        """Bundles of work orders."""
        return SqlBundles(self._session)

    @cached_property
    def tasks(self) -> SqlTasks:
        """Promised steps."""
        return SqlTasks(self._session)

    @cached_property
    def failures(self) -> SqlFailures:
        """Steps that were given up."""
        return SqlFailures(self._session)

    @cached_property
    def plans(self) -> SqlPlans:
        """Plans, results and evidence."""
        return SqlPlans(self._session)

    @cached_property
    def service_results(self) -> SqlServiceResults:
        """What became of orders in services."""
        return SqlServiceResults(self._session)

    @cached_property
    def reverifications(self) -> SqlReverifications:
        """What later looks saw."""
        return SqlReverifications(self._session)

    @cached_property
    def ended(self) -> SqlEnded:
        """Work that has ended."""
        return SqlEnded(self._session)

    @cached_property
    def certificates(self) -> SqlCertificates:
        """Certificates of completed work."""
        return SqlCertificates(self._session)

    @cached_property
    def dataset_locks(self) -> SqlDatasetLocks:
        """Which bundle or expiration has a dataset."""
        return SqlDatasetLocks(self._session)

    @cached_property
    def quotas(self) -> SqlQuotas:
        """Counters of what is spent."""
        return SqlQuotas(self._session)

    @cached_property
    def audit(self) -> SqlAuditTrail:
        """The audit trail."""
        return SqlAuditTrail(self._session)

    @cached_property
    def idempotency(self) -> SqlIdempotencyKeys:
        """Answers kept for repetition."""
        return SqlIdempotencyKeys(self._session)

    @cached_property
    def events(self) -> SqlEvents:
        """The outbox."""
        return SqlEvents(self._session)

    @cached_property
    def webhooks(self) -> SqlWebhooks:
        """Who is told of events."""
        return SqlWebhooks(self._session)

    @cached_property
    def deliveries(self) -> SqlDeliveries:
        """Events on their way."""
        return SqlDeliveries(self._session)

    @cached_property
    def callbacks(self) -> SqlCallbacks:
        """Messages of services."""
        return SqlCallbacks(self._session)


class SqlStore:
    """Lethe's memory in SQLite (`sqlite:///path`) or PostgreSQL (`postgresql://…`); implements `interface.Store`."""

    def __init__(self, url: str, keys: VaultKeys, *, now: Callable[[], datetime] | None = None) -> None:
        """`now` replaces the database's clock. Raises ValueError on a URL of another kind."""
        self._engines = open_engines(url)
        self._keys = keys
        self._now = now
        self.bell = Bell()
        """Rings when this store committed something that a worker can do at once."""

    def __repr__(self) -> str:
        """The kind alone: the URL may hold a password."""
        return f"SqlStore({self._engines.write.dialect.name})"

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """A transaction that changes nothing and sees one moment. Raises StoreUnavailable."""
        with _translated(), self._engines.read.connect() as connection, connection.begin():
            yield SqlTransaction(
                Session(connection, self._keys, writing=False, clock=lambda: self._time_of(connection, None))
            )

    @contextmanager
    def write(self) -> Iterator[SqlTransaction]:
        """A transaction, committed at the end of the block. Raises StoreUnavailable, CommitUnknown."""
        with _translated(), self._engines.write.connect() as connection:
            transaction = connection.begin()
            try:
                started = start(connection)
                session = Session(
                    connection, self._keys, writing=True, clock=lambda: self._time_of(connection, started)
                )
                yield SqlTransaction(session)
                session.finish()
                if session.wakes_workers and session.is_postgres:
                    notify(connection)
            except BaseException:
                # The connection may be what failed; its server then rolls back by itself.
                with suppress(sa.exc.DBAPIError):
                    transaction.rollback()
                raise
            commit(self._engines.write, transaction, started)
            if session.destroyed_secrets and not session.is_postgres:
                empty_wal(connection)
        if session.wakes_workers:
            self.bell.ring()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Let the bell also ring for what other processes store, where the database can tell; as the block runs."""
        if not self._engines.is_postgres:
            yield
            return
        listener = Listener(self._engines.write.url, self.bell)
        listener.start()
        try:
            yield
        finally:
            listener.stop()

    def seal(self, org_id: OrgId, work_order_id: WorkOrderId, identities: Identities) -> SealedIdentities:
        """Encrypt and hash the identities of an order to come; nothing is stored."""
        return seal(self._keys.current, org_id, work_order_id, identities)

    def health(self) -> StoreHealth:
        """Look at the database. Never raises."""
        try:
            with _translated(), self._engines.read.connect() as connection, connection.begin():
                skew = datetime.now(UTC) - database_time(connection)
                current = is_current(connection)
        except Exception as error:  # noqa: BLE001 - a readiness check reports whatever it is
            return StoreHealth(False, False, timedelta(0), str(error) or type(error).__name__)
        problem = None if current else "the database's schema is not the newest: migrations are missing"
        return StoreHealth(True, current, skew, problem)

    def migrate(self) -> None:
        """Bring the schema to the newest version. Raises StoreUnavailable."""
        with _translated():
            migrate(self._engines)

    def close(self) -> None:
        """Give back every connection."""
        self._engines.dispose()

    def _time_of(self, connection: sa.Connection, started: Started | None) -> datetime:
        if self._now is not None:
            return self._now()
        return started.at if started is not None else database_time(connection)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn a database that does not answer into StoreUnavailable.

    The cause is named and not chained: a driver's message repeats the host, the user and the database. Errors that
    an answering database reports, such as a broken constraint, are faults of ours and pass as they are.
    """
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
        state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
        reason = ", ".join(filter(None, [type(error.orig).__name__, state]))
        raise StoreUnavailable(f"the database did not answer ({reason})") from None
    except sa.exc.TimeoutError:
        raise StoreUnavailable("every database connection is in use") from None


if TYPE_CHECKING:
    # What is written here is what was asked for.
    _: type[Store] = SqlStore
    __: type[WorkStore] = SqlStore
