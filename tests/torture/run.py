"""One run: everything set up, work given, trouble made, the end awaited and looked at."""

import itertools
import os
import random
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final

import sqlalchemy as sa

from lethe.domain.ids import DatasetId, NamespaceId, OrgId, SandboxName
from lethe.products.embedded import FILE_NAME, EmbeddedStores, JourneyRow, ProfileFragment
from lethe.products.interface import GraphNode, Space
from support.postgres import Postgres
from support.server import ORG, PROD, Server, a_client, an_org
from torture import checks
from torture.api import PatientClient
from torture.fleet import Fleet
from torture.ledger import PEOPLE, ROWS_EACH, Ledger, ledger, person
from torture.tables import CATALOG, Lake, rows_of
from torture.troubles import Trouble
from torture.watched import effects

EMAIL: Final = NamespaceId(6)
SEED_VARIABLE: Final = "LETHE_TORTURE_SEED"


@dataclass(frozen=True, slots=True)
class Scale:
    """How much of everything."""

    orders_min: int
    expirations_min: int
    drops_max: int
    spare_expirations: int
    """Datasets beyond the minimum, for troubles that need one more to expire."""
    orders_at_once: int
    tables_of_a_kind: int
    watched: int
    lease_seconds: float
    end_seconds_max: float
    skews: Sequence[float] = (0.0,)


@dataclass
class Run:
    """The scene of the troubles."""

    scale: Scale
    dice: random.Random
    api: PatientClient
    fleet: Fleet
    ledger: Ledger
    memory: checks.Remembered
    _expiring: list[str] = field(default_factory=list)
    _droppable: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._expiring = list(self.ledger.expiring)
        self._droppable = list(self.ledger.dropped)

    @property
    def lease_seconds(self) -> float:
        return self.scale.lease_seconds

    def give_work(self, *, expiring: bool) -> None:
        """Some record deletes; and a dataset that expires or is dropped, while there is one."""
        for _ in range(self.scale.orders_at_once):
            self.delete()
        if expiring and self._droppable and self.dice.random() < 0.2:
            dataset_id = self._droppable.pop()
            self.ledger.drops[self.api.drop(dataset_id)] = dataset_id
        elif expiring:
            self.let_expire()

    def give_crowd(self, orders: int, expirations: int) -> None:
        """So many record deletes and expirations, all of them accepted before one begins."""
        self.fleet.fill()
        # One that is frozen in the middle of something may hold what the API waits for.
        assert self.fleet.wait_until(lambda: not self._open(), self.scale.end_seconds_max), self.memory.explained()
        with self.fleet.resting():
            for _ in range(orders):
                self.delete()
            for _ in range(expirations):
                self.let_expire()
            waiting = Counter([*self.api.statuses("workorder").values(), *self.api.statuses("ttl").values()])
        assert waiting["received"] >= orders, waiting
        assert waiting["pending"] >= expirations, waiting

    def delete(self) -> None:
        """Ask for two people's deletion: from a table, from two, or from all."""
        tables = list(self.ledger.tables)
        people = [person(each) for each in self.dice.sample(range(PEOPLE), 2)]
        chosen = self.dice.choice([self.dice.sample(tables, 1), self.dice.sample(tables, 2), tables])
        everywhere = len(chosen) == len(tables)
        self.ledger.orders.append(self.api.delete(chosen, people, everywhere=everywhere))

    def let_expire(self) -> None:
        assert self._expiring, "there is no dataset left that could expire"
        dataset_id = self._expiring.pop()
        after = timedelta(seconds=self.dice.uniform(0.5, 1.5))
        self.ledger.expirations[self.api.let_expire(dataset_id, after)] = dataset_id

    def wait(self, seconds: float) -> None:
        self.fleet.wait_until(lambda: False, seconds)

    def top_up(self) -> None:
        """What is missing to the least that was promised."""
        while len(self.ledger.orders) < self.scale.orders_min:
            self.delete()
        while len(self.ledger.expirations) < self.scale.expirations_min:
            self.let_expire()

    def reach_the_end(self) -> None:
        """Wait until everything has ended, with workers to whom nothing happens any more."""
        self.fleet.fill()
        give_up_at = monotonic() + self.scale.end_seconds_max
        while self._open():
            assert monotonic() < give_up_at, self.memory.explained()
            self.wait(0.5)
        orders, expirations = self.api.statuses("workorder"), self.api.statuses("ttl")
        known = {*(order.work_order_id for order in self.ledger.orders), *self.ledger.drops}
        assert orders == dict.fromkeys(known, "completed"), self.memory.explained()
        assert expirations == dict.fromkeys(self.ledger.expirations, "completed"), self.memory.explained()

    def _open(self) -> set[str]:
        """The statuses of what has not ended."""
        return {*self.api.statuses("workorder").values(), *self.api.statuses("ttl").values()} - {"completed", "failed"}


Troubles = Callable[[Path, Path, Postgres | None], Sequence[Trouble]]
"""The troubles of a run, given the data directory, the room on the disk and the PostgreSQL of the harness."""


