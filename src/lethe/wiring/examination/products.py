"""The services that must forget: whether they answer, and can be sure."""

from collections.abc import Iterator
from uuid import uuid4

from lethe.domain.identity import Identities
from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.namespace import STANDARD
from lethe.domain.product import Product
from lethe.products.embedded import FILE_NAME
from lethe.products.interface import ForgettingProduct, ProductUnavailable, Space
from lethe.products.sql.product import SqlProduct
from lethe.settings import ProductSettings, Settings
from lethe.wiring.examination.finding import Finding, failed, ok, warning
from lethe.wiring.products import service

_EMAIL = next(namespace for namespace in STANDARD if namespace.code == "Email")


def examine_products(settings: Settings) -> Iterator[Finding]:
    """Ask each service about an identity that nobody has, as the verification asks."""
    chosen = {
        Product.IDENTITY: settings.products.identity,
        Product.PROFILE: settings.products.profile,
        Product.JOURNEY: settings.products.ajo,
    }
    for product, how in chosen.items():
        if how.kind == "embedded":
            yield _embedded(settings, product)
        else:
            yield from _reached(settings, product, how)


def _embedded(settings: Settings, product: Product) -> Finding:
    there = (settings.data_dir / FILE_NAME).is_file()
    told = "embedded, in the data directory" if there else "embedded; made at the first start"
    return ok("product", product.value, told)


def _reached(settings: Settings, product: Product, how: ProductSettings) -> Iterator[Finding]:
    section = f"[products.{product.value}.{how.kind}]"
    try:
        asked = service(product, how)
    except ValueError as error:
        yield failed("product", product.value, str(error), f"check {section}")
        return
    try:
        yield from _asked(settings, asked, section)
    except ProductUnavailable as error:
        yield failed("product", product.value, str(error), f"check {section}, and that it runs")
    finally:
        asked.close()


def _asked(settings: Settings, asked: ForgettingProduct, section: str) -> Iterator[Finding]:
    name = asked.product.value
    if isinstance(asked, SqlProduct):
        misfits = asked.misfits()
        for misfit in misfits:
            yield failed("product", name, misfit, f"correct {section}, or the database")
        if misfits:
            return
        for slow in asked.unindexed():
            yield warning("product", name, f"no index serves {slow}", "create one: each deletion scans the table")
    org = settings.orgs[0] if settings.orgs else None
    space = Space(OrgId(org.id if org else ""), SandboxName(org.sandboxes[0].name if org else ""))
    remaining = asked.remaining(space, Identities({_EMAIL: (f"{uuid4()}@example.invalid",)}))
    if remaining is None:
        yield warning(
            "product",
            name,
            "cannot be asked whether anything remains, so its word counts",
            f"set can_verify in {section} once the service answers",
        )
    elif remaining:
        yield failed("product", name, "finds an identity that nobody has", "its answers cannot be relied on")
    else:
        yield ok("product", name, "answers")
