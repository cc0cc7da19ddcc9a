"""The catalogue of error codes: every error that a caller can get, once.

Errors of the gateway kind are `{"error_code", "message"}` with a six-digit code. Errors of the hygiene service are
problem documents (RFC 9457) whose type is `http://ns.adobe.com/aep/errors/HYGN-<number>-<status>`. The numbers are
grouped: 1xxx the request as such, 2xxx quotas and rates, 3xxx dataset expirations, 4xxx work orders, 5xxx the catalog,
6xxx webhooks and callbacks, 9xxx the service. `docs/reference/errors.md` is made from this file.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class GatewayCode:
    """A refusal before the service is reached."""

    code: str
    status: int
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """A refusal by the service."""

    number: int
    status: int
    title: str
    remedy: str

    @property
    def code(self) -> str:
        """Such as `HYGN-3003-400`."""
        return f"HYGN-{self.number}-{self.status}"

    @property
    def type(self) -> str:
        """The problem type URI."""
        return f"http://ns.adobe.com/aep/errors/{self.code}"


TOKEN_MISSING: Final = GatewayCode("403010", 403, "Oauth token is missing.", "Send `Authorization: Bearer <token>`.")
TOKEN_INVALID: Final = GatewayCode(
    "401013", 401, "Oauth token is not valid", "Get a new token; it may have expired or be meant for another service."
)
API_KEY_MISSING: Final = GatewayCode("403000", 403, "Api Key is required", "Send `x-api-key`, the client id.")
API_KEY_INVALID: Final = GatewayCode(
    "403003", 403, "Api Key is invalid", "Send as `x-api-key` the id of the client that the token was issued to."
)
HEADER_MISSING: Final = GatewayCode("400003", 400, "Missing header", "Send the header that the message names.")
ORG_INVALID: Final = GatewayCode(
    "403025", 403, "Profile is not valid", "Send as `x-gw-ims-org-id` an organization that the token is entitled to."
)
SANDBOX_INVALID: Final = GatewayCode(
    "403027", 403, "Sandbox is not valid", "Send as `x-sandbox-name` a sandbox of the organization that you may see."
)
PATH_UNKNOWN: Final = GatewayCode("404000", 404, "Resource not found", "Check the path.")
METHOD_UNKNOWN: Final = GatewayCode("405000", 405, "Method not allowed", "Use a method from the `Allow` header.")
CLIENT_INVALID: Final = GatewayCode(
    "401001", 401, "Client credentials are not valid", "Check client_id and client_secret."
)
GRANT_INVALID: Final = GatewayCode(
    "400001", 400, "Invalid token request", "Send a form with grant_type=client_credentials, client_id, client_secret."
)

NOT_JSON: Final = ProblemCode(
    1001, 400, "The request body is not valid JSON", "Send valid JSON with `Content-Type: application/json`."
)
INVALID_FIELD: Final = ProblemCode(
    1002, 400, "A field of the request is not valid", "The detail names the field and says what it may be."
)
INVALID_PARAMETER: Final = ProblemCode(
    1003, 400, "A query parameter is not valid", "The detail names the parameter and says what it may be."
)
BODY_TOO_LARGE: Final = ProblemCode(
    1004, 413, "The request body is too large", "Split the request; 100,000 identities fit into the limit."
)
INVALID_HEADER: Final = ProblemCode(1005, 400, "A header is not valid", "The detail names the header.")
PERMISSION_DENIED: Final = ProblemCode(
    1006, 403, "The caller lacks a permission", "Ask an administrator for a role with the permission that is named."
)
IDEMPOTENCY_CONFLICT: Final = ProblemCode(
    1007, 422, "The Idempotency-Key was used with another request", "Use a new key for a new request."
)

QUOTA_EXCEEDED: Final = ProblemCode(
    2001, 403, "The quota is exceeded", "Wait until the instant in `resetsAt`, or ask for a higher allowance."
)
RATE_LIMITED: Final = ProblemCode(
    2002, 429, "Too many small work orders", "Wait `Retry-After` seconds; put more identities into one work order."
)

EXPIRATION_UNKNOWN: Final = ProblemCode(
    3001, 404, "The dataset expiration does not exist", "Look it up by its ttlId or its dataset id, in its sandbox."
)
EXPIRY_TOO_SOON: Final = ProblemCode(
    3002, 400, "The expiry is too soon", "Choose an expiry at least the minimum lead ahead (24 hours by default)."
)
EXPIRATION_EXISTS: Final = ProblemCode(
    3003, 400, "The dataset already has an expiration", "Change the existing one with PUT, or cancel it first."
)
EXPIRATION_NOT_EDITABLE: Final = ProblemCode(
    3004, 400, "The expiration can no longer be changed", "Only a pending one, or a cancelled one given an expiry, can."
)
EXPIRATION_NOT_CANCELLABLE: Final = ProblemCode(
    3005, 404, "There is no pending expiration to cancel", "Only a pending expiration can be cancelled."
)
PRODUCT_STATUS_NOT_AVAILABLE: Final = ProblemCode(
    3006, 400, "Product statuses are not available yet", "Ask for them once the expiration is executing or completed."
)
EXPIRATION_NOT_STUCK: Final = ProblemCode(
    3007, 409, "Nothing of the expiration was given up", "Retry an executing expiration of which a product failed."
)
EXPIRATION_NOT_RESTORABLE: Final = ProblemCode(
    3008, 409, "The dataset cannot be restored", "Restore it before `destroyAfter`; later its destruction has begun."
)

WORK_ORDER_UNKNOWN: Final = ProblemCode(
    4001, 404, "The work order does not exist", "Look it up by its id, in its sandbox."
)
IDENTITIES_EMPTY: Final = ProblemCode(
    4002, 400, "The request holds no identities", "Send `identities` or `namespacesIdentities` with at least one."
)
IDENTITIES_MIXED: Final = ProblemCode(
    4003, 400, "The request holds identities in both forms", "Send `identities` or `namespacesIdentities`, not both."
)
IDENTITIES_TOO_MANY: Final = ProblemCode(
    4004, 400, "The request holds too many identities", "Split it into several work orders of at most 100,000 each."
)
NAMESPACE_UNKNOWN: Final = ProblemCode(
    4005, 400, "The identity namespace is not known", "Use a namespace from GET /data/core/idnamespace/identities."
)
NAMESPACE_UNFIT: Final = ProblemCode(
    4006,
    400,
    "The namespace is not the dataset's",
    "Use the namespace of the dataset's primary identity, or datasetId `ALL`.",
)
DATASET_WITHOUT_IDENTITY: Final = ProblemCode(
    4007, 400, "The dataset has no identity", "Choose a dataset with a primary identity or an identity map."
)

TABLE_NOT_DELETABLE: Final = ProblemCode(
    4008, 409, "A table cannot be deleted from with certainty", "The detail names the dataset and what is in the way."
)
TABLE_NOT_READABLE: Final = ProblemCode(
    4009, 503, "A table could not be read", "Nothing was stored; try again later, the detail names the dataset."
)
PLAN_UNKNOWN: Final = ProblemCode(
    4010, 404, "The work order has no plan", "Ask again once it is validated; deleting a whole dataset needs no plan."
)
CERTIFICATE_UNKNOWN: Final = ProblemCode(
    4011, 404, "There is no certificate", "Ask again once the work order or the expiration is completed."
)

WORK_ORDER_NOT_FAILED: Final = ProblemCode(
    4012, 409, "The work order has not failed", "Retry a work order once its status is `failed`."
)
IDENTITIES_DESTROYED: Final = ProblemCode(
    4013, 409, "The identities were destroyed", "Submit a new work order; see `failed_identities_days` in the settings."
)

DATASET_UNKNOWN: Final = ProblemCode(
    5001, 404, "The dataset does not exist", "Use a dataset id from the catalog of this sandbox."
)
DATASET_EXISTS: Final = ProblemCode(5002, 409, "The dataset exists already", "Leave out `id`, or choose another.")
SCHEMA_UNKNOWN: Final = ProblemCode(5003, 404, "The schema does not exist", "URL-encode the schema's whole `$id`.")
NAMESPACE_EXISTS: Final = ProblemCode(
    5004, 409, "The identity namespace exists already", "Codes are compared without regard to case; choose another."
)
SANDBOX_UNKNOWN: Final = ProblemCode(
    5005, 404, "The sandbox does not exist", "Use a sandbox from GET /data/foundation/sandbox-management/sandboxes."
)
TABLE_TAKEN: Final = ProblemCode(
    5006,
    409,
    "The table belongs to a dataset already",
    "Register a table once, in one organization and sandbox, and none that contains another or lies inside it.",
)

WEBHOOK_UNKNOWN: Final = ProblemCode(6001, 404, "The webhook does not exist", "Look it up in GET /webhooks.")
WEBHOOKS_TOO_MANY: Final = ProblemCode(
    6002, 409, "The organization has too many webhooks", "Delete one that is not needed, or ask for a higher limit."
)
DELIVERY_UNKNOWN: Final = ProblemCode(
    6003, 404, "The delivery does not exist", "Look it up in the webhook's deliveries; old ones are removed."
)
CALLBACK_NOT_VERIFIED: Final = ProblemCode(
    6004, 401, "The callback is not verified", "Sign it with the secret of the service, as Standard Webhooks has it."
)
CALLBACK_UNKNOWN: Final = ProblemCode(
    6005, 404, "The callback is about no request", "Send as `request_key` the key of a request to this service."
)

INTERNAL: Final = ProblemCode(
    9001, 500, "The service failed", "Nothing was stored; send the request again, and report the request id."
)
UNAVAILABLE: Final = ProblemCode(
    9002, 503, "The service is not available", "Nothing was stored; send the request again later."
)
OUTCOME_UNKNOWN: Final = ProblemCode(
    9003,
    409,
    "It is not known whether the request was stored",
    "The database was lost at the very moment of storing: look before you send the request again.",
)

GATEWAY_CODES: Final = tuple(value for value in list(globals().values()) if isinstance(value, GatewayCode))
PROBLEM_CODES: Final = tuple(value for value in list(globals().values()) if isinstance(value, ProblemCode))
