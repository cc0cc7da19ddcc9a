"""The Python client: typed, synchronous, and careful.

    from lethe.client import Lethe

    with Lethe.from_environment() as lethe:
        order = lethe.work_orders.create("5b020a27e7040801dedbf46e", {"Email": ["ann@example.com"]})
        order.wait(timeout=600)

How a call is made, from the outside in: `lethe` holds one resource a noun (`work_orders`, `expirations`, `datasets` …),
which shape the request and the value; `exchange` sends it with the headers of `connection` and a token of `tokens`;
`answers` says what came back, `retrying` whether and when to try once more, `errors` what to raise. Whatever creates
something carries an `Idempotency-Key`, so that a repetition has no second effect.

The package sees the contract and the wire, and nothing of the server.
"""

from lethe.client.connection import VARIABLES
from lethe.client.datasets import Dataset, Table
from lethe.client.errors import (
    Conflict,
    ErrorDocument,
    Invalid,
    InvalidArgument,
    LetheError,
    NotAuthenticated,
    NotConfigured,
    NotFound,
    OutcomeUnknown,
    PartlySubmitted,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    Refused,
    StillWorking,
    Unavailable,
    UnexpectedAnswer,
    WorkFailed,
)
from lethe.client.expiration import Expiration, HistoryEntry
from lethe.client.identities import IDENTITIES_MAX, Identities
from lethe.client.jobs import UserId
from lethe.client.lethe import Lethe
from lethe.client.neighbours import Namespace, Quota, Sandbox
from lethe.client.plan import DatasetPlan, IdentityResult, LookUp, Plan, Preview, Results
from lethe.client.retrying import Patience
from lethe.client.signed import Certificate
from lethe.client.waiting import Pace
from lethe.client.work_order import ProductStatus, WorkOrder
from lethe.contract.spelling import ALL_DATASETS

__all__ = [
    "ALL_DATASETS",
    "IDENTITIES_MAX",
    "VARIABLES",
    "Certificate",
    "Conflict",
    "Dataset",
    "DatasetPlan",
    "ErrorDocument",
    "Expiration",
    "HistoryEntry",
    "Identities",
    "IdentityResult",
    "Invalid",
    "InvalidArgument",
    "Lethe",
    "LetheError",
    "LookUp",
    "Namespace",
    "NotAuthenticated",
    "NotConfigured",
    "NotFound",
    "OutcomeUnknown",
    "Pace",
    "PartlySubmitted",
    "Patience",
    "PermissionDenied",
    "Plan",
    "Preview",
    "ProductStatus",
    "Quota",
    "QuotaExceeded",
    "RateLimited",
    "Refused",
    "Results",
    "Sandbox",
    "StillWorking",
    "Table",
    "Unavailable",
    "UnexpectedAnswer",
    "UserId",
    "WorkFailed",
    "WorkOrder",
]
