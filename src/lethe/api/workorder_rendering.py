"""Between the wire's work orders and the domain's."""

from collections.abc import Sequence
from typing import assert_never

from msgspec import UNSET

from lethe.api.authors import author_of
from lethe.api.ttl_rendering import product_statuses, sandboxes_of
from lethe.api.windows import window_of
from lethe.contract.hindrances import HindranceOut
from lethe.contract.paging import order_keys
from lethe.contract.spelling import (
    ACTION_IN,
    ACTION_OUT,
    ALL_DATASETS,
    WORK_ORDER_ORDER,
    bundle_id_out,
    work_order_id_in,
    work_order_id_out,
)
from lethe.contract.times import format_instant
from lethe.contract.workorder import SkippedDatasetOut, WorkOrderOut, WorkOrderQuery
from lethe.contract.workorder_request import WorkOrderIn, id_runs
from lethe.domain.errors import InvalidField, MixedIdentityForms, NoIdentities, UnknownWorkOrder
from lethe.domain.ids import DatasetId, WorkOrderId
from lethe.domain.listing import By
from lethe.domain.product import ALL_PRODUCTS, SERVICES, Product, ProductProgress
from lethe.domain.work_order import Action, AllDatasets, NamedDatasets, Scope, Status, WorkOrder, status_of, statuses
from lethe.operations.call import Call
from lethe.operations.namespaces import NamespaceRef
from lethe.operations.work_orders import IdRun, OrderDraft
from lethe.storage.order_interface import WorkOrderFilter, WorkOrderOrder

DATASETS_MAX = 1_000
"""Datasets that one order may name."""


def draft_of(asked: WorkOrderIn) -> OrderDraft:
    """Say what a body asks for. Raises InvalidField, MixedIdentityForms, NoIdentities; WrongField for a bad id."""
    action = _action_of(asked.action)
    scope = _scope_of(asked.dataset_id)
    runs: Sequence[IdRun] = ()
    given = [form for form in (asked.identities, asked.namespaces_identities) if form is not UNSET and form is not None]
    if len(given) > 1:
        raise MixedIdentityForms("Identities and NamespacesIdentities are not allowed at the same time")
    if given:
        runs = [
            IdRun(NamespaceRef(run.namespace_field, run.code, run.namespace_id), run.ids, run.id_field, run.indexes)
            for run in id_runs(asked)
        ]
    elif action is Action.DELETE_IDENTITY:
        raise NoIdentities
    return OrderDraft(
        action=action,
        scope=scope,
        runs=runs,
        target_products=_targets_of(asked.target_services, scope),
        display_name=asked.display_name if isinstance(asked.display_name, str) else "",
        description=asked.description if isinstance(asked.description, str) else "",
    )


def work_order_out(
    order: WorkOrder,
    *,
    products: Sequence[ProductProgress] = (),
    with_skipped: bool = False,
    held_by: list[HindranceOut] | None = None,
) -> WorkOrderOut:
    """Render one work order."""
    created_at, updated_at = format_instant(order.created_at), format_instant(order.updated_at)
    skipped = [SkippedDatasetOut(dataset_id=each.dataset_id, reason=each.reason) for each in order.skipped]
    return WorkOrderOut(
        workorder_id=work_order_id_out(order.work_order_id),
        org_id=order.org_id,
        bundle_id=bundle_id_out(order.bundle_id),
        action=ACTION_OUT[order.action],
        created=created_at,
        updated=updated_at,
        operation_count=order.operation_count,
        target_services=[product.value for product in order.target_products],
        status=order.status.value,
        created_by=order.created_by,
        dataset_id=_scope_out(order.scope),
        dataset_name=order.dataset_name,
        display_name=order.display_name,
        description=order.description,
        operation=order.action.value,
        created_2022=created_at,
        updated_2022=updated_at,
        product_status_details=product_statuses(products) if products else None,
        skipped_datasets=skipped if with_skipped and isinstance(order.scope, AllDatasets) else None,
        held_by=held_by,
    )


