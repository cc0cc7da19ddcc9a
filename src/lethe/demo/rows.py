"""The rows of the demo's datasets, the same at every run."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa

from lethe.demo.datasets import DATASETS, DemoDataset
from lethe.demo.people import CUSTOMER, EMAIL, PEOPLE, Person, person

NOBODY_EACH: Final = 20
"""Of so many rows, one names nobody."""
COUNTRIES: Final = ("BR", "DE", "JP", "NG", "US")
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
_PAGES: Final = ("/", "/search", "/product", "/basket", "/checkout")
_SUBJECTS: Final = ("Where is my order?", "Change of address", "Refund", "Login fails", "Thank you")
_IDENTITY_MAP: Final = pa.map_(
    pa.string(),
    pa.list_(pa.struct([("id", pa.string()), ("primary", pa.bool_()), ("authenticatedState", pa.string())])),
)
_SCHEMAS: Final = {
    "newsletter": pa.schema(
        [
            ("row", pa.int64()),
            ("email", pa.string()),
            ("since", pa.timestamp("us", "UTC")),
            ("topics", pa.list_(pa.string())),
        ]
    ),
    "web_events": pa.schema(
        [
            ("row", pa.int64()),
            ("person", pa.struct([("email", pa.string()), ("consent", pa.bool_())])),
            ("page", pa.string()),
            ("at", pa.timestamp("us", "UTC")),
        ]
    ),
    "orders": pa.schema(
        [("row", pa.int64()), ("customer_id", pa.string()), ("total", pa.decimal128(10, 2)), ("country", pa.string())]
    ),
    "app_activity": pa.schema(
        [
            ("row", pa.int64()),
            ("device", pa.struct([("ecid", pa.string()), ("os", pa.string())])),
            ("screen", pa.string()),
        ]
    ),
    "support_tickets": pa.schema([("row", pa.int64()), ("identityMap", _IDENTITY_MAP), ("subject", pa.string())]),
    "store_visits": pa.schema(
        [("row", pa.int64()), ("store", pa.string()), ("day", pa.date32()), ("visitors", pa.int32())]
    ),
}


def rows_of(dataset: DemoDataset) -> pa.Table:
    """The dataset's rows. Where people are named, some rows name nobody."""
    numbers = np.random.default_rng(DATASETS.index(dataset)).integers(0, PEOPLE, dataset.rows)
    rows = [
        _row(dataset.slug, row, None if row % NOBODY_EACH == 0 else person(int(number)))
        for row, number in enumerate(numbers)
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMAS[dataset.slug])


def _row(slug: str, row: int, who: Person | None) -> dict[str, Any]:
    at = _EPOCH + timedelta(minutes=row)
    match slug:
        case "newsletter":
            topics = ["news", "offers"][: row % 3]
            return {"row": row, "email": who and who.email, "since": at, "topics": topics}
        case "web_events":
            whom = {"email": who and who.email, "consent": row % 3 == 0}
            return {"row": row, "person": whom, "page": _PAGES[row % 5], "at": at}
        case "orders":
            total = Decimal(row % 9_973 + 100) / 100
            return {"row": row, "customer_id": who and who.customer_id, "total": total, "country": COUNTRIES[row % 5]}
        case "app_activity":
            return {
                "row": row,
                "device": {"ecid": who and who.ecid, "os": ("a", "b")[row % 2]},
                "screen": f"s{row % 9}",
            }
        case "support_tickets":
            return {"row": row, "identityMap": who and _identity_map(who), "subject": _SUBJECTS[row % 5]}
        case "store_visits":
            return {"row": row, "store": f"S{row % 40:02}", "day": at.date(), "visitors": row % 211}
        case _:
            raise ValueError(slug)


def _identity_map(who: Person) -> list[tuple[str, list[dict[str, object]]]]:
    """The e-mail address is the primary identity; the customer id stands beside it, and is not."""
    return [
        (EMAIL, [{"id": who.email, "primary": True, "authenticatedState": "authenticated"}]),
        (CUSTOMER, [{"id": who.customer_id, "primary": False, "authenticatedState": "ambiguous"}]),
    ]
