"""A server that works, tables to delete from, and answers that a server rarely gives."""

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lethe.client import Dataset, Lethe
from lethe.client.surroundings import Surroundings

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

MakeTable = Callable[[Sequence[str | None]], Dataset]


@pytest.fixture
def make_table(lethe: Lethe, tmp_path: Path) -> MakeTable:
    """Register a Parquet table whose rows are these people's, in two files."""
    numbers = count()

    def make(people: Sequence[str | None]) -> Dataset:
        root = tmp_path / f"table-{next(numbers)}"
        root.mkdir()
        half = len(people) // 2
        for number, part in enumerate((people[:half], people[half:])):
            columns = {"email": pa.array(part, pa.string()), "n": list(range(len(part)))}
            pq.write_table(pa.table(columns), root / f"part-{number}.parquet")
        return lethe.datasets.register(
            "People", format="parquet", location=str(root), identity="email", namespace="Email"
        )

    return make


def people_of(dataset: Dataset) -> list[str | None]:
    """Who is left in a table, by the order of its files and rows."""
    assert dataset.table.location is not None
    files = sorted(Path(dataset.table.location).rglob("*.parquet"))
    return [row["email"] for path in files for row in pq.read_table(path).to_pylist()]


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