def work_order_id_of(text: str) -> WorkOrderId:
    """The id in a path. Raises UnknownWorkOrder for what is none."""
    uuid = work_order_id_in(text)
    if uuid is None:
        raise UnknownWorkOrder
    return WorkOrderId(uuid)


def filter_of(query: WorkOrderQuery, call: Call) -> WorkOrderFilter | None:
    """Say which work orders the query asks for; None when no work order can be."""
    texts = [text for text in (query.workorder_id, query.workorder_id_2022, query.request_id) if text is not None]
    uuids = {work_order_id_in(text) for text in texts}
    if None in uuids or len(uuids) > 1:
        return None
    uuid = next(iter(uuids), None)
    created = window_of(None, query.from_date, query.to_date)
    return WorkOrderFilter(
        org_id=call.org_id,
        sandbox_names=sandboxes_of(query.sandbox_name, call, call.org),
        work_order_id=None if uuid is None else WorkOrderId(uuid),
        actions=_actions_of(query.type),
        statuses=_statuses_of(query.status),
        author=author_of(query.author),
        display_name=query.display_name,
        description=query.description,
        search=query.search,
        created=created,
        touched=window_of(query.filter_date, None, None),
    )


def order_of(query: WorkOrderQuery) -> list[By[WorkOrderOrder]]:
    """The ordering that the query asks for."""
    return [By(WorkOrderOrder(word), descending) for word, descending in order_keys(query.order_by, WORK_ORDER_ORDER)]


def _action_of(text: object) -> Action:
    if text is UNSET or text is None:
        return Action.DELETE_IDENTITY
    word = ACTION_IN.get(str(text))
    if word is None:
        raise InvalidField("is delete_identity or delete_dataset", field="action")
    return Action(word)


def _scope_of(text: object) -> Scope:
    if not isinstance(text, str) or not text.strip():
        raise InvalidField("is required: a dataset id, several separated by commas, or ALL", field="datasetId")
    ids = [part.strip() for part in text.split(",")]
    if ids == [ALL_DATASETS]:
        return AllDatasets()
    if ALL_DATASETS in ids:
        raise InvalidField("ALL stands alone", field="datasetId")
    if not all(ids):
        raise InvalidField("holds an empty dataset id", field="datasetId")
    if len(ids) > DATASETS_MAX:
        raise InvalidField(f"names at most {DATASETS_MAX} datasets", field="datasetId")
    return NamedDatasets(tuple(DatasetId(each) for each in dict.fromkeys(ids)))


def _scope_out(scope: Scope) -> str:
    match scope:
        case AllDatasets():
            return ALL_DATASETS
        case NamedDatasets(ids):
            return ",".join(ids)
        case unreachable:
            assert_never(unreachable)


def _targets_of(words: object, scope: Scope) -> Sequence[Product]:
    """All products; or, over all datasets, all but the lake."""
    if words is UNSET or words is None:
        return ALL_PRODUCTS
    asked = {str(word).lower() for word in words} if isinstance(words, list) else set()
    if asked == {product.value for product in ALL_PRODUCTS}:
        return ALL_PRODUCTS
    if asked != {product.value for product in SERVICES}:
        raise InvalidField("is absent, or exactly identity, profile and ajo", field="targetServices")
    if not isinstance(scope, AllDatasets):
        raise InvalidField("can only be given when datasetId is ALL", field="targetServices")
    return SERVICES


def _actions_of(text: str | None) -> frozenset[Action] | None:
    """The known actions of a comma list; an unknown one matches nothing."""
    if text is None:
        return None
    words = (ACTION_IN.get(word.strip()) for word in text.split(","))
    return frozenset(Action(word) for word in words if word is not None)


def _statuses_of(text: str | None) -> frozenset[Status] | None:
    """The known statuses of a comma list; an unknown one matches nothing."""
    if text is None:
        return None
    known = {status.value for status in statuses()}
    return frozenset(status_of(word.strip()) for word in text.split(",") if word.strip() in known)
