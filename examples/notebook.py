# ruff: noqa: D100 - the first cell says what this is
# %% [markdown]
# # Looking before deleting
#
# A notebook as a script: editors that know `# %%` run it cell by cell. It previews a record delete, carries it out,
# and shows what became of each identity. Source `data/lethe.env` first, or set the variables.

# %%
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

from lethe.client import Lethe

lethe = Lethe.from_environment()
dataset_id, *people = sys.argv[1:]
gone = {"Email": people}

# %% Which datasets there are, and what may still be deleted this month
for dataset in lethe.datasets.list():
    print(f"{dataset.name:20} {dataset.table.format:10} {dataset.table.location or dataset.table.identifier}")
for quota in lethe.quota():
    print(f"{quota.name:40} {quota.left:>12,} left")

# %% What a work order would do; nothing is changed by asking
preview = lethe.work_orders.preview(dataset_id, gone)
print(f"{preview.rows_matched:,} rows of {preview.operation_count - preview.identities_not_found} people")
for plan in preview.datasets:
    print(f"{plan.dataset_id}: rewrite {plan.files.rewrite} files, drop {plan.files.drop}, keep {plan.files.keep}")

# %% Do it, and follow it to the end
order = lethe.work_orders.create(dataset_id, gone, display_name="From the notebook")
order = order.wait(timeout=600, on_progress=lambda seen: print(f"{seen.updated_at:%H:%M:%S} {seen.status}"))

# %% What became of each identity, under its keyed hash
results = lethe.work_orders.results(order.workorder_id)
print(Counter(result.status for result in results), f"{results.rows_deleted:,} rows deleted")

# %% Let the rest of the dataset expire in 90 days, and think better of it
expiration = lethe.expirations.create(dataset_id, datetime.now(UTC) + timedelta(days=90), display_name="Licence ends")
print(expiration.ttl_id, expiration.expiry.date(), expiration.cancel().status)

# %%
lethe.close()
