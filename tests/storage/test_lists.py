"""The lists show what a naive model shows: the same pages, in the same order, on both databases."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lethe.domain.actor import Author
from lethe.domain.expiration import Edit, ExpirationStatus, Pending
from lethe.domain.ids import DatasetId, ExpirationId, OrgId, SandboxName, WorkOrderId
from lethe.domain.listing import By, Exactly, Like, Page, Window
from lethe.domain.work_order import Action, EndStatus, OpenStatus
from lethe.operations.own_call import LETHE
from lethe.storage import expirations as expiration_module
from lethe.storage import lists, schema
from lethe.storage import work_orders as work_order_module
from lethe.storage.interface import Store
from lethe.storage.order_interface import ExpirationFilter, ExpirationOrder, WorkOrderFilter, WorkOrderOrder
from lethe.storage.store import SqlStore
from support.list_model import Row, page_of
from support.postgres import Postgres
from support.values import ANN, BOB, DEV, LEAD, NOON, ORG, OTHER_ORG, PROD, a_bundle, a_change, an_order

AUTHORS = [ANN, BOB, Author("a%_b\\c <x> 1"), Author("A%_B\\C <X> 1"), Author("Zoë *?[ö] <z> 2")]
TEXTS = [
    "", "a", "A", "ab", "AB%", "a_b", "a\\b", "a\\%b", "Straße", "STRASSE", "strasse 100%", "ÖL", "öl", "İstanbul",
    "\u017f", "'quoted' \"twice\"", "abc abc abc", "ABCABC", "\U0001f600 smile",
    "naïve", "tab\tand\nline", "\x1f", "x\x1fy",
    "e" * 255, "[a-z]*?", "Ǆ", "ﬁne", "-- ; DROP",
]  # fmt: skip
NEEDLES = [
    "", "%", "_", "\\", "a_", "a\\", "%b", "ss", "ß", "SSE", "strasse", "straße", "öL", "i", "abcabc", "bc a",
    "\U0001f600", "'", '"tw', "fi", "\x1f", "a\x1f", "zz", "\0", "[a", "b\\c <", "ann ovid",
]  # fmt: skip
PATTERNS = [
    "%", "", "_%", "%example%", "a%", "A%", "%\\%", "a\\%%", "%[ö]%", "%?%", "%*%", "Zo_ %", "%%2", "\0%", "Ann%",
    "%u-_", "ann%",
]  # fmt: skip
IDS = [UUID(int=number * 0x1234567_89ABCDEF_01234567_89ABCD % 2**128) for number in range(1, 81)]


def work_orders(store: Store) -> list[Row]:
    """Orders of every kind, stored, with what happened to them."""
    random = Random(1)
    rows: list[Row] = []
    bundles = {
        space: a_bundle(org_id=space[0], sandbox_name=space[1])
        for space in [(ORG, PROD), (ORG, DEV), (OTHER_ORG, PROD)]
    }
    with store.write() as transaction:
        for bundle in bundles.values():
            transaction.bundles.save(bundle)
        for order_id in IDS[:60]:
            created_at = NOON + timedelta(hours=random.randrange(100))
            author = random.choice(AUTHORS)
            order = an_order(
                bundles[random.choice([(ORG, PROD)] * 6 + [(ORG, DEV)] * 3 + [(OTHER_ORG, PROD)])],
                work_order_id=WorkOrderId(order_id),
                action=random.choice(list(Action)),
                dataset_name=random.choice(["ALL", *TEXTS]),
                operation_count=random.randrange(5),
                display_name=random.choice(TEXTS),
                description=random.choice(TEXTS),
                created_at=created_at,
                created_by=author,
                updated_at=created_at,
                updated_by=author,
            )
            transaction.work_orders.add(order)
            noted = [(order.status, created_at)]
            for _ in range(random.randrange(4)):
                at = order.updated_at + timedelta(hours=random.randrange(30))
                match random.randrange(4), order.status:
                    case 0, OpenStatus():
                        order = order.failed(at)
                    case 1, _:
                        order = order.renamed(
                            random.choice(TEXTS), random.choice(TEXTS), now=at, by=random.choice(AUTHORS)
                        )
                    case _, OpenStatus():
                        order = order.advanced(at)
                    case _:
                        continue
                transaction.work_orders.save(order)
                noted.append((order.status, at))
            rows.append((order, noted))
    return rows


def expirations(store: Store) -> list[Row]:
    """Expirations of every status, stored, with their histories."""
    random = Random(2)
    rows: list[Row] = []
    with store.write() as transaction:
        for number, expiration_id in enumerate(IDS[:50]):
            created_at = NOON + timedelta(hours=random.randrange(100))
            change = a_change(
                f"ds-{number}",
                now=created_at,
                by=random.choice(AUTHORS),
                org_id=random.choice([ORG, ORG, ORG, OTHER_ORG]),
                sandbox_name=random.choice([PROD, PROD, DEV]),
                dataset_name=random.choice(TEXTS),
                edit=Edit(created_at + LEAD * random.randrange(1, 5), random.choice(TEXTS), random.choice(TEXTS)),
                expiration_id=ExpirationId(expiration_id),
            )
            changes = [change]
            one = change.expiration
            assert isinstance(one, Pending)
            for _ in range(random.randrange(4)):
                if not isinstance(one, Pending):
                    break
                at, by = one.updated_at + timedelta(hours=random.randrange(30)), random.choice(AUTHORS)
                match random.randrange(4):
                    case 0:
                        changes.append(one.cancel(now=at, by=by))
                        if random.random() < 0.5:
                            changes.append(changes[-1].expiration.reopen(Edit(at + LEAD), min_lead=LEAD, now=at, by=by))
                    case 1:
                        changes.append(one.begin(now=at, by=LETHE.author))
                        if random.random() < 0.5:
                            changes.append(changes[-1].expiration.complete(now=at + LEAD, by=LETHE.author))
                    case _:
                        edit = Edit(display_name=random.choice(TEXTS), description=random.choice(TEXTS))
                        changes.append(one.update(edit, min_lead=LEAD, now=at, by=by))
                one = changes[-1].expiration  # type: ignore[assignment]
            for change in changes:
                transaction.expirations.save(change)
            rows.append((changes[-1].expiration, [(change.entry.status, change.entry.at) for change in changes]))
    return rows


@dataclass(frozen=True, repr=False)
class Both:
    """A store on each database, with the same orders and expirations; too much of it to be printed."""

    stores: list[SqlStore]
    orders: list[Row]
    expirations: list[Row]


@pytest.fixture(scope="module")
def both(postgres: Postgres, migrated_sqlite: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    path = tmp_path_factory.mktemp("lists") / "lethe.db"
    path.write_bytes(migrated_sqlite)
    postgres.execute("CREATE DATABASE lethe_lists TEMPLATE lethe_template")
    from conftest import KEYS

    stores = [SqlStore(f"sqlite:///{path}", KEYS), SqlStore(postgres.url("lethe_lists"), KEYS)]
    filled = [(work_orders(store), expirations(store)) for store in stores]
    yield Both(stores, *filled[0])
    for store in stores:
        store.close()
    postgres.execute("DROP DATABASE lethe_lists WITH (FORCE)")


hours = st.integers(-10, 260).map(lambda count: NOON + timedelta(hours=count))
windows = st.builds(Window, st.none() | hours, st.none() | hours)
authors = st.sampled_from(AUTHORS).map(Exactly) | st.builds(Like, st.sampled_from(PATTERNS), st.booleans())
needles = st.sampled_from(NEEDLES) | st.text("aAbß%_\\s", max_size=4)
searches = (
    needles | st.sampled_from(IDS).map(lambda one: f"DI-{one}") | st.sampled_from(IDS).map(lambda one: f"SD-{one}")
)
sandboxes = st.none() | st.frozensets(st.sampled_from([PROD, DEV, SandboxName("none")]))
pages = st.builds(Page, st.integers(0, 12) | st.just(10**30), st.sampled_from([1, 3, 7, 25, 100]))


def orderings(key: Any) -> Any:
    return st.lists(st.builds(By, st.sampled_from(list(key)), st.booleans()), max_size=3)


def maybe(strategy: Any) -> Any:
    """Most filters are absent from most requests."""
    return st.one_of(st.none(), st.none(), st.none(), strategy)


order_filters = st.builds(
    WorkOrderFilter,
    st.sampled_from([ORG, ORG, ORG, OTHER_ORG, OrgId("nobody")]),
    sandboxes,
    work_order_id=maybe(st.sampled_from(IDS).map(WorkOrderId)),
    actions=maybe(st.frozensets(st.sampled_from(list(Action)))),
    statuses=maybe(st.frozensets(st.sampled_from([*OpenStatus, *EndStatus]))),
    author=maybe(authors),
    display_name=maybe(needles),
    description=maybe(needles),
    search=maybe(searches),
    created=maybe(windows),
    touched=maybe(windows),
)
expiration_filters = st.builds(
    ExpirationFilter,
    st.sampled_from([ORG, ORG, ORG, OTHER_ORG, OrgId("nobody")]),
    sandboxes,
    dataset_id=maybe(st.sampled_from([DatasetId("ds-1"), DatasetId("ds-2"), DatasetId("ds-\0")])),
    expiration_id=maybe(st.sampled_from(IDS).map(ExpirationId)),
    statuses=maybe(st.frozensets(st.sampled_from(list(ExpirationStatus)))),
    author=maybe(authors),
    dataset_name=maybe(needles),
    display_name=maybe(needles),
    description=maybe(needles),
    search=maybe(searches),
    created=maybe(windows),
    updated=maybe(windows),
    cancelled=maybe(windows),
    executed=maybe(windows),
    completed=maybe(windows),
    expiry=maybe(windows),
)
thorough = settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("few", "arms"), [(lists.FEW, lists.ARMS_MAX), (0, lists.ARMS_MAX), (0, 3)], ids=["gathered", "merged", "walked"]
)
@thorough
@example(  # a key that is named twice
    where=WorkOrderFilter(ORG),
    order=[By(WorkOrderOrder.DISPLAY_NAME), By(WorkOrderOrder.DISPLAY_NAME, descending=True)],
    page=Page(0, 100),
)
@given(where=order_filters, order=orderings(WorkOrderOrder), page=pages)
def test_work_orders_are_listed_as_the_model_lists_them(
    both: Both, monkeypatch: pytest.MonkeyPatch, few: int, arms: int, *, where: WorkOrderFilter, order: Any, page: Page
) -> None:
    stores, rows = both.stores, both.orders
    monkeypatch.setattr(lists, "FEW", few)
    monkeypatch.setattr(lists, "FEW_IN_A_WINDOW", few)
    monkeypatch.setattr(lists, "ARMS_MAX", arms)
    for store in stores:
        with store.read() as transaction:
            listing = transaction.work_orders.list(where, order, page)
        assert ([one.work_order_id for one in listing.items], listing.total) == page_of(rows, where, order, page), store
        stored = {one.work_order_id: one for one, _ in rows}
        assert all(
            stored[one.work_order_id] == replace(one, bundle_id=stored[one.work_order_id].bundle_id)
            for one in listing.items
        )


@thorough
@given(where=expiration_filters, order=orderings(ExpirationOrder), page=pages)
def test_expirations_are_listed_as_the_model_lists_them(
    both: Both, where: ExpirationFilter, order: Any, page: Page
) -> None:
    stores, rows = both.stores, both.expirations
    for store in stores:
        with store.read() as transaction:
            listing = transaction.expirations.list(where, order, page)
        assert ([one.expiration_id for one in listing.items], listing.total) == page_of(rows, where, order, page), store
        stored = {one.expiration_id: one for one, _ in rows}
        assert all(stored[one.expiration_id] == one for one in listing.items)


def test_pages_neither_repeat_nor_miss_one(both: Both) -> None:
    stores, rows = both.stores, both.orders
    where = WorkOrderFilter(ORG)
    order = [By(WorkOrderOrder.STATUS, descending=True)]
    wanted = {one.work_order_id for one, _ in rows if one.org_id == ORG}
    for store in stores:
        with store.read() as transaction:
            seen: list[WorkOrderId] = []
            for number in range(len(rows)):
                seen += [one.work_order_id for one in transaction.work_orders.list(where, order, Page(number, 7)).items]
        assert len(seen) == len(wanted)
        assert set(seen) == wanted


def test_a_renamed_order_is_found_by_its_new_name_alone(store: Store, open_store: Callable[..., SqlStore]) -> None:
    bundle = a_bundle()
    order = an_order(bundle, display_name="the former name")
    with store.write() as transaction:
        transaction.bundles.save(bundle)
        transaction.work_orders.add(order)
    with store.write() as transaction:
        transaction.work_orders.save(order.renamed("another", None, now=NOON, by=BOB))
    found = {}
    with store.read() as transaction:
        for needle in ("FORMER", "ANOTHER", "ann ovid", "bob styx"):
            where = WorkOrderFilter(ORG, search=needle)
            found[needle] = transaction.work_orders.list(where, [], Page()).total
    assert found == {"FORMER": 0, "ANOTHER": 1, "ann ovid": 0, "bob styx": 1}


@pytest.mark.parametrize(
    ("id_column", "columns"),
    [
        (schema.work_orders.c.work_order_id, work_order_module.ORDER_COLUMNS),
        (schema.expirations.c.expiration_id, expiration_module.ORDER_COLUMNS),
    ],
    ids=["work orders", "expirations"],
)
def test_every_ordering_has_its_index(id_column: Any, columns: Any) -> None:
    named = {lists.Ordering.of(id_column, [(column, False)]).index() for column in columns.values()}
    assert named <= {index.name for index in id_column.table.indexes}


def test_sqlite_goes_along_the_index_it_is_told(sqlite_url: str, open_store: Callable[..., SqlStore]) -> None:
    store = open_store(sqlite_url)
    bundle = a_bundle()
    with store.write() as transaction:
        transaction.bundles.save(bundle)
        transaction.work_orders.add(an_order(bundle))
    said: list[str] = []
    sa.event.listen(store._engines.read, "before_cursor_execute", lambda *arguments: said.append(arguments[2]))
    where = WorkOrderFilter(ORG, frozenset({PROD}), statuses=frozenset({OpenStatus.RECEIVED}))
    with store.read() as transaction:
        assert transaction.work_orders.list(where, [By(WorkOrderOrder.UPDATED_AT)], Page()).total == 1
    assert any("INDEXED BY work_orders_by_status_updated_at" in statement for statement in said)
