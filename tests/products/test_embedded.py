"""The embedded stores: the suite for each product, the graph that they share, and the bytes of the file."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa

from lethe.domain.identity import Identities
from lethe.domain.product import SERVICES, Product
from lethe.products.embedded import EmbeddedStores, JourneyRow, ProfileFragment
from lethe.products.embedded_tables import graph_edge, graph_node, journey_row, open_file, profile_fragment
from lethe.products.identity_graph import EmbeddedIdentityGraph
from lethe.products.interface import Done, GraphNode, RequestKey, Space, Waiting
from lethe.products.memory import Trace
from lethe.products.sql.product import SqlProduct
from products.suite import CHUNK, EVENTS, HERE, KEY, ORDERS, ProductSuite, node
from support.values import DEV, EMAIL, LOYALTY, ORG, OTHER_ORG, PROD

ANN, BOB, CAT = (node(EMAIL.id, f"{name}@example.com") for name in ("ann", "bob", "cat"))


def product_of(stores: EmbeddedStores, product: Product) -> SqlProduct:
    return next(each for each in stores.products if each.product is product)


class EmbeddedWorld:
    """One product of the file. Traces are found again by what they say: the file has no room for their names."""

    def __init__(self, path: Path, product: Product) -> None:
        self.stores = EmbeddedStores(path, chunk=CHUNK)
        self.product = product_of(self.stores, product)
        self.has_edges = product is Product.IDENTITY
        self._engine = open_file(path)
        self._traces: list[Trace] = []
        self._chunks_left: int | None = None
        sa.event.listen(self.product._database.read, "before_cursor_execute", self._perhaps_fail)

    def close(self) -> None:
        self.stores.close()
        self._engine.dispose()

    def put(self, traces: Iterable[Trace]) -> None:
        for trace in traces:
            self._traces.append(trace)
            if len(trace.ends) > 1:
                left, right = trace.ends
                space, dataset_id = trace.space, trace.dataset_id or EVENTS
                self.stores.graph.link(space.org_id, space.sandbox_name, left, right, dataset_id=dataset_id)
        singles: dict[tuple[Space, str], list[GraphNode]] = {}
        for trace in self._traces:
            if len(trace.ends) == 1:
                singles.setdefault((trace.space, trace.dataset_id or EVENTS), []).append(trace.ends[0])
        known = self._known()
        for (space, dataset_id), nodes in singles.items():
            self._put(space, dataset_id, [each for each in nodes if (space, (each,), dataset_id) not in known])

    def _put(self, space: Space, dataset_id: str, nodes: list[GraphNode]) -> None:
        dataset = EVENTS if dataset_id == EVENTS else ORDERS
        match self.product.product:
            case Product.IDENTITY:
                self.stores.graph.put_nodes(space.org_id, space.sandbox_name, nodes, dataset_id=dataset)
            case Product.PROFILE:
                self.stores.put_profile_fragments(space, [ProfileFragment(dataset, each) for each in nodes])
            case _:
                self.stores.put_journey_rows(space, [JourneyRow("welcome", each, dataset_id=dataset) for each in nodes])

    def names(self) -> set[str]:
        known = self._known()
        return {trace.name for trace in self._traces if (trace.space, trace.ends, trace.dataset_id) in known}

    def fail_after(self, chunks: int | None) -> None:
        self._chunks_left = chunks

    def _known(self) -> set[tuple[Space, tuple[GraphNode, ...], str]]:
        table = {Product.IDENTITY: graph_node, Product.PROFILE: profile_fragment}.get(self.product.product, journey_row)
        with self._engine.connect() as connection:
            known = {
                (Space(row.org_id, row.sandbox_name), (node(row.namespace, row.id),), row.dataset_id)
                for row in connection.execute(sa.select(table))
            }
            for row in connection.execute(sa.select(graph_edge)):
                ends = (node(row.from_namespace, row.from_id), node(row.to_namespace, row.to_id))
                known.add((Space(row.org_id, row.sandbox_name), ends, row.dataset_id))
        return known

    def _perhaps_fail(self, *event: object) -> None:
        if self._chunks_left is None or not str(event[2]).startswith("DELETE"):
            return
        if self._chunks_left == 0:
            raise sa.exc.OperationalError("DELETE", {}, Exception("secret-1@example.com"))
        self._chunks_left -= 1


class TestEmbeddedProducts(ProductSuite):
    @pytest.fixture(params=SERVICES)
    def world(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedWorld]:
        made = EmbeddedWorld(tmp_path / "products.db", request.param)
        yield made
        made.close()


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[EmbeddedStores]:
    made = EmbeddedStores(tmp_path / "products.db", wait_seconds=0.1)
    yield made
    made.close()


def test_the_three_products_are_well_mapped(stores: EmbeddedStores) -> None:
    assert [product.product for product in stores.products] == list(SERVICES)
    assert [product.unindexed() for product in stores.products] == [[], [], []]
    assert [product.misfits() for product in stores.products] == [[], [], []]


def test_each_product_forgets_its_own(stores: EmbeddedStores) -> None:
    stores.graph.link(ORG, PROD, ANN, BOB)
    stores.put_profile_fragments(HERE, [ProfileFragment(EVENTS, ANN, '{"city": "Rome"}')])
    stores.put_journey_rows(HERE, [JourneyRow("welcome", ANN)])
    ann = Identities({EMAIL: (ANN[1],)})
    assert [product.remaining(HERE, ann) for product in stores.products] == [3, 1, 1]
    assert product_of(stores, Product.PROFILE).forget(HERE, ann, KEY) == Done(1)
    assert [product.remaining(HERE, ann) for product in stores.products] == [3, 0, 1]


def test_clusters_lose_the_forgotten(stores: EmbeddedStores) -> None:
    card = node(LOYALTY.id, "card-1")
    stores.graph.link(ORG, PROD, ANN, BOB)
    stores.graph.link(ORG, PROD, BOB, card)
    stores.graph.put_nodes(ORG, PROD, [CAT])
    assert stores.graph.clusters(ORG, PROD, [ANN, CAT]) == [[ANN, BOB, card], [CAT]]
    assert stores.graph.clusters(ORG, DEV, [ANN]) == stores.graph.clusters(OTHER_ORG, PROD, [ANN]) == [()]
    identity = product_of(stores, Product.IDENTITY)
    assert identity.forget(HERE, Identities({EMAIL: (BOB[1],)}), KEY) == Done(5)  # two edges, both ways, and a node
    assert stores.graph.clusters(ORG, PROD, [ANN, BOB, card, CAT]) == [[ANN], (), [card], [CAT]]


def test_linking_twice_is_once(stores: EmbeddedStores) -> None:
    for _ in range(2):
        stores.graph.link(ORG, PROD, ANN, BOB)
    assert product_of(stores, Product.IDENTITY).forget(HERE, Identities({EMAIL: (ANN[1],)}), KEY) == Done(3)


def test_what_two_datasets_contributed_outlives_one(stores: EmbeddedStores) -> None:
    for dataset_id in (EVENTS, ORDERS):
        stores.graph.link(ORG, PROD, ANN, BOB, dataset_id=dataset_id)
    identity = product_of(stores, Product.IDENTITY)
    assert identity.forget_dataset(HERE, EVENTS, KEY) == Done(4)
    assert stores.graph.clusters(ORG, PROD, [ANN]) == [[ANN, BOB]]
    assert identity.forget_dataset(HERE, ORDERS, KEY) == Done(4)
    assert stores.graph.clusters(ORG, PROD, [ANN]) == [()]


def test_no_byte_is_left_in_the_file(tmp_path: Path) -> None:
    """Rows come and go in an order that makes SQLite move them about; copies that it leaves behind count too."""
    path = tmp_path / "products.db"
    stores = EmbeddedStores(path, chunk=500)
    random = Random(4)
    nodes = [node(EMAIL.id, f"{'gone' if n % 3 else 'kept'}-{random.random()}@example.com") for n in range(6_000)]
    random.shuffle(nodes)
    for begin in range(0, len(nodes), 300):
        part = nodes[begin : begin + 300]
        stores.graph.put_nodes(ORG, PROD, part)
        stores.put_profile_fragments(
            HERE, [ProfileFragment(EVENTS, each, each[1] * random.randrange(20)) for each in part]
        )
    for left, right in zip(nodes[::40], nodes[20::40], strict=True):
        stores.graph.link(ORG, PROD, left, right)
    reader = open_file(path)  # a connection that stays open keeps the write-ahead log alive
    with reader.connect() as connection:
        connection.execute(sa.select(graph_node).limit(1)).all()
    files = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
    assert all(file.exists() for file in files)
    assert any(b"gone-" in file.read_bytes() for file in files)
    gone = [each[1] for each in nodes if each[1].startswith("gone")]
    random.shuffle(gone)
    for product in stores.products:
        assert isinstance(product.forget(HERE, Identities({EMAIL: tuple(gone)}), KEY), Done)
    assert [file.name for file in files if b"gone-" in file.read_bytes()] == []
    assert path.read_bytes().count(b"kept-") >= 4_000
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600] * 3
    reader.dispose()
    stores.close()


def test_a_reader_of_the_past_makes_it_wait(stores: EmbeddedStores, tmp_path: Path) -> None:
    stores.put_profile_fragments(HERE, [ProfileFragment(EVENTS, ANN)])
    profile = product_of(stores, Product.PROFILE)
    reader = open_file(tmp_path / "products.db")
    with reader.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.execute(sa.select(profile_fragment)).all()
        answer = profile.forget(HERE, Identities({EMAIL: (ANN[1],)}), KEY)
        assert isinstance(answer, Waiting)
        assert "write-ahead log" in answer.reason
        connection.rollback()
    assert profile.forget(HERE, Identities({EMAIL: (ANN[1],)}), KEY) == Done(0)
    reader.dispose()


def test_a_file_in_a_strange_place(tmp_path: Path) -> None:
    path = tmp_path / "50% of a #new? place & so on" / "products.db"
    stores = EmbeddedStores(path)
    stores.put_profile_fragments(HERE, [ProfileFragment(EVENTS, ANN)])
    assert product_of(stores, Product.PROFILE).remaining(HERE, Identities({EMAIL: (ANN[1],)})) == 1
    assert [each.name for each in path.parent.glob("*.db")] == ["products.db"]
    stores.close()
    graph = EmbeddedIdentityGraph(path)
    graph.link(ORG, PROD, ANN, BOB)
    graph.close()


def test_the_loaders_do_not_speak(stores: EmbeddedStores) -> None:
    said = repr([ProfileFragment(EVENTS, ANN, "secret"), JourneyRow("welcome", ANN, "secret"), stores, RequestKey("k")])
    assert ANN[1] not in said
    assert "secret" not in said
