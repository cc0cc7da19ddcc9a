"""Making the certificate, in the transaction that completes the work, and pinning it in the audit trail."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from lethe.domain.absence import Absence
from lethe.domain.certificate import (
    DropFigures,
    ProductFigures,
    RowFigures,
    canonical,
    dataset_delete_certificate,
    digest,
    expiration_certificate,
    record_delete_certificate,
)
from lethe.domain.expiration import Completed, Expiration
from lethe.domain.ids import DatasetId, OrgId
from lethe.domain.product import Product, ProductProgress
from lethe.domain.service_result import ServiceResult
from lethe.domain.task import Place
from lethe.domain.work_order import Action, NamedDatasets, WorkOrder
from lethe.operations.own_call import own_event
from lethe.storage.result_interface import DatasetPlan, DatasetResult
from lethe.storage.work_interface import WorkTransaction

_WEAKEST_FIRST = (Absence.ASSERTED, Absence.DELETED_BY_OTHER_MEANS, Absence.VERIFIED)
_COUNTS = ("filesRemoved", "bytesRemoved", "tracesRemoved")


def certify_orders(tx: WorkTransaction, orders: Sequence[WorkOrder]) -> None:
    """Certify completed orders of one bundle."""
    ids = [order.work_order_id for order in orders]
    seen = tx.plans.evidence(orders[0].bundle_id)
    progress = tx.work_orders.products_of(ids)
    plans, results, services = tx.plans.of_each(ids), tx.plans.results_of(ids), tx.service_results.of_each(ids)
    hashes = tx.identities.hashes_of(ids)
    documents: dict[UUID, Mapping[str, Any]] = {}
    for order in orders:
        own = order.work_order_id
        if order.action is Action.DELETE_DATASET:
            datasets = order.scope.ids if isinstance(order.scope, NamedDatasets) else ()
            products = _dropped(progress.get(own, ()), datasets, seen)
            drops = [_drop(each, seen) for each in datasets]
            documents[own] = dataset_delete_certificate(order, drops, products, order.updated_at)
        else:
            rows = _rows(plans.get(own, ()), results.get(own, ()), seen)
            products = _forgotten(progress.get(own, ()), rows, services.get(own, ()))
            hashed = hashlib.sha256(b"".join(each for _, each in hashes.get(own, ()))).hexdigest()
            documents[own] = record_delete_certificate(order, rows, products, hashed, order.updated_at)
    _keep(tx, orders[0].org_id, documents)


def certify_expiration(tx: WorkTransaction, expiration: Expiration) -> None:
    """Certify a completed expiration, on the word of whoever set its date last."""
    if not isinstance(expiration, Completed):
        return
    asked = [
        entry for entry in tx.expirations.history(expiration.expiration_id) if entry.status in {"created", "updated"}
    ]
    seen = tx.plans.evidence(expiration.expiration_id)
    products = _dropped(tx.expirations.products(expiration.expiration_id), [expiration.dataset_id], seen)
    document = expiration_certificate(expiration, asked[-1].by, _drop(expiration.dataset_id, seen), products)
    _keep(tx, expiration.org_id, {expiration.expiration_id: document})


def _keep(tx: WorkTransaction, org_id: OrgId, documents: Mapping[UUID, Mapping[str, Any]]) -> None:
    texts = {subject_id: canonical(document) for subject_id, document in documents.items()}
    tx.certificates.add(org_id, texts)
    for subject_id, text in texts.items():
        tx.audit.append(own_event(org_id, "certificate.made", str(subject_id), sha256=digest(text)))


def _rows(
    plans: Sequence[DatasetPlan], results: Sequence[DatasetResult], seen: Mapping[Place, Mapping[str, Any]]
) -> list[RowFigures]:
    """What became of each dataset that the order planned; one without evidence had gone when it was looked for."""
    done = {result.dataset_id: result for result in results}
    figures = []
    for planned in plans:
        plan, result = planned.plan, done.get(planned.plan.dataset_id)
        figures.append(
            RowFigures(
                plan.dataset_id,
                plan.hash if result is None else result.plan_hash,
                plan.snapshot,
                plan.rows_matched,
                "" if result is None else result.snapshot,
                0 if result is None else result.rows_deleted,
                seen.get((Product.DATA_LAKE, plan.dataset_id), {}),
            )
        )
    return figures


def _forgotten(
    progress: Sequence[ProductProgress], datasets: Sequence[RowFigures], services: Sequence[ServiceResult]
) -> list[ProductFigures]:
    """How it is known of each product that the order's identities are gone."""
    by_product = {each.product: each for each in services}
    figures = []
    for each in progress:
        service = by_product.get(each.product)
        if each.product is Product.DATA_LAKE:
            figures.append(ProductFigures(each, _weakest([dataset.absence for dataset in datasets])))
        elif service is None:
            figures.append(ProductFigures(each, None))
        else:
            figures.append(ProductFigures(each, service.absence, service.counts))
    return figures


def _drop(dataset_id: DatasetId, seen: Mapping[Place, Mapping[str, Any]]) -> DropFigures:
    facts = seen.get((Product.DATA_LAKE, dataset_id), {})
    return DropFigures(
        dataset_id,
        _absence(facts) or Absence.DELETED_BY_OTHER_MEANS,
        facts.get("filesRemoved", 0),
        facts.get("bytesRemoved", 0),
        location_listed=facts.get("locationListed", False),
        looked_at=facts.get("at"),
    )


def _dropped(
    progress: Sequence[ProductProgress], datasets: Sequence[DatasetId], seen: Mapping[Place, Mapping[str, Any]]
) -> list[ProductFigures]:
    """How it is known of each product that nothing of the datasets is left."""
    figures = []
    for each in progress:
        facts = [seen.get((each.product, dataset_id), {}) for dataset_id in datasets]
        counted = [name for name in _COUNTS if any(name in fact for fact in facts)]
        counts = {name: sum(fact.get(name, 0) for fact in facts) for name in counted}
        figures.append(ProductFigures(each, _weakest([_absence(fact) for fact in facts]), counts))
    return figures


def _absence(facts: Mapping[str, Any]) -> Absence | None:
    return Absence(facts["absence"]) if "absence" in facts else None


def _weakest(absences: Collection[Absence | None]) -> Absence | None:
    """What may be said of all of them together; None of nothing."""
    return min((each for each in absences if each is not None), key=_WEAKEST_FIRST.index, default=None)
