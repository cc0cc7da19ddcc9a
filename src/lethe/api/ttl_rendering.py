"""Between the wire's expirations and the domain's."""

from collections.abc import Collection, Sequence

from lethe.api.authors import author_of
from lethe.api.windows import window_of
from lethe.contract.hindrances import HindranceOut
from lethe.contract.paging import order_keys
from lethe.contract.spelling import (
    ANY_SANDBOX,
    EXPIRATION_ORDER,
    PRODUCT_NAME,
    STATUS_IN,
    expiration_id_in,
    expiration_id_out,
)
from lethe.contract.times import format_instant
from lethe.contract.ttl import ExpirationOut, ExpirationQuery, HistoryOut, ProductStatusOut
from lethe.domain.caller import Caller
from lethe.domain.expiration import Expiration, ExpirationStatus, HistoryEntry, Trashed
from lethe.domain.ids import DatasetId, ExpirationId, SandboxName
from lethe.domain.listing import By, Page
from lethe.domain.organization import Organization
from lethe.domain.product import ProductProgress
from lethe.operations.call import Call
from lethe.operations.expirations import Key
from lethe.storage.order_interface import ExpirationFilter, ExpirationOrder


def key_of(text: str) -> Key:
    """What the `{ID}` of a path names."""
    uuid = expiration_id_in(text)
    return DatasetId(text) if uuid is None else ExpirationId(uuid)


def expiration_out(
    expiration: Expiration,
    *,
    products: Sequence[ProductProgress] = (),
    only: Collection[str] | None = None,
    history: Sequence[HistoryEntry] | None = None,
    held_by: list[HindranceOut] | None = None,
    message: str | None = None,
) -> ExpirationOut:
    """Render one expiration; `only` restricts the products shown to these names."""
    return ExpirationOut(
        ttl_id=expiration_id_out(expiration.expiration_id),
        dataset_id=expiration.dataset_id,
        dataset_name=expiration.dataset_name,
        sandbox_name=expiration.sandbox_name,
        ims_org=expiration.org_id,
        status=expiration.status.value,
        expiry=format_instant(expiration.expiry_at),
        updated_at=format_instant(expiration.updated_at),
        updated_by=expiration.updated_by,
        display_name=expiration.display_name,
        description=expiration.description,
        product_status_details=product_statuses(products, only) if products else None,
        destroy_after=format_instant(expiration.destroy_at) if isinstance(expiration, Trashed) else None,
        held_by=held_by,
        history=None if history is None else [_history_out(entry) for entry in history],
        message=message,
    )


def product_statuses(
    products: Sequence[ProductProgress], only: Collection[str] | None = None
) -> list[ProductStatusOut]:
    """Render how far each product is."""
    return [
        ProductStatusOut(
            product_name=PRODUCT_NAME[progress.product],
            product_status=progress.status.value,
            created_at=format_instant(progress.at),
        )
        for progress in products
        if only is None or PRODUCT_NAME[progress.product] in only
    ]


def filter_of(query: ExpirationQuery, call: Call, org: Organization) -> ExpirationFilter | None:
    """Say which expirations of the org the query asks for; None when no expiration can be."""
    expiration_id = None if query.ttl_id is None else expiration_id_in(query.ttl_id)
    if query.ttl_id is not None and expiration_id is None:
        return None
    return ExpirationFilter(
        org_id=org.org_id,
        sandbox_names=sandboxes_of(query.sandbox_name, call, org),
        dataset_id=None if query.dataset_id is None else DatasetId(query.dataset_id),
        expiration_id=None if expiration_id is None else ExpirationId(expiration_id),
        statuses=_statuses_of(query.status),
        author=author_of(query.author),
        dataset_name=query.dataset_name,
        display_name=query.display_name,
        description=query.description,
        search=query.search,
        created=window_of(query.created_date, query.created_from_date, query.created_to_date),
        updated=window_of(query.updated_date, query.updated_from_date, query.updated_to_date),
        cancelled=window_of(query.cancelled_date, query.cancelled_from_date, query.cancelled_to_date),
        executed=window_of(query.executed_date, query.executed_from_date, query.executed_to_date),
        completed=window_of(query.completed_date, query.completed_from_date, query.completed_to_date),
        expiry=window_of(query.expiry_date, query.expiry_from_date, query.expiry_to_date),
    )


def order_of(query: ExpirationQuery) -> list[By[ExpirationOrder]]:
    """The ordering that the query asks for."""
    return [By(ExpirationOrder(word), descending) for word, descending in order_keys(query.order_by, EXPIRATION_ORDER)]


def page_of(query: ExpirationQuery) -> Page:
    """The page that the query asks for."""
    limit = query.size if query.size is not None and "limit" not in query.model_fields_set else query.limit
    return Page(query.page, limit)


def sandboxes_of(name: str | None, call: Call, org: Organization) -> frozenset[SandboxName] | None:
    """The org's sandboxes that a list covers: the header's, a named one, or `*` for all that the caller may see."""
    if name is None:
        return frozenset({call.sandbox_name})
    if name == ANY_SANDBOX:
        return visible_sandboxes(call.caller, org)
    return frozenset({SandboxName(name)}) & visible_sandboxes(call.caller, org)


def visible_sandboxes(caller: Caller, org: Organization) -> frozenset[SandboxName]:
    """Every sandbox of the org that the caller may see."""
    return frozenset(sandbox.name for sandbox in org.sandboxes if caller.sees(sandbox.name))


def _statuses_of(text: str | None) -> frozenset[ExpirationStatus] | None:
    """The known statuses of a comma list; an unknown one matches nothing."""
    if text is None:
        return None
    known = {status.value: status for status in ExpirationStatus}
    words = (STATUS_IN.get(word.strip(), word.strip()) for word in text.split(","))
    return frozenset(known[word] for word in words if word in known)


def _history_out(entry: HistoryEntry) -> HistoryOut:
    return HistoryOut(
        status=entry.status.value,
        expiry=format_instant(entry.expiry_at),
        updated_at=format_instant(entry.at),
        updated_by=entry.by,
        reason=entry.reason,
    )
