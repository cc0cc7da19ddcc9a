"""Requests made up from the OpenAPI document, good and bad, against a running server: every answer is as documented.

schemathesis tries the examples, then every edge of every schema, then random data, then chains of calls along the
document's links. Checked of each answer: no 5xx; the status, the content type, the headers and the body are documented,
error codes included; what breaks the schema is refused; without credentials nothing is answered; `Allow` is right.

One worker sends them: hypothesis parses sources while it draws, and before CPython 3.11.8 threads that parse at once
spoil each other's count of depth (python/cpython#106905).
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from support.server import CARDS, EMAILS, MAPPED, ORG, SECRET, Server, a_dataset, settings, toml

pytestmark = pytest.mark.xdist_group("schemathesis")

SECONDS_MAX = 540
EXAMPLES_MAX = 10
CASES_MIN = 1_500
UNFIT_CHECKS = {
    "positive_data_acceptance": "what is valid also depends on what is stored",
    "missing_required_header": "it wants 401 without a token, where the published API answers 403",
    "use_after_free": "a cancelled expiration stays readable",
    "object_level_authorization": "it needs two identities; the permission matrix has all of them",
}
FILLED = [f"filled-{number}" for number in range(100)]
WORDS: dict[str, list[str]] = {
    "datasets": [EMAILS, CARDS, MAPPED, *FILLED],
    "expiries": ["2090-12-31T23:59:59Z", "2091-01-01"],
    "namespaces": ["Email", "ECID"],
    "orgs": [ORG],
    "sandboxes": ["prod", "dev"],
    "orders": ["-updatedAt", "displayName,-status"],
    "days": ["2024-06-12", "2024-01-01T00:00:00Z"],
    "types": ["standard"],
    "clients": ["administrator"],
    "secrets": [SECRET],
}
DATES = [f"{what}{which}" for what in ("created", "updated", "expiry") for which in ("Date", "FromDate", "ToDate")]
WHERE = {
    "path.ID": "datasets",
    "path.dataset_id": "datasets",
    "path.name": "sandboxes",
    "query.orderBy": "orders",
    **{f"query.{name}": "days" for name in (*DATES, "fromDate", "toDate", "filterDate")},
    "body.datasetId": "datasets",
    "body.expiry": "expiries",
    "body.identities[*].namespace.code": "namespaces",
    "body.namespacesIdentities[*].namespace.code": "namespaces",
    "body.companyContexts[*].value": "orgs",
    "body.users[*].userIDs[*].namespace": "namespaces",
    "body.users[*].userIDs[*].type": "types",
    "body.compositeXids[*].ns": "namespaces",
    "body.schema.primaryIdentity.namespace": "namespaces",
    "body.client_id": "clients",
    "body.client_secret": "secrets",
}
"""Words that mean something to this server, so that requests get as far as its store."""


def configuration(headers: dict[str, str]) -> str:
    """The settings of schemathesis."""
    tables: dict[str, Any] = {
        "headers": headers,
        "dictionaries": {name: {"values": words} for name, words in WORDS.items()},
        "parameters": {where: {"dictionary": name, "probability": 0.8} for where, name in WHERE.items()},
    }
    return "".join(
        f"[{table}]\n" + "".join(f"{json.dumps(name)} = {toml(value)}\n" for name, value in entries.items())
        for table, entries in tables.items()
    )


@pytest.mark.timeout(SECONDS_MAX + 60)
def test_every_answer_is_as_documented(tmp_path: Path, record_property: Any) -> None:
    chosen = settings()
    chosen["datasets"] += [a_dataset(dataset_id) for dataset_id in FILLED]
    with Server(tmp_path / "server", chosen) as server:
        config = tmp_path / "schemathesis.toml"
        config.write_text(configuration(server.headers()))
        config.chmod(0o600)
        begun_at = monotonic()
        run = subprocess.run(
            [
                *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
                *("--config-file", str(config), "run", f"{server.url}/openapi.json", "--checks", "all"),
                *("--exclude-checks", ",".join(UNFIT_CHECKS)),
                *("--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(EXAMPLES_MAX)),
                *("--generation-deterministic", "--workers", "1", "--continue-on-failure"),
                *("--request-timeout", "30", "--no-color"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        seconds = monotonic() - begun_at
    told = run.stdout + run.stderr
    assert run.returncode == 0, told
    cases = re.search(r"(\d+) generated, (\d+) passed", told)
    assert cases is not None, told
    generated, passed = int(cases[1]), int(cases[2])
    assert generated == passed >= CASES_MIN
    statuses = {line["status"] for line in server.log if line["event"] == "request_answered"}
    assert {200, 201, 400, 401, 403, 404, 405} <= statuses
    assert max(statuses) < 500
    record_property("summary", f"schemathesis: {generated} cases, all as documented, in {seconds:.0f} s")
