"""Why something is not done yet (Lethe's own; the published API says only `waiting` or `failure`)."""

from typing import Annotated

from lethe.contract.shape import Answer, InstantText, words
from lethe.contract.spelling import PRODUCT_NAME


class HindranceOut(Answer):
    """What one product, or the order as a whole, waits for, or why it was given up."""

    product_name: Annotated[str, words(*PRODUCT_NAME.values())] | None = None
    dataset_id: str | None = None
    step: Annotated[str, words("find", "bundle", "forget", "purge", "verify", "drop", "confirm")]
    product_status: Annotated[str, words("waiting", "failure")]
    reason: str
    attempts: int
    retry_at: InstantText | None = None
    failed_at: InstantText | None = None
