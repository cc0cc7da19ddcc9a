"""One dataset expiration, as it was when it was looked up."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from pydantic import AwareDatetime, Field, PrivateAttr

from lethe.client.result import Result
from lethe.client.signed import Certificate
from lethe.client.work_order import Hindrance, ProductStatus

ENDED: Final = frozenset({"completed", "cancelled"})


class HistoryEntry(Result):
    """One thing that happened to an expiration."""

    status: str
    expiry: AwareDatetime
    updated_at: AwareDatetime
    updated_by: str
    reason: str | None = None


class ExpirationSource(Protocol):
    """Where an expiration comes from, and can be asked about again."""

    def get(self, key: str) -> "Expiration":
        """Look it up."""
        ...

    def wait(
        self,
        key: str,
        timeout: float | None = None,
        on_progress: "Callable[[Expiration], object] | None" = None,
    ) -> "Expiration":
        """Wait for its end."""
        ...

    def cancel(self, key: str) -> "Expiration":
        """Call it off."""
        ...

    def certificate(self, key: str) -> Certificate:
        """Fetch its certificate."""
        ...


class Expiration(Result):
    """One expiration: `pending`, `executing`, `completed` or `cancelled`."""

    ttl_id: str
    dataset_id: str
    dataset_name: str
    sandbox_name: str
    org_id: str = Field(alias="imsOrg")
    status: str
    expiry: AwareDatetime
    updated_at: AwareDatetime
    updated_by: str
    display_name: str
    description: str
    product_status_details: tuple[ProductStatus, ...] = ()
    held_by: tuple[Hindrance, ...] = ()
    """What stands in the way, if something does."""
    destroy_after: AwareDatetime | None = None
    """Until when the dataset of an executing expiration can be restored, if it can be."""
    _expirations: ExpirationSource | None = PrivateAttr(default=None)

    @property
    def has_ended(self) -> bool:
        """Whether nothing happens any more unless somebody asks for it."""
        return self.status in ENDED

    @property
    def has_failed(self) -> bool:
        """Whether it executes, and a product was given up: it stays so until it is retried."""
        return self.status == "executing" and any(
            each.product_status == "failure" for each in self.product_status_details
        )

    def refresh(self) -> "Expiration":
        """The expiration as it is now."""
        return self._source.get(self.ttl_id)

    def cancel(self) -> "Expiration":
        """Call it off; the dataset stays. Raises NotFound unless it is pending."""
        return self._source.cancel(self.ttl_id)

    def wait(
        self, timeout: float | None = None, on_progress: "Callable[[Expiration], object] | None" = None
    ) -> "Expiration":
        """Wait until the dataset is destroyed, or the expiration cancelled; the expiration as it is then.

        `on_progress` is called with it at first and after every change. Raises WorkFailed when it fails, StillWorking
        when it has not ended after `timeout` seconds.
        """
        return self._source.wait(self.ttl_id, timeout, on_progress)

    def certificate(self) -> Certificate:
        """The signed certificate of the completed expiration. Raises NotFound before."""
        return self._source.certificate(self.ttl_id)

    def bound(self, expirations: ExpirationSource) -> "Expiration":
        """The same expiration, which can be asked about again there."""
        self._expirations = expirations
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are facts alone: a connection does not travel."""
        return Expiration.model_validate, (self.model_dump(by_alias=True),)

    @property
    def _source(self) -> ExpirationSource:
        if self._expirations is None:
            raise ValueError("this copy of an expiration has no connection; look it up with client.expirations.get")
        return self._expirations
