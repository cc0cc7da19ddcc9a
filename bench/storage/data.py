"""Rows in bulk: a million work orders and a hundred thousand expirations of one sandbox, and a smaller neighbour."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from lethe.storage.folding import folded, joined, sort_key

ORG = "0123ABCD@LetheOrg"
SANDBOXES = {1: "prod", 2: "dev"}
DEV_SHARE = 0.02
END = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 730
ACTIONS = ("delete_identity", "delete_dataset")
STATUSES = ("completed", "failed", "received", "validated", "submitted", "ingested")
WEIGHTS = (90, 4, 3, 1, 1, 1)
BUNDLE = UUID(int=1)

_random = random.Random(20260301)
_syllables = [
    "ar",
    "be",
    "cor",
    "da",
    "el",
    "fi",
    "gor",
    "ha",
    "in",
    "jo",
    "kul",
    "lo",
    "mi",
    "nor",
    "ö",
    "pa",
    "ra",
    "sal",
    "to",
    "um",
]
WORDS = sorted({"".join(_random.choices(_syllables, k=_random.randint(2, 4))) for _ in range(4_000)})
AUTHORS = [
    f"{first.title()} {last.title()} <{first}.{last}@example.com> u-{number}"
    for number, (first, last) in enumerate(zip(_random.sample(WORDS, 200), _random.sample(WORDS, 200), strict=True))
]
DATASETS = [" ".join(_random.sample(WORDS, 2)) for _ in range(300)]


def _text(low: int, high: int) -> str:
    return " ".join(_random.choices(WORDS, k=_random.randint(low, high)))


def _instant(share: float) -> datetime:
    """The instant at this share of the time that the rows cover, to the microsecond."""
    days = DAYS * (1 - share) + _random.random() / 1_000
    return END - timedelta(days=3, microseconds=int(days * 86_400_000_000))


def work_orders(count: int) -> Iterator[tuple[dict[str, Any], list[datetime]]]:
    """Rows of `work_orders`, each with the instants of its changes."""
    for number in range(1, count + 1):
        created_at = _instant(number / count)
        status = _random.choices(STATUSES, WEIGHTS)[0]
        changed = [created_at + timedelta(minutes=_random.random() * 3_000) for _ in range(2)]
        changed = [created_at] if status == "received" else [created_at, *sorted(changed)]
        created_by = AUTHORS[min(int(_random.expovariate(0.03)), len(AUTHORS) - 1)]
        updated_by = created_by if _random.random() < 0.9 else _random.choice(AUTHORS)
        display_name, description = f"{_text(2, 5)} {number}", _text(0, 12)
        dataset_name = "ALL" if _random.random() < 0.5 else _random.choice(DATASETS)
        yield {
            "number": number,
            "work_order_id": UUID(int=_random.getrandbits(128)),
            "space_id": 2 if _random.random() < DEV_SHARE else 1,
            "bundle_id": BUNDLE,
            "action": ACTIONS[_random.random() < 0.03],
            "dataset_ids": None,
            "dataset_name": dataset_name,
            "operation_count": int(_random.expovariate(0.01)) + 1,
            "target_products": '["datalake","identity","profile","ajo"]',
            "status": status,
            "display_name": display_name,
            "description": description,
            "created_at": created_at,
            "created_by": created_by,
            "updated_at": changed[-1],
            "updated_by": updated_by,
            "skipped": "[]",
            "dataset_name_key": sort_key(dataset_name),
            "description_key": sort_key(description),
            "display_name_folded": folded(display_name),
            "description_folded": folded(description),
            "search_text": joined(updated_by, display_name, description, dataset_name),
        }, changed  # fmt: skip


def expirations(count: int) -> Iterator[dict[str, Any]]:
    """Rows of `expirations`."""
    for number in range(1, count + 1):
        created_at = _instant(number / count)
        updated_at = created_at + timedelta(minutes=_random.random() * 3_000)
        status = _random.choices(("completed", "cancelled", "pending", "executing"), (80, 10, 9, 1))[0]
        updated_by = _random.choice(AUTHORS)
        display_name, description, dataset_name = f"{_text(2, 5)} {number}", _text(0, 12), f"{_text(1, 2)} {number}"
        yield {
            "number": number,
            "expiration_id": UUID(int=_random.getrandbits(128)),
            "space_id": 2 if _random.random() < DEV_SHARE else 1,
            "dataset_id": f"ds-{number}",
            "dataset_name": dataset_name,
            "status": status,
            "expiry_at": updated_at + timedelta(days=30),
            "display_name": display_name,
            "description": description,
            "created_at": created_at,
            "updated_at": updated_at,
            "updated_by": updated_by,
            "cancelled_at": updated_at if status == "cancelled" else None,
            "executed_at": updated_at if status in {"executing", "completed"} else None,
            "completed_at": updated_at if status == "completed" else None,
            "dataset_name_key": sort_key(dataset_name),
            "description_key": sort_key(description),
            "dataset_name_folded": folded(dataset_name),
            "display_name_folded": folded(display_name),
            "description_folded": folded(description),
            "search_text": joined(updated_by, display_name, description, dataset_name),
        }
