"""The alpha's jobs: one work order a user, over all datasets of the default sandbox, all or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from lethe.clock import Ids
from lethe.domain.errors import InvalidField
from lethe.domain.identity import RequestedIds, distinct
from lethe.domain.namespace import Namespace
from lethe.domain.product import ALL_PRODUCTS
from lethe.domain.work_order import Action, AllDatasets, WorkOrder
from lethe.operations.call import Call
from lethe.operations.namespaces import namespace_book
from lethe.operations.work_orders import OrderDraft, PreparedOrder, SealedOrder, accept, seal
from lethe.storage.interface import Store, Transaction


@dataclass(frozen=True, slots=True)
class UserId:
    """One identity of a user; `namespace` is a code or a name."""

    namespace: str
    value: str
    custom: bool

    def __repr__(self) -> str:
        return "UserId()"


@dataclass(frozen=True, slots=True)
class JobUser:
    """One user to forget."""

    key: str
    ids: Sequence[UserId]


@dataclass(frozen=True, slots=True)
class PreparedJob:
    """A user whose identities are known to be good, with the namespace of each."""

    user: JobUser
    namespaces: Sequence[Namespace]
    order: PreparedOrder


def prepare_jobs(tx: Transaction, call: Call, users: Sequence[JobUser]) -> Sequence[PreparedJob]:
    """Check every user's identities. Raises UnknownNamespace, InvalidField."""
    book = namespace_book(tx, call.org_id)
    jobs = []
    for user_index, user in enumerate(users):
        namespaces, runs = [], []
        for index, identity in enumerate(user.ids):
            field = f"users[{user_index}].userIDs[{index}]"
            namespace = book.resolve_code_or_name(identity.namespace, f"{field}.namespace")
            if namespace.custom != identity.custom:
                kind = "custom" if namespace.custom else "standard"
                raise InvalidField(f"must be {kind!r}, as the namespace is", field=f"{field}.type")
            namespaces.append(namespace)
            runs.append(RequestedIds(namespace, [identity.value], f"users[{user_index}].userIDs[{{}}].value", [index]))
        draft = OrderDraft(Action.DELETE_IDENTITY, AllDatasets(), (), ALL_PRODUCTS)
        jobs.append(PreparedJob(user, namespaces, PreparedOrder(draft, distinct(runs))))
    return jobs


def seal_jobs(store: Store, call: Call, jobs: Sequence[PreparedJob], *, ids: Ids) -> Sequence[SealedOrder]:
    """Encrypt every user's identities. Belongs outside of any transaction."""
    return [seal(store, call, job.order, ids=ids) for job in jobs]


def accept_jobs(tx: Transaction, call: Call, sealed: Sequence[SealedOrder], *, ids: Ids) -> Sequence[WorkOrder]:
    """Store one work order a user, in their order. Raises QuotaExceeded; then none is stored."""
    return [accept(tx, call, order, ids=ids) for order in sealed]
