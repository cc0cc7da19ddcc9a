"""`Lethe`: the client."""

from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from lethe import __version__
from lethe.client.connection import Connection, environment, from_variables
from lethe.client.datasets import Datasets
from lethe.client.exchange import Exchange
from lethe.client.expirations import Expirations
from lethe.client.jobs import Jobs
from lethe.client.neighbours import QUOTA, Namespaces, Quota, Quotas, Sandboxes
from lethe.client.retrying import Patience
from lethe.client.surroundings import Surroundings
from lethe.client.tokens import ClientCredentials, GivenToken, Tokens
from lethe.client.waiting import Pace
from lethe.client.webhooks import Webhooks
from lethe.client.work_orders import WorkOrders


class Lethe:
    """A Lethe, called as one client of one organization, in one sandbox. Threads may share it; close it at the end.

    Give `client_secret` for tokens that are fetched and renewed by themselves, or a `token` that you have.
    `timeout` is how many seconds one answer may take; a preview of large tables takes some.
    """

    def __init__(
        self,
        url: str,
        org: str,
        api_key: str,
        client_secret: str | None = None,
        *,
        token: str | None = None,
        sandbox: str | None = None,
        timeout: float = 60,
        patience: Patience | None = None,
        pace: Pace | None = None,
        surroundings: Surroundings | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Connect lazily: nothing is sent before the first call. Raises NotConfigured."""
        self.connection = Connection(url.rstrip("/"), org, api_key, client_secret, token, sandbox)
        around, patience, pace = surroundings or Surroundings(), patience or Patience(), pace or Pace()
        self._http = httpx2.Client(
            base_url=self.connection.url,
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10)),
            headers={"User-Agent": f"lethe-client/{__version__}"},
            transport=transport,
        )
        self._exchange = Exchange(self.connection, self._http, self._tokens(patience, around), patience, around)
        self.work_orders = WorkOrders(self._exchange, pace)
        """Record deletes, and immediate dataset deletes."""
        self.expirations = Expirations(self._exchange, pace)
        """Dataset expirations."""
        self.datasets = Datasets(self._exchange)
        """Which datasets there are."""
        self.namespaces = Namespaces(self._exchange)
        """Identity namespaces."""
        self.sandboxes = Sandboxes(self._exchange)
        """The sandboxes that the caller may see."""
        self.webhooks = Webhooks(self._exchange)
        """Who is told of events."""
        self.jobs = Jobs(self._exchange, org)
        """The alpha's record deletes."""

    @classmethod
    def from_environment(
        cls, file: Path | str | None = None, *, sandbox: str | None = None, timeout: float = 60
    ) -> Self:
        """The client that LETHE_URL, LETHE_ORG, LETHE_API_KEY, LETHE_CLIENT_SECRET or LETHE_TOKEN describe.

        LETHE_SANDBOX is optional. A `file` such as `data/lethe.env` holds the same variables; the environment wins
        over it. Raises NotConfigured, naming what is missing.
        """
        found = from_variables(environment(file))
        return cls(
            found.url,
            found.org,
            found.api_key,
            found.client_secret,
            token=found.token,
            sandbox=sandbox or found.sandbox,
            timeout=timeout,
        )

    def quota(self, quota_type: str | None = None) -> tuple[Quota, ...]:
        """The organization's quotas, or those of one name."""
        return self._exchange.get(QUOTA, Quotas, {"quotaType": quota_type}).quotas

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        """Where and as whom; no secret."""
        return (
            f"Lethe({self.connection.url!r}, org={self.connection.org!r}, api_key={self.connection.api_key!r}, "
            f"sandbox={self.connection.sandbox!r})"
        )

    def _tokens(self, patience: Patience, around: Surroundings) -> Tokens:
        if self.connection.client_secret:
            return ClientCredentials(
                self._http, self.connection.api_key, self.connection.client_secret, patience, around
            )
        return GivenToken(self.connection.token or "")
