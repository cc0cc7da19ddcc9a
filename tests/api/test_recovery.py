"""Retrying and restoring what is not to be retried or restored."""

from uuid import UUID

from lethe.domain.ids import WorkOrderId
from support.api import EMAILS, World

from .refusals import refused

ORDER = {"datasetId": EMAILS, "identities": [{"namespace": {"code": "email"}, "id": "somebody@example.com"}]}
UNKNOWN = "DI-00000000-0000-4000-8000-000000000000"


def failed_order(world: World) -> str:
    """An order that has failed, without any work."""
    order_id: str = world.call("POST", "/workorder", ORDER).json()["workorderId"]
    with world.store.write() as tx:
        order = tx.work_orders.find_any(WorkOrderId(UUID(order_id.removeprefix("DI-"))))
        assert order is not None
        tx.work_orders.save(order.failed(tx.now))
    return order_id


def test_an_order_that_has_not_failed_is_not_retried(sqlite_world: World) -> None:
    order_id = sqlite_world.call("POST", "/workorder", ORDER).json()["workorderId"]
    answer = sqlite_world.call("POST", f"/workorder/{order_id}/retry")
    refused(answer, 409, "4012")
    assert answer.json()["detail"] == "the work order is received; only a failed one is retried"


def test_an_order_whose_identities_were_destroyed_is_not_retried(sqlite_world: World) -> None:
    order_id = failed_order(sqlite_world)
    with sqlite_world.store.write() as tx:
        tx.identities.destroy([WorkOrderId(UUID(order_id.removeprefix("DI-")))])
    refused(sqlite_world.call("POST", f"/workorder/{order_id}/retry"), 409, "4013")


def test_what_does_not_exist_is_neither_retried_nor_restored(sqlite_world: World) -> None:
    refused(sqlite_world.call("POST", f"/workorder/{UNKNOWN}/retry"), 404, "4001")
    for verb in ("retry", "restore"):
        refused(sqlite_world.call("POST", f"/ttl/{EMAILS}/{verb}"), 404, "3001")


def test_a_pending_expiration_is_neither_retried_nor_restored(sqlite_world: World) -> None:
    sqlite_world.call("POST", "/ttl", {"datasetId": EMAILS, "expiry": "2031-01-01"})
    refused(sqlite_world.call("POST", f"/ttl/{EMAILS}/retry"), 409, "3007")
    refused(sqlite_world.call("POST", f"/ttl/{EMAILS}/restore"), 409, "3008")


def test_a_strangers_order_is_not_retried(sqlite_world: World) -> None:
    order_id = failed_order(sqlite_world)
    headers = sqlite_world.headers("stranger", org_id="FEDC9876@LetheOrg")
    refused(sqlite_world.call("POST", f"/workorder/{order_id}/retry", headers=headers), 404, "4001")
    assert sqlite_world.call("GET", f"/workorder/{order_id}").json()["status"] == "failed"
