"""What every product must do, whatever it is built on: a test module subclasses `ProductSuite` and gives a `world`."""

import logging
import traceback
from collections.abc import Iterable, Sequence
from typing import Protocol

import pytest

from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId, NamespaceId
from lethe.products.interface import (
    Beat,
    Done,
    ForgettingProduct,
    GraphNode,
    ProductAnswer,
    ProductUnavailable,
    Request,
    RequestKey,
    Space,
    Waiting,
    unheard,
)
from lethe.products.memory import Trace
from support.values import DEV, EMAIL, HANDLE, LOYALTY, ORG, OTHER_ORG, PROD

HERE = Space(ORG, PROD)
ANN, BOB, CAT = "ann.secret@example.com", "bob.secret@example.com", "cat.secret@example.com"
CARD = "secret-card-1"
EVENTS, ORDERS = DatasetId("events"), DatasetId("orders")
KEY = RequestKey("order-1.product")
CHUNK = 1_000
"""The chunk, in ids and in rows, that every world is made with."""
ASKED_MAX = 20

WANTED = Identities({EMAIL: (ANN, BOB), LOYALTY: (CARD,), HANDLE: ("Secret Straße", "nobody's handle")})


class World(Protocol):
    """A product, and the hands to arrange what it keeps."""

    product: ForgettingProduct
    has_edges: bool
    """Whether it keeps edges between two identities."""

    def put(self, traces: Iterable[Trace]) -> None: ...

    def names(self) -> set[str]:
        """The names of the traces that are still kept."""
        ...

    def fail_after(self, chunks: int | None) -> None:
        """Let it fail after that many more chunks; None heals it."""
        ...


def node(namespace_id: int, value: str) -> GraphNode:
    return GraphNode((NamespaceId(namespace_id), value))


def trace(name: str, *ends: GraphNode, space: Space = HERE, dataset_id: DatasetId = EVENTS) -> Trace:
    return Trace(name, space, ends, dataset_id)


GOING = [
    trace("ann", node(EMAIL.id, ANN)),
    trace("ann in another dataset", node(EMAIL.id, ANN), dataset_id=ORDERS),
    trace("bob", node(EMAIL.id, BOB)),
    trace("card", node(LOYALTY.id, CARD)),
    trace("handle", node(HANDLE.id, "Secret Straße")),
    trace("handle in another case", node(HANDLE.id, "sEcReT STRASSE")),
]
STAYING = [
    trace("cat", node(EMAIL.id, CAT)),
    trace("ann in another case", node(EMAIL.id, ANN.upper())),
    trace("ann with a blank behind", node(EMAIL.id, f"{ANN} ")),
    trace("ann with a letter more", node(EMAIL.id, f"{ANN}x")),
    trace("ann with a letter less", node(EMAIL.id, ANN[:-1])),
    trace("ann with an accent", node(EMAIL.id, ANN.replace("a", "á", 1))),
    trace("a pattern", node(EMAIL.id, "%")),
    trace("ann in another namespace", node(LOYALTY.id, ANN)),
    trace("ann in an unknown namespace", node(999, ANN)),
    trace("ann in another org", node(EMAIL.id, ANN), space=Space(OTHER_ORG, PROD)),
    trace("ann in another sandbox", node(EMAIL.id, ANN), space=Space(ORG, DEV)),
    trace("card in another case", node(LOYALTY.id, CARD.upper())),
    trace("a similar handle", node(HANDLE.id, "Secret Strase")),
    trace("handle in another org", node(HANDLE.id, "Secret Straße"), space=Space(OTHER_ORG, PROD)),
]
GOING_EDGES = [
    trace("ann to cat", node(EMAIL.id, ANN), node(EMAIL.id, CAT)),
    trace("cat to bob", node(EMAIL.id, CAT), node(EMAIL.id, BOB)),
    trace("ann to bob", node(EMAIL.id, ANN), node(EMAIL.id, BOB)),
    trace("cat to a handle", node(EMAIL.id, CAT), node(HANDLE.id, "SECRET STRASSE")),
]
STAYING_EDGES = [
    trace("cat to a card", node(EMAIL.id, CAT), node(LOYALTY.id, "card-2")),
    trace("cat to ann as a card", node(EMAIL.id, CAT), node(LOYALTY.id, ANN)),
    trace("ann to bob in another org", node(EMAIL.id, ANN), node(EMAIL.id, BOB), space=Space(OTHER_ORG, PROD)),
]


def names(traces: Iterable[Trace]) -> set[str]:
    return {each.name for each in traces}


def many(count: int, prefix: str) -> list[Trace]:
    return [trace(f"{prefix}-{number}", node(EMAIL.id, f"{prefix}-{number}@example.com")) for number in range(count)]


