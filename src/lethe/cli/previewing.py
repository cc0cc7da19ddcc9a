"""What a work order would delete, before anybody is asked."""

from collections.abc import Mapping, Sequence

from lethe.cli.output import Format, say, show_json, show_table
from lethe.client import DatasetPlan, Identities, Lethe, Preview
from lethe.client.identities import parts_of


def preview_parts(
    lethe: Lethe, datasets: Sequence[str], identities: Identities, target_services: Sequence[str] | None = None
) -> list[Preview]:
    """Preview any number of identities, as many at a time as a work order takes."""
    return [
        lethe.work_orders.preview(datasets, part.by_namespace, target_services=target_services)
        for part in parts_of(identities)
    ]


def rows_by_dataset(previews: Sequence[Preview]) -> Mapping[str, int]:
    """Rows that match, by dataset; a row that identities of two parts name counts twice."""
    rows: dict[str, int] = {}
    for preview in previews:
        for plan in preview.datasets:
            rows[plan.dataset_id] = rows.get(plan.dataset_id, 0) + plan.rows_matched
    return rows


def print_preview(previews: Sequence[Preview], output: Format, *, err: bool = False) -> None:
    """Print previews: a JSON array of them, or one table; what is passed by and not found is told."""
    if output is Format.JSON:
        show_json([preview.to_wire() for preview in previews])
        return
    rows = [_row(plan) for preview in previews for plan in preview.datasets]
    if rows:
        columns = ("DATASET", "ROWS", "FILES TO REWRITE", "TO DROP", "TO KEEP", "BYTES TO REWRITE", "TO DROP")
        show_table(columns, rows, err=err)
    asked = sum(preview.operation_count for preview in previews)
    found = asked - sum(preview.identities_not_found for preview in previews)
    total = sum(rows_by_dataset(previews).values())
    say(f"{total:,} rows of {found:,} of {asked:,} identities. Nothing is changed yet.")
    for each in dict.fromkeys(skipped for preview in previews for skipped in preview.skipped_datasets):
        say(f"Passed by: {each.dataset_id}: {each.reason}")


def _row(plan: DatasetPlan) -> tuple[object, ...]:
    files = plan.files
    return (
        plan.dataset_id,
        plan.rows_matched,
        files.rewrite,
        files.drop,
        files.keep,
        plan.bytes_to_rewrite,
        plan.bytes_to_drop,
    )
