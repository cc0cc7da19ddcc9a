"""How it is known that something is gone: what a certificate may say of a dataset or a product."""

from enum import StrEnum
from typing import Final


class Absence(StrEnum):
    """Whose word it is, or what was looked at."""

    VERIFIED = "verified"
    """It was looked for after the deletion, by Lethe or by the service that was asked, and nothing is left."""
    ASSERTED = "asserted"
    """The service says that it deleted; it cannot be asked what is left."""
    DELETED_BY_OTHER_MEANS = "deletedByOtherMeans"
    """The dataset had left the catalog before: nothing was deleted here, and nobody looked."""


OTHER_MEANS_REASON: Final = "the dataset had been deleted by other means"
