"""Deletes everybody in a CSV file from a dataset, and keeps the proof: a batch job, as a scheduler runs it.

    python csv_batch.py gone.csv 5b020a27e7040801dedbf46e proofs/

The file has a header line and the columns `namespace` and `id`. Where Lethe is comes from the environment, or from the
file that LETHE_ENV_FILE names. The job may be run again after whatever went wrong: its key is made of the dataset and
the file, so that nobody is asked for twice within a day.
"""

import csv
import hashlib
import json
import os
import sys
from collections import defaultdict
from pathlib import Path

from lethe.client import Lethe, PartlySubmitted, WorkOrder

WAIT_SECONDS_MAX = 3_600


def identities_of(path: Path) -> dict[str, list[str]]:
    """Read the ids by their namespaces."""
    by_namespace = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, strict=True):
            by_namespace[row["namespace"]].append(row["id"])
    return by_namespace


def main() -> None:
    """Run the batch."""
    path, dataset, proofs = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    key = hashlib.sha256(dataset.encode() + path.read_bytes()).hexdigest()

    def accepted(number: int, of: int, order: WorkOrder) -> None:
        print(f"{order.workorder_id}: {order.operation_count:,} identities ({number} of {of})")

    with Lethe.from_environment(os.environ.get("LETHE_ENV_FILE")) as lethe:
        try:
            orders = lethe.work_orders.create_all(
                dataset, identities_of(path), display_name=path.name, idempotency_key=key, on_accepted=accepted
            )
        except PartlySubmitted as error:
            raise SystemExit(f"{error}: {error.__cause__}; run the job again") from error
        proofs.mkdir(parents=True, exist_ok=True)
        for order in orders:
            done = order.wait(WAIT_SECONDS_MAX)
            proof = proofs / f"{done.workorder_id}.json"
            proof.write_text(json.dumps(done.certificate().to_wire(), indent=2))
            rows = lethe.work_orders.results(done.workorder_id).rows_deleted
            print(f"{done.workorder_id}: {done.status}, {rows:,} rows")


if __name__ == "__main__":
    main()
