"""The refusals of the rules. The class is the kind, its docstring is the message that a caller reads.

A refusal carries only what may be shown: the field, the index in a list, counts and names from the catalog.
It never carries an identity value. Which HTTP status a kind becomes is decided in `api.problems` alone.
"""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """The request cannot be carried out."""

    def __init__(self, because: str | None = None, *, field: str | None = None, **context: Any) -> None:
        """`because` completes the message; `field` is the wire's path (`identities[3].id`); `context` is public."""
        self.because = because
        self.field = field
        self.context: Mapping[str, Any] = context
        super().__init__(self.detail)

    @property
    def detail(self) -> str:
        """One sentence for the caller: the field, what is wrong, and what would be right."""
        message = (type(self).__doc__ or "").strip().splitlines()[0]
        where = f"{self.field}: " if self.field else ""
        return f"{where}{self.because or message}"


class InvalidField(Refusal):
    """The value is not valid."""


class UnknownDataset(Refusal):
    """The dataset does not exist."""


class UnknownExpiration(Refusal):
    """The dataset expiration does not exist."""


class UnknownWorkOrder(Refusal):
    """The work order does not exist."""


class UnknownSandbox(Refusal):
    """The sandbox does not exist, or is not visible to the caller."""


class UnknownSchema(Refusal):
    """The schema does not exist."""


class UnknownNamespace(Refusal):
    """The identity namespace is not known to the organization."""


class NamespaceExists(Refusal):
    """An identity namespace with this code already exists."""


class DatasetExists(Refusal):
    """A dataset with this id already exists."""


class TableTaken(Refusal):
    """The table is that of a registered dataset, contains it, or lies inside it."""


class ExpiryTooSoon(Refusal):
    """The expiry is not far enough in the future."""


class ExpirationExists(Refusal):
    """The dataset already has a pending or executing expiration."""


class ExpirationNotEditable(Refusal):
    """The dataset expiration is executing or completed, and can no longer be changed."""


class ExpirationNotCancellable(Refusal):
    """No pending dataset expiration was found to cancel."""


class ProductStatusNotAvailable(Refusal):
    """Product statuses exist only once the expiration is executing or completed."""


class NoIdentities(Refusal):
    """Identities are Empty for Delete Identity request."""


class MixedIdentityForms(Refusal):
    """Identities and NamespacesIdentities are not allowed at the same time."""


class TooManyIdentities(Refusal):
    """The request holds more identities than one work order may."""


class DatasetHasNoIdentity(Refusal):
    """The dataset has neither a primary identity nor an identity map."""


class NamespaceDoesNotFit(Refusal):
    """The namespace is not that of the dataset's primary identity."""


class QuotaExceeded(Refusal):
    """The request exceeds the organization's quota."""


class PermissionDenied(Refusal):
    """The caller lacks the permission that this operation needs."""


class IdempotencyConflict(Refusal):
    """The Idempotency-Key was already used with another request body."""


class RateLimited(Refusal):
    """Too many small work orders in a short time; put more identities into one work order."""


class TableNotDeletable(Refusal):
    """A table in scope cannot be deleted from with certainty."""


class TableNotReadable(Refusal):
    """A table in scope could not be read this time."""


class NoPlanYet(Refusal):
    """The work order has no plan yet, or needs none."""


class WorkOrderNotFailed(Refusal):
    """The work order has not failed, so there is nothing to retry."""


class IdentitiesDestroyed(Refusal):
    """The order's identities were destroyed, since it had failed long ago; submit a new work order."""


class ExpirationNotStuck(Refusal):
    """Nothing of the dataset expiration was given up, so there is nothing to retry."""


class ExpirationNotRestorable(Refusal):
    """The dataset cannot be restored: only an executing expiration whose dataset is not being destroyed yet can."""


class NoCertificateYet(Refusal):
    """There is no certificate, for the work is not completed."""


class UnknownWebhook(Refusal):
    """The webhook does not exist."""


class TooManyWebhooks(Refusal):
    """The organization has as many webhooks as it may have."""


class UnknownDelivery(Refusal):
    """The delivery does not exist, or is no longer kept."""


class CallbackNotVerified(Refusal):
    """The callback is not signed by the service, or cannot be read."""


class UnknownCallback(Refusal):
    """The callback is about no request that the service was sent."""
