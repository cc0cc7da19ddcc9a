"""What a work order planned and did, printed. Identities appear under their keyed hashes alone."""

from collections import Counter

from lethe.cli.output import Format, say, show, show_json, show_table
from lethe.client import LookUp, Plan, Results


def print_plan(plan: Plan, output: Format) -> None:
    """Print what an order does to each file that it does not keep."""
    if output is Format.JSON:
        show_json(plan.to_wire())
        return
    show_table(
        ("DATASET", "FILE", "ACTION", "ROWS", "MATCHED", "BYTES", "WHY"),
        (
            (each.dataset_id, file.path, file.action, file.rows, file.rows_matched, file.size_bytes, file.reason)
            for each in plan.datasets
            for file in each.touched_files
        ),
    )
    for each in plan.datasets:
        say(f"{each.dataset_id}: {each.rows_matched:,} rows, {each.files.keep:,} files kept, plan {each.plan_hash}")


def print_results(results: Results, output: Format, *, with_identities: bool) -> None:
    """Print what became of each dataset, and how many identities ended how."""
    identities = list(results) if with_identities else []
    if output is Format.JSON:
        facts: dict[str, object] = {
            "workorderId": results.workorder_id,
            "status": results.status,
            "datasets": [each.to_wire() for each in results.datasets],
            "total": results.total,
        }
        show_json(facts | {"results": [each.to_wire() for each in identities]} if with_identities else facts)
        return
    counts = ""
    if with_identities:
        found = Counter(each.status for each in identities)
        counts = ": " + ", ".join(f"{count:,} {status}" for status, count in found.most_common())
        show_table(
            ("NAMESPACE", "HASH", "STATUS", "ROWS"),
            ((each.namespace, each.hash, each.status, each.rows) for each in identities),
        )
    show_table(
        ("DATASET", "ROWS DELETED", "PLAN"),
        ((each.dataset_id, each.rows_deleted, each.plan_hash) for each in results.datasets),
    )
    told = f"{results.rows_deleted:,} rows, {results.total:,} identities{counts}"
    say(f"{results.workorder_id} is {results.status}: {told}")


def print_lookup(found: LookUp, output: Format) -> None:
    """Print what became of one identity, under its keyed hash."""
    facts: dict[str, object] = {"asked for": found.requested}
    if found.result is not None:
        facts |= {"status": found.result.status, "rows": found.result.rows, "hash": found.result.hash}
    show(found, output, facts)