def torment(directory: Path, database: str, scale: Scale, seed: int, troubles: Troubles) -> Counter[str]:
    """Run and check everything; which points were reached, by `signal point`."""
    print(f"{SEED_VARIABLE}={seed} ({database})")  # shown when the test fails
    dice = random.Random(seed)
    book = ledger(scale.tables_of_a_kind, scale.expirations_min + scale.spare_expirations, scale.drops_max)
    home, room = directory / "lethe", directory / "room"
    with _postgres(database) as postgres, _room(room):
        lake, data = Lake(room / "lake"), room / "data"
        _stock(lake, data, book)
        home.mkdir()
        (home / "data").symlink_to(data)
        url = None if postgres is None else postgres.url("torture")
        server = Server(home, _settings(lake, book, scale), url)
        with server:
            memory = checks.Remembered(sa.create_engine(_sqlalchemy_url(url, data), poolclass=sa.NullPool))
            effects.metadata.create_all(memory.engine)
            with Fleet(server, lake, scale.watched, dice, scale.skews) as fleet:
                run = Run(scale, dice, PatientClient(server, fleet.thaw_all), fleet, book, memory)
                _torment(run, troubles(data, room, postgres))
                run.reach_the_end()
                fleet.stop()
                _check(run, lake, data)
                return Counter(f"{each['signal']} {each['reached']}" for each in fleet.reached())


def _torment(run: Run, troubles: Sequence[Trouble]) -> None:
    for number, trouble in enumerate(troubles):
        print(f"{number + 1}/{len(troubles)} {trouble}", flush=True)
        try:
            trouble(run)
        except AssertionError as error:
            raise AssertionError(f"{trouble}: {error}\n{run.memory.explained()}\n{run.fleet.words()}") from error
    run.top_up()


def _check(run: Run, lake: Lake, data: Path) -> None:
    memory = run.memory
    consumed = run.api.consumed()
    assert consumed["monthlyConsumerDeleteIdentitiesQuota"] == run.ledger.identities
    assert consumed["datasetExpirationQuota"] == 0
    memory.check_tasks()
    memory.check_effects()
    memory.check_orders(run.ledger)
    memory.check_expirations(run.ledger)
    memory.check_counts(run.ledger)
    checks.check_tables(lake, run.ledger)
    checks.check_commits(run.fleet.told("commits.jsonl"))
    checks.check_services(data, run.ledger, [person(each) for each in range(PEOPLE)])
    audit = run.fleet.audit()
    assert audit.returncode == 0, audit.stdout + audit.stderr


@contextmanager
def _postgres(database: str) -> Iterator[Postgres | None]:
    """A server of this run alone: it dies and comes back."""
    if database == "sqlite":
        yield None
        return
    postgres = Postgres()
    try:
        postgres.start()
        postgres.execute("CREATE DATABASE torture")
        yield postgres
    finally:
        postgres.remove()


@contextmanager
def _room(room: Path, size: str = "256m") -> Iterator[None]:
    """A place for tables and data directory: a file system of its own, where one may be mounted."""
    room.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "lethe-torture", str(room)]
    mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(room)], check=True)


def _sqlalchemy_url(url: str | None, data: Path) -> str:
    return f"sqlite:///{data / 'lethe.db'}" if url is None else url.replace("postgresql:", "postgresql+psycopg:")


def _settings(lake: Lake, book: Ledger, scale: Scale) -> dict[str, Any]:
    passed_by = book.passed_by()

    def dataset(dataset_id: str) -> dict[str, Any]:
        return {
            "id": dataset_id,
            "org": ORG,
            "sandbox": PROD,
            "name": dataset_id,
            "primary_identity_path": ["id"],
            "primary_identity_namespace": "Phone" if dataset_id in passed_by else "Email",
        } | book.datasets[dataset_id].settings(lake, dataset_id)

    return {
        "orgs": [an_org(min_expiry_lead_hours=0, quotas={"expirations": 1_000})],
        "clients": [a_client("administrator", "administrator")],
        "datasets": [dataset(dataset_id) for dataset_id in book.datasets],
        "catalogs": {CATALOG: dict(lake.catalog_properties)},
        "limits": {"small_orders_per_second": 1_000_000, "burst": 1_000_000},
        "work": {"workers": 0, "processes": 1, "lease_seconds": scale.lease_seconds, "writers_grace_seconds": 0},
    }


def _stock(lake: Lake, data: Path, book: Ledger) -> None:
    """Make every table, and put everybody into the services."""
    lake.directory.mkdir()
    everybody = [person(each) for each in range(PEOPLE)]
    for dataset_id, kind in book.datasets.items():
        kind.make(lake, dataset_id, rows_of(book.people_of(dataset_id), ROWS_EACH))
    space = Space(OrgId(ORG), SandboxName(PROD))
    nodes = [GraphNode((EMAIL, each)) for each in everybody]
    stores = EmbeddedStores(data / FILE_NAME)
    stores.graph.put_nodes(*_names(space), nodes)
    for left, right in itertools.pairwise(nodes):
        stores.graph.link(*_names(space), left, right)
    stores.put_profile_fragments(
        space, [ProfileFragment(DatasetId(dataset_id), node) for dataset_id in book.datasets for node in nodes]
    )
    stores.put_journey_rows(space, [JourneyRow("welcome", node) for node in nodes])
    stores.close()


def _names(space: Space) -> tuple[OrgId, SandboxName]:
    return space.org_id, space.sandbox_name
