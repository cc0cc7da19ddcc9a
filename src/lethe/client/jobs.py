"""`client.jobs`: the alpha's record deletes, a job a user over all datasets of the default sandbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from lethe.client.exchange import Exchange
from lethe.client.result import Result

ROOT: Final = "/data/core/hygiene/jobs"


@dataclass(frozen=True, slots=True)
class UserId:
    """One identity of a user, which no message repeats."""

    namespace: str
    value: str = field(repr=False)
    type: Literal["standard", "custom"] = "standard"


class Job(Result):
    """One job; its id is that of its work order."""

    job_id: str


class Submitted(Result):
    """The jobs that were made, in the order of the users."""

    request_id: str
    total_records: int
    jobs: tuple[Job, ...]


class Jobs:
    """Jobs of the alpha; `client.work_orders` does more."""

    def __init__(self, exchange: Exchange, org: str) -> None:
        self._exchange = exchange
        self._org = org

    def create(self, users: Mapping[str, Sequence[UserId]], *, idempotency_key: str | None = None) -> Submitted:
        """Forget users, by their keys: all of them or none. Each has one to nine identities."""
        body = {
            "companyContexts": [{"namespace": "imsOrgID", "value": self._org}],
            "users": [
                {
                    "key": key,
                    "action": ["delete"],
                    "userIDs": [{"namespace": each.namespace, "value": each.value, "type": each.type} for each in ids],
                }
                for key, ids in users.items()
            ],
        }
        return self._exchange.create(ROOT, Submitted, body, idempotency_key)
