"""The API as a client calls it that repeats what was not answered: a 5xx says that nothing was stored."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any, Final

import httpx2

from support.server import Server
from torture.ledger import Asked

HYGIENE: Final = "/data/core/hygiene"
ANSWER_SECONDS_MAX: Final = 120
TOO_SOON: Final = "HYGN-3002-400"


class TooLate(Exception):
    """By the time of the answer the expiry had passed."""


class PatientClient:
    """Sends each request until it is answered."""

    def __init__(self, server: Server, unanswered: Callable[[], None]) -> None:
        """`unanswered` is called before a request is repeated that was not answered in its time."""
        self._server = server
        self._unanswered = unanswered
        self._headers = server.headers()
        self._sent = 0

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer's JSON."""
        self._sent += 1
        headers = {"Idempotency-Key": f"request-{self._sent}"} if method == "POST" else {}
        give_up_at = monotonic() + ANSWER_SECONDS_MAX
        while True:
            try:
                with httpx2.Client(base_url=self._server.url, timeout=60, trust_env=False) as client:
                    answer = client.request(method, HYGIENE + path, json=body, headers=self._headers | headers)
            except httpx2.TransportError:
                answer = None
            if answer is not None and answer.status_code == 401:
                self._headers = self._server.headers()  # the machine's clock was set back, or it took very long
            elif answer is not None and answer.status_code < 500:
                if TOO_SOON in answer.text:
                    raise TooLate
                assert answer.status_code in {200, 201}, answer.text
                return answer.json()
            assert monotonic() < give_up_at, answer
            self._unanswered()
            sleep(0.2)  # what is waited for is another process's recovery

    def delete(self, tables: Sequence[str], people: Sequence[str], *, everywhere: bool) -> Asked:
        body = {
            "datasetId": "ALL" if everywhere else ",".join(tables),
            "namespacesIdentities": [{"namespace": {"code": "Email"}, "IDs": list(people)}],
        }
        answer = self.call("POST", "/workorder", body)
        return Asked(answer["workorderId"], frozenset(tables), tuple(people), everywhere)

    def drop(self, dataset_id: str) -> str:
        answer = self.call("POST", "/workorder", {"action": "delete_dataset", "datasetId": dataset_id})
        order_id: str = answer["workorderId"]
        return order_id

    def let_expire(self, dataset_id: str, after: timedelta) -> str:
        while True:
            expiry = (datetime.now(UTC) + after).isoformat()
            try:
                ttl_id: str = self.call("POST", "/ttl", {"datasetId": dataset_id, "expiry": expiry})["ttlId"]
            except TooLate:
                after *= 2
            else:
                return ttl_id

    def statuses(self, path: str) -> dict[str, str]:
        """Of every work order, or expiration: its status, by id."""
        key = "workorderId" if path == "workorder" else "ttlId"
        found: dict[str, str] = {}
        page = 0
        while True:
            results = self.call("GET", f"/{path}?limit=100&page={page}&orderBy=%2Bid")["results"]
            found |= {each[key]: each["status"] for each in results}
            if len(results) < 100:
                return found
            page += 1

    def consumed(self) -> dict[str, int]:
        return {each["name"]: each["consumed"] for each in self.call("GET", "/quota")["quotas"]}
