"""What it costs to seal, open and search the identities of one full order: CPU milliseconds of this process.

python bench/storage/seal.py [--identities N]
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import process_time

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from lethe.domain.identity import Identities  # noqa: E402
from lethe.domain.ids import WorkOrderId  # noqa: E402
from lethe.domain.namespace import Namespace  # noqa: E402
from lethe.storage.interface import SealedIdentities  # noqa: E402
from lethe.storage.store import SqlStore, SqlTransaction  # noqa: E402
from lethe.storage.vault_keys import VaultKeys  # noqa: E402
from support.values import EMAIL, HANDLE, a_bundle, an_order  # noqa: E402

ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=100_000)
    count = parser.parse_args().identities
    ids = tuple(f"first.last+{number}@mail.example.com" for number in range(count))
    with tempfile.TemporaryDirectory() as directory:
        store = SqlStore(f"sqlite:///{directory}/seal.db", VaultKeys.from_secret(b"a secret of the bench, long enough"))
        store.migrate()
        for namespace in (EMAIL, HANDLE):
            identities = Identities({namespace: ids})
            orders = [an_order(a_bundle()) for _ in range(ROUNDS)]
            print(f"{count:,} ids, namespace {'case-insensitive' if namespace.case_insensitive else 'exact'}")
            began = process_time()
            made = {order.work_order_id: store.seal(order.org_id, order.work_order_id, identities) for order in orders}
            print(f"  {'seal':8} {(process_time() - began) / ROUNDS * 1_000:7.1f} ms, without a transaction")
            for name, call in calls(namespace, made).items():
                report(name, store, [partial(call, order=order) for order in orders])
        store.close()


def calls(namespace: Namespace, sealed: Mapping[WorkOrderId, SealedIdentities]) -> dict[str, Callable[..., object]]:
    """What an order's identities go through."""
    return {
        "keep": lambda transaction, order: transaction.identities.keep(sealed[order.work_order_id]),
        "open": lambda transaction, order: transaction.identities.open(order.work_order_id),
        "holds": lambda transaction, order: transaction.identities.holds(order.work_order_id, namespace, "x"),
        "destroy": lambda transaction, order: transaction.identities.destroy(order.work_order_id),
    }


def report(name: str, store: SqlStore, repeated: list[Callable[[SqlTransaction], object]]) -> None:
    within, whole = [], []
    for call in repeated:
        began = process_time()
        with store.write() as transaction:
            call_began = process_time()
            call(transaction)
            within.append(process_time() - call_began)
        whole.append(process_time() - began)
    print(f"  {name:8} {min(within) * 1_000:7.1f} ms, with its transaction {min(whole) * 1_000:7.1f} ms")


if __name__ == "__main__":
    main()
