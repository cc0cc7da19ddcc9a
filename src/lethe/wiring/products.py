"""The services that must forget: embedded, in their own databases, or behind HTTP."""

from collections.abc import Mapping
from pathlib import Path

from lethe.clock import SystemIds, monotonic_seconds, system_now
from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.product import SERVICES, Product
from lethe.products.embedded import FILE_NAME, EmbeddedStores
from lethe.products.http.breaker import CircuitBreaker
from lethe.products.http.product import HttpProduct
from lethe.products.http.service import HttpService
from lethe.products.interface import CallingProduct, ForgettingProduct
from lethe.products.sql.mapping import FixedNamespace, IdentityColumns, NamespaceColumn, NamespaceForm, TableMapping
from lethe.products.sql.product import SqlProduct
from lethe.settings import (
    HttpProductSettings,
    IdentityColumnsSettings,
    ProductSettings,
    ProductsSettings,
    SqlProductSettings,
    TableSettings,
)


def embedded_stores(data_dir: Path) -> EmbeddedStores:
    """Open the embedded stores of the data directory."""
    return EmbeddedStores(data_dir / FILE_NAME)


def services(settings: ProductsSettings, embedded: EmbeddedStores) -> Mapping[Product, ForgettingProduct]:
    """Make each service as its settings say."""
    chosen: dict[Product, ProductSettings] = {
        Product.IDENTITY: settings.identity,
        Product.PROFILE: settings.profile,
        Product.JOURNEY: settings.ajo,
    }
    by_product: dict[Product, ForgettingProduct] = {each.product: each for each in embedded.products}
    return {product: _service(product, chosen[product], by_product[product]) for product in SERVICES}


def callbacks(products: Mapping[Product, ForgettingProduct]) -> Mapping[Product, CallingProduct]:
    """Those of the services that can call back."""
    return {product: each for product, each in products.items() if isinstance(each, HttpProduct)}


def service(product: Product, settings: ProductSettings) -> SqlProduct | HttpProduct:
    """Make a service that is not embedded. Raises ValueError where the settings cannot be used."""
    if settings.sql is not None:
        return _sql(product, settings.sql)
    if settings.http is not None:
        return _http(product, settings.http)
    raise ValueError(f"{product.value} is embedded")


def _service(product: Product, settings: ProductSettings, embedded: ForgettingProduct) -> ForgettingProduct:
    return embedded if settings.kind == "embedded" else service(product, settings)


def _sql(product: Product, settings: SqlProductSettings) -> SqlProduct:
    return SqlProduct(
        product,
        settings.url.get_secret_value(),
        tuple(map(_table, settings.tables)),
        chunk=settings.chunk,
        wait_seconds=settings.wait_seconds,
        rewrite=settings.rewrite,
    )


def _table(settings: TableSettings) -> TableMapping:
    return TableMapping(
        name=settings.name,
        key=settings.key,
        identities=tuple(map(_identity, settings.identities)),
        org_column=settings.org_column,
        org_id=None if settings.org_id is None else OrgId(settings.org_id),
        sandbox_column=settings.sandbox_column,
        sandbox_name=None if settings.sandbox_name is None else SandboxName(settings.sandbox_name),
        dataset_column=settings.dataset_column,
    )


def _identity(settings: IdentityColumnsSettings) -> IdentityColumns:
    if settings.namespace_column is not None:
        form = NamespaceForm(settings.namespace_form)
        return IdentityColumns(settings.id_column, NamespaceColumn(settings.namespace_column, form))
    return IdentityColumns(settings.id_column, FixedNamespace(settings.namespace or ""))


def _http(product: Product, settings: HttpProductSettings) -> HttpProduct:
    return HttpProduct(
        product,
        HttpService(
            base_url=settings.base_url,
            secret=settings.secret.get_secret_value(),
            can_verify=settings.can_verify,
            timeout_seconds=settings.timeout_seconds,
            ids_per_request=settings.ids_per_request,
            poll_seconds=settings.poll_seconds,
        ),
        now=system_now,
        new_id=SystemIds().uuid,
        monotonic=monotonic_seconds,
        breaker=CircuitBreaker(
            monotonic_seconds, failures_max=settings.failures_max, open_seconds=settings.open_seconds
        ),
    )
