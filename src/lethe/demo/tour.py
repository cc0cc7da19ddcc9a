"""The walk through the demo's world: people leave, a dataset expires, and both are proven.

Everything is asked through the public API, by the Python client. What is claimed is checked here, by readers
and searches that share nothing with the server; `DoesNotHold` ends the tour at the first claim that is not true.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2

from lethe.client import Expiration, Lethe, WorkOrder
from lethe.client.work_order import STATUSES
from lethe.demo.datasets import DATASETS, STORE_VISITS, DemoDataset
from lethe.demo.people import CUSTOMER, ECID, EMAIL, those_who_leave
from lethe.demo.reading import Row, read, whose
from lethe.demo.searching import files_that_name
from lethe.demo.telling import Moved, Teller
from lethe.demo.traces import count
from lethe.demo.world import World

FOLLOW_SECONDS_MAX: Final = 300
EXPIRY_SECONDS: Final = 2
KEYS: Final = "/data/core/hygiene/certificate/keys"
_EXPIRATION_STEPS: Final = ("pending", "executing", "completed")

LEAVING: Final = those_who_leave()
IDENTITIES: Final[Mapping[str, tuple[str, ...]]] = {
    EMAIL: tuple(each.email for each in LEAVING),
    # In this namespace case does not matter, whatever the tables have.
    CUSTOMER: tuple(each.customer_id.lower() for each in LEAVING),
    ECID: tuple(each.ecid for each in LEAVING),
}
VALUES: Final = frozenset(value for each in LEAVING for value in (each.email, each.customer_id, each.ecid))
"""What must not stand in any byte."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The world at one moment: the rows of every dataset, and how many traces each product has."""

    tables: Mapping[DemoDataset, list[Row]] = field(repr=False)
    traces: Mapping[str, int]


def walk(world: World, lethe: Lethe, tell: Teller) -> None:
    """Do everything and check everything. Raises DoesNotHold, LetheError."""
    tell.chapter("Before")
    before = look(world)
    naming = files_that_name(VALUES, world.directory)
    known = sum(_leaves(dataset, row) for dataset, rows in before.tables.items() for row in rows)
    tell.say(f"{len(LEAVING)} people leave. They have {known:,} rows in the tables.")
    tell.require(len(naming) > len(DATASETS), f"a search of every byte finds them in {len(naming)} files")

    tell.chapter("Preview: what would happen; nothing is changed")
    preview = lethe.work_orders.preview("ALL", IDENTITIES)
    names = {dataset.dataset_id: dataset.name for dataset in DATASETS}
    planned = [
        (names[each.dataset_id], each.rows_matched, each.files.rewrite, each.files.drop, each.files.keep)
        for each in preview.datasets
    ]
    tell.table(("Dataset", "rows that go", "files to rewrite", "to drop", "to keep"), planned)
    for skipped in preview.skipped_datasets:
        tell.say(f"{names[skipped.dataset_id]} is passed over: {skipped.reason}")
    tell.require(preview.rows_matched == known, f"the plan names the same {known:,} rows")

    tell.chapter("Delete the people from every dataset, and let one dataset expire")
    order = lethe.work_orders.create("ALL", IDENTITIES, display_name="They asked to be forgotten")
    expiry = datetime.now(UTC) + timedelta(seconds=EXPIRY_SECONDS)
    expiration = lethe.expirations.create(STORE_VISITS.dataset_id, expiry, display_name="Licensed until today")
    tell.say(f"Accepted: {order.workorder_id} and {expiration.ttl_id}.")
    order, expiration = _followed(tell, order, expiration)
    tell.require(order.status == "completed", "the work order is completed")
    tell.require(expiration.status == "completed", "the expiration is completed")

    tell.chapter("After")
    check(world, before, tell)

    tell.chapter("The proof")
    key = httpx2.get(f"{lethe.connection.url}{KEYS}", timeout=30).json()["keys"][-1]["kid"]
    for name, document in (("order", order.certificate()), ("expiration", expiration.certificate())):
        path = world.directory / f"certificate-of-the-{name}.json"
        path.write_text(json.dumps(document.to_wire()))
        signed = _lethe("certificate", "check", str(path), "--key", key)
        tell.require(signed, f"the certificate of the {name} is valid, checked offline with the server's public key")
    tell.require(_lethe("audit", "verify", config=world), "the chain of the audit trail is whole")


def look(world: World) -> Seen:
    """Read every table and count what the products know."""
    return Seen({dataset: read(dataset, world.lake) for dataset in DATASETS}, count(world.directory))


def check(world: World, before: Seen, tell: Teller) -> None:
    """Compare with what was there before, and look at every byte. Raises DoesNotHold."""
    after = look(world)
    tell.table(
        ("Dataset", "rows before", "rows after"),
        [(dataset.name, len(before.tables[dataset]), len(after.tables[dataset])) for dataset in DATASETS],
    )
    tell.table(
        ("Product", "before", "after"),
        [(name, before.traces[name], after.traces[name]) for name in before.traces],
    )
    for dataset in DATASETS:
        if dataset is STORE_VISITS:
            tell.require(not after.tables[dataset], f"{dataset.name}: the expired dataset is gone")
        else:
            left = [row for row in before.tables[dataset] if not _leaves(dataset, row)]
            fact = f"{dataset.name}: exactly the others' rows are left, each as it was"
            tell.require(after.tables[dataset] == left, fact)
    naming = files_that_name(VALUES, world.directory)
    tell.require(not naming, "no byte of any file names them: not a table, not a log, not Lethe's own databases")


def _leaves(dataset: DemoDataset, row: Row) -> bool:
    """Whether the row's primary identity is one of those who leave."""
    value = whose(dataset, row)
    if value is None:
        return False
    namespace = dataset.namespace or EMAIL
    return (value.lower() if namespace == CUSTOMER else value) in IDENTITIES[namespace]


def _followed(tell: Teller, order: WorkOrder, expiration: Expiration) -> tuple[WorkOrder, Expiration]:
    """Both, when they have ended."""
    names = {"Work order": len(STATUSES) - 1, "Expiration": len(_EXPIRATION_STEPS) - 1}
    with tell.following(names) as moved, ThreadPoolExecutor(2) as both:
        ended_order = both.submit(order.wait, FOLLOW_SECONDS_MAX, _telling(moved, "Work order", STATUSES))
        ended_expiration = both.submit(
            expiration.wait, FOLLOW_SECONDS_MAX, _telling(moved, "Expiration", _EXPIRATION_STEPS)
        )
        return ended_order.result(), ended_expiration.result()


def _telling(moved: Moved, name: str, steps: tuple[str, ...]) -> Callable[[Any], None]:
    def told(work: WorkOrder | Expiration) -> None:
        moved(name, steps.index(work.status) if work.status in steps else 0, work.status)

    return told


def _lethe(*arguments: str, config: World | None = None) -> bool:
    """Whether this command of `lethe` ends well."""
    environment = None if config is None else {"LETHE_CONFIG": str(config.config)}
    command = [sys.executable, "-m", "lethe", *arguments]
    ended = subprocess.run(command, capture_output=True, check=False, env=environment)  # noqa: S603 - our own command
    return ended.returncode == 0
