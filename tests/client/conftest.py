"""A server that works, tables to delete from, and answers that a server rarely gives."""

from itertools import count
from pathlib import Path

import httpx2
import pytest

from lethe.client import Lethe
from lethe.client.surroundings import Surroundings
from support.people import MakeTable, table_maker

ORDER = {
    "workorderId": "DI-1",
    "orgId": "ORG",
    "bundleId": "BN-1",
    "action": "identity-delete",
    "createdAt": "2026-01-01T00:00:00.000000Z",
    "updatedAt": "2026-01-01T00:00:00.000000Z",
    "operationCount": 1,
    "targetServices": ["datalake"],
    "status": "received",
    "createdBy": "x",
    "datasetId": "d",
    "datasetName": "D",
    "displayName": "",
    "description": "",
    "somethingNewer": [1],
}
"""A work order as a server answers it, and as a newer one may."""


@pytest.fixture
def make_table(lethe: Lethe, tmp_path: Path) -> MakeTable:
    """Register a table of people."""
    return table_maker(lethe, tmp_path)


def problem(code: str, status: int, context: object = None, retry_after: str | None = None) -> httpx2.Response:
    """A refusal by the service."""
    body = {"error_code": code, "title": "T", "detail": "D", "report": {"additionalContext": context or {"field": "f"}}}
    return httpx2.Response(status, json=body, headers={} if retry_after is None else {"Retry-After": retry_after})


class Script:
    """Answers given one after the other, whatever is asked; keeps the requests, and how long the client slept."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.slept: list[float] = []
        self.now = 0.0
        self._keys = count(1)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def client(self, **more: str) -> Lethe:
        """A client that gets these answers; with a token of its own unless a secret is given."""
        around = Surroundings(
            monotonic=lambda: self.now,
            sleep=self._sleep,
            chance=lambda: 1.0,
            new_key=lambda: f"key-{next(self._keys)}",
        )
        known = {"token": "given"} | more if "client_secret" not in more else more
        return Lethe(
            "http://lethe.test",
            "ORG",
            "key",
            surroundings=around,
            transport=httpx2.MockTransport(self._answer),
            **known,
        )

    def done(self) -> None:
        """Assert that every answer was fetched."""
        assert not self._answers