def ids_of(traces: Iterable[Trace]) -> Identities:
    return Identities({EMAIL: tuple(each.ends[0][1] for each in traces)})


def settled(
    product: ForgettingProduct,
    identities: Identities,
    *,
    key: RequestKey = KEY,
    beat: Beat = unheard,
    space: Space = HERE,
) -> ProductAnswer:
    """The answer when the product waits no longer."""
    for _ in range(ASKED_MAX):
        answer = product.forget(space, identities, key, beat=beat)
        if not isinstance(answer, Waiting):
            return answer
        assert answer.again_after.total_seconds() > 0
    raise AssertionError("it waits for ever")


def settled_dataset(
    product: ForgettingProduct, dataset_id: DatasetId, *, key: RequestKey = KEY, beat: Beat = unheard
) -> ProductAnswer:
    for _ in range(ASKED_MAX):
        answer = product.forget_dataset(HERE, dataset_id, key, beat=beat)
        if not isinstance(answer, Waiting):
            return answer
    raise AssertionError("it waits for ever")


def removed(answer: ProductAnswer) -> int:
    assert isinstance(answer, Done)
    return answer.removed


def speaks_of(error: BaseException, secret: str = "secret") -> bool:
    """Whether the error, or any that it carries along, says an identity. All identities here hold the word."""
    texts = ["".join(traceback.format_exception(error))]
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is not None:
            texts += [str(each), repr(each)]
            pending += [each.__cause__, each.__context__]
    return any(secret in text for text in texts)


class Stopped(Exception):
    """What a beat raises to stop the work."""


