"""Between the wire's reasons and the domain's."""

from lethe.contract.hindrances import HindranceOut
from lethe.contract.spelling import PRODUCT_NAME
from lethe.contract.times import format_instant
from lethe.domain.failure import Hindrances
from lethe.domain.product import Product, ProductStatus


def hindrances_out(found: Hindrances) -> list[HindranceOut] | None:
    """Render what stands in the way; None when nothing does."""
    failures = [
        HindranceOut(
            product_name=_name(each.product),
            dataset_id=each.dataset_id,
            step=each.step.value,
            product_status=ProductStatus.FAILURE.value,
            reason=each.reason,
            attempts=each.attempts,
            failed_at=format_instant(each.at),
        )
        for each in found.failures
    ]
    delays = [
        HindranceOut(
            product_name=_name(each.product),
            dataset_id=each.dataset_id,
            step=each.step.value,
            product_status=ProductStatus.WAITING.value,
            reason=each.reason,
            attempts=each.attempts,
            retry_at=format_instant(each.again_at),
        )
        for each in found.delays
    ]
    return [*failures, *delays] or None


def _name(product: Product | None) -> str | None:
    return None if product is None else PRODUCT_NAME[product]