class ProductSuite:
    """Subclasses give the fixture `world`, whose chunks are of `CHUNK`."""

    def test_exactly_the_wanted_go(self, world: World) -> None:
        self._furnish(world)
        assert removed(settled(world.product, WANTED)) >= len(self._going(world))
        assert world.names() == names(self._staying(world))
        assert world.product.remaining(HERE, WANTED) == 0

    def test_requests_go_together_and_are_counted_apart(self, world: World) -> None:
        world.put([*GOING, *STAYING])
        wanted = [
            Identities({EMAIL: (ANN,)}),
            Identities({EMAIL: ("nobody@example.com",)}),
            Identities({EMAIL: (BOB, ANN), LOYALTY: (CARD,)}),
        ]
        requests = [Request(RequestKey(f"order-{at}.product"), each) for at, each in enumerate(wanted)]
        for _ in range(ASKED_MAX):
            answers = list(world.product.forget_each(HERE, requests))
            assert len(answers) == len(requests) or isinstance(answers[-1], Waiting)
            if not any(isinstance(each, Waiting) for each in answers):
                break
        # Whom two ask for goes with the first.
        assert list(map(removed, answers)) == [2, 0, 2]
        assert world.names() == names([*GOING[4:], *STAYING])

    def test_a_failure_between_requests_is_resumed(self, world: World) -> None:
        going, staying = many(4 * CHUNK, "going"), many(10, "staying")
        world.put([*going, *staying])
        requests = [
            Request(RequestKey(f"order-{at}.product"), ids_of(going[at * CHUNK : (at + 1) * CHUNK])) for at in range(4)
        ]
        world.fail_after(2)
        with pytest.raises(ProductUnavailable):
            [list(world.product.forget_each(HERE, requests)) for _ in range(ASKED_MAX)]
        assert names(staying) < world.names()
        world.fail_after(None)
        for _ in range(ASKED_MAX):
            if all(isinstance(each, Done) for each in world.product.forget_each(HERE, requests)):
                break
        assert world.names() == names(staying)

    def test_remaining_counts_before(self, world: World) -> None:
        self._furnish(world)
        left = world.product.remaining(HERE, WANTED)
        assert left is not None
        assert left >= len(self._going(world))
        assert world.product.remaining(HERE, Identities({EMAIL: ("nobody@example.com",)})) == 0

    def test_each_identity_is_found_or_not(self, world: World) -> None:
        world.put([*GOING, *STAYING])
        found = world.product.found(HERE, WANTED)
        # In the order in which they iterate; a service that counts by request cannot tell.
        assert found is None or list(found) == [2, 1, 1, 2, 0]
        world.product.forget(HERE, WANTED, KEY)

    def test_twice_is_once(self, world: World) -> None:
        self._furnish(world)
        settled(world.product, WANTED)
        assert removed(settled(world.product, WANTED, key=RequestKey("order-2.product"))) == 0
        settled(world.product, WANTED)
        assert world.names() == names(self._staying(world))

    def test_nobody_is_forgotten_for_an_unknown_space(self, world: World) -> None:
        self._furnish(world)
        space = Space(OTHER_ORG, DEV)
        assert settled(world.product, WANTED, space=space) == Done(0)
        assert world.product.remaining(space, WANTED) == 0
        assert world.names() == names([*self._going(world), *self._staying(world)])

    @pytest.mark.parametrize("nobody", [Identities({}), Identities({EMAIL: ()})], ids=["none", "none of a namespace"])
    def test_no_identities(self, world: World, nobody: Identities) -> None:
        self._furnish(world)
        assert world.product.forget(HERE, nobody, KEY) == Done(0)
        assert world.product.remaining(HERE, nobody) == 0
        assert world.names() == names([*self._going(world), *self._staying(world)])

    def test_by_dataset(self, world: World) -> None:
        self._furnish(world)
        world.put([trace("dan in another dataset", node(EMAIL.id, "dan@example.com"), dataset_id=ORDERS)])
        world.put([trace("elsewhere", node(EMAIL.id, CAT), dataset_id=ORDERS, space=Space(ORG, DEV))])
        assert world.product.remaining_of_dataset(HERE, ORDERS) == 2
        before = world.names()
        assert removed(settled_dataset(world.product, ORDERS)) == 2
        assert world.names() == before - {"ann in another dataset", "dan in another dataset"}
        assert world.product.remaining_of_dataset(HERE, ORDERS) == 0
        assert removed(settled_dataset(world.product, ORDERS, key=RequestKey("again"))) == 0
        assert removed(settled_dataset(world.product, DatasetId("unknown"), key=RequestKey("unknown"))) == 0

    def test_many_identities(self, world: World) -> None:
        going, staying = many(20_000, "going"), many(5_000, "staying")
        world.put([*going, *staying])
        beats: list[None] = []
        assert removed(settled(world.product, ids_of(going), beat=lambda: beats.append(None))) >= len(going)
        assert world.names() == names(staying)
        assert world.product.remaining(HERE, ids_of(going)) == 0
        assert world.product.remaining(HERE, ids_of(staying)) == len(staying)
        assert len(beats) >= len(going) // CHUNK

    def test_ids_of_every_character(self, world: World) -> None:
        strange = [
            "'",
            '"',
            "\\",
            "%s",
            ":x",
            "{}",
            "a,b",
            "\u2028",
            "\U0001f600",
            "e\u0301",
            "\u00e9",
            "\ud800",
            "x" * 1024,
        ]
        going = [trace(f"going {n}", node(EMAIL.id, value)) for n, value in enumerate(strange) if value != "\ud800"]
        staying = [trace(f"staying {n}", node(LOYALTY.id, value[0])) for n, value in enumerate(strange[:4])]
        world.put([*going, *staying])
        settled(world.product, Identities({EMAIL: tuple(strange)}))
        assert world.names() == names(staying)

    def test_a_failure_in_the_middle_is_resumed(self, world: World) -> None:
        going, staying = many(3 * CHUNK, "secret"), many(10, "staying")
        world.put([*going, *staying])
        world.fail_after(1)
        with pytest.raises(ProductUnavailable) as failure:
            settled(world.product, ids_of(going))
        assert not speaks_of(failure.value)
        left = world.names()
        assert names(staying) < left < names([*going, *staying])
        world.fail_after(None)
        settled(world.product, ids_of(going))
        assert world.names() == names(staying)

    def test_a_beat_that_raises_stops_the_work(self, world: World) -> None:
        going = many(3 * CHUNK, "going")
        world.put(going)
        calls: list[None] = []

        def beat() -> None:
            calls.append(None)
            if len(calls) > 1:
                raise Stopped

        with pytest.raises(Stopped):
            settled(world.product, ids_of(going), beat=beat)
        assert world.names()
        settled(world.product, ids_of(going))
        assert world.names() == set()

    def test_a_dataset_resumes_too(self, world: World) -> None:
        world.put(many(3 * CHUNK, "going"))
        world.put([trace("staying", node(EMAIL.id, ANN), dataset_id=ORDERS)])
        world.fail_after(0)
        with pytest.raises(ProductUnavailable):
            settled_dataset(world.product, EVENTS)
        world.fail_after(None)
        settled_dataset(world.product, EVENTS)
        assert world.names() == {"staying"}

    def test_nothing_says_an_identity(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        self._furnish(world)
        settled(world.product, WANTED)
        world.product.remaining(HERE, WANTED)
        said = [*caplog.messages, repr(world.product), repr(WANTED), repr(GOING)]
        assert not [text for text in said if ANN in text or CARD in text]

    def _furnish(self, world: World) -> None:
        world.put([*self._going(world), *self._staying(world)])

    def _going(self, world: World) -> Sequence[Trace]:
        return [*GOING, *(GOING_EDGES if world.has_edges else ())]

    def _staying(self, world: World) -> Sequence[Trace]:
        return [*STAYING, *(STAYING_EDGES if world.has_edges else ())]
