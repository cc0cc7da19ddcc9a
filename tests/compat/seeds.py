"""What the published documents show: every request, and the answer printed beside it.

Three generations of one API, in five documents:

- GUIDE: "Data Hygiene API guide", the newest guide's first page (headers, no calls of its own)
- ALPHA: "Data Hygiene API (Alpha)", section "Create a delete job"
- GUIDE_2022: "Data Hygiene API guide" of 2022, section "Delete an identity"
- REFERENCE: "Data Hygiene API (1.0.0)", the API reference; two documents are renderings of it, of which one prints
  inner objects and the other the query parameters

`{ORG}` stands for the organization, as in the documents; ids that only an answer can tell stand in braces too.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

ALPHA_REQUEST = """
{
        "companyContexts": [
          {
            "namespace": "imsOrgID",
            "value": "{ORG}"
          }
        ],
        "users": [
          {
            "key": "John Doe",
            "action": [
              "delete"
            ],
            "userIDs": [
              {
                "namespace": "email",
                "value": "johnd@example.com",
                "type": "standard",
              },
              {
                "namespace": "ECID",
                "value": "9cbefef1-dd44-4411-87db-2d387bf882bc",
                "type": "standard"
              }
            ]
          },
          {
            "key": "Jane Doe",
            "action": [
              "delete"
            ],
            "userIDs": [
              {
                "namespace": "Loyalty ID",
                "value": "30583967185734",
                "type": "custom"
              }
            ]
          }
        ]
      }
"""
"""ALPHA, as printed: a comma too many stands behind the first user's first `type`."""

ALPHA_ANSWER: dict[str, Any] = {
    "requestId": "16318094870430026RX-334",
    "totalRecords": 2,
    "jobs": [
        {
            "jobId": "c9b5fd82-db14-4c27-8bec-64a06e1fbda4",
            "customer": {
                "user": {
                    "key": "John Doe",
                    "action": ["delete"],
                    "userIDs": [
                        {
                            "namespace": "email",
                            "value": "johnd@example.com",
                            "type": "standard",
                            "namespaceId": 6,
                            "isDeletedClientSide": False,
                        },
                        {
                            "namespace": "ECID",
                            "value": "9cbefef1-dd44-4411-87db-2d387bf882bc",
                            "type": "standard",
                            "namespaceId": 4,
                            "isDeletedClientSide": False,
                        },
                    ],
                }
            },
        },
        {
            "jobId": "8ddc8e73-cecc-4be3-ae44-cdba127f7c70",
            "customer": {
                "user": {
                    "key": "Jane Doe",
                    "action": ["delete"],
                    "userIDs": [
                        {
                            "namespace": "Loyalty ID",
                            "value": "30583967185734",
                            "type": "custom",
                            "isDeletedClientSide": False,
                        }
                    ],
                }
            },
        },
    ],
}

IDENTITIES = [
    {"namespace": {"code": "email"}, "id": "poul.anderson@example.com"},
    {"namespace": {"code": "email"}, "id": "cordwainer.smith@gmail.com"},
    {"namespace": {"code": "email"}, "id": "cyril.kornbluth@yahoo.com"},
]
NAMESPACES_IDENTITIES = [
    {
        "namespace": {"code": "email"},
        "IDs": ["poul.anderson@example.com", "cordwainer.smith@gmail.com", "cyril.kornbluth@yahoo.com"],
    }
]
"""The same three in the form of today's clients."""

ORDER_DATASET = "c48b51623ec641a2949d339bad69cb15"
ORDER_2022_REQUEST = {"action": "delete_identity", "datasetId": ORDER_DATASET, "identities": IDENTITIES}
ORDER_2022_ANSWER = {
    "workorderId": "ID6c28e2d2d2b54079aadf7be94568f6d3",
    "orgId": "{ORG}",
    "operation": "delete_identity",
    "operationCount": 3,
    "status": "received",
    "created_at": "2022-04-07T15:56:49.431+00:00",
    "updated_at": "2022-04-07T15:33:10.664+00:00",
}

ORDER_REQUEST = {
    "action": "delete_identity",
    "datasetId": ORDER_DATASET,
    "displayName": "Example Record Delete Request",
    "description": "Cleanup identities required by Jira request 12345.",
    "identities": IDENTITIES,
}
ORDER_ANSWER = {
    "workorderId": "a15345b8-a2d6-4d6f-b33c-5b593e86439a",
    "orgId": "{ORG}",
    "bundleId": "BN-35c1676c-3b4f-4195-8d6c-7cf5aa21efdd",
    "action": "identity-delete",
    "createdAt": "2022-07-21T18:05:28.316029Z",
    "updatedAt": "2022-07-21T17:59:43.217801Z",
    "status": "received",
    "createdBy": "{USER_ID}",
    "datasetId": ORDER_DATASET,
    "displayName": "Example Record Delete Request",
    "description": "Cleanup identities required by Jira request 12345.",
}
ORDER_PRODUCTS = [
    {"productName": "Data Management", "productStatus": "success", "createdAt": "2022-08-08T16:51:31.535872Z"},
    {"productName": "Identity Service", "productStatus": "success", "createdAt": "2022-08-08T16:43:46.331150Z"},
    {"productName": "Profile Service", "productStatus": "waiting", "createdAt": "2022-08-08T16:37:13.443481Z"},
    {"productName": "Journey Orchestrator", "productStatus": "success", "createdAt": "2024-06-12T20:12:19.843199Z"},
]
ORDER_UPDATE = {"displayName": "Update - displayName", "description": "Update - description"}

QUOTAS_ANSWER = {
    "quotas": [
        {
            "name": "datasetExpirationQuota",
            "description": "The number of concurrently active Expiration Dataset Delete in all workorder requests for "
            "the organization.",
            "consumed": 12,
            "quota": 50,
        },
        {
            "name": "dailyConsumerDeleteIdentitiesQuota",
            "description": "The consumed number of deleted identities in all workorder requests for the organization "
            "for today.",
            "consumed": 21,
            "quota": 600000,
        },
        {
            "name": "monthlyConsumerDeleteIdentitiesQuota",
            "description": "The consumed number of deleted identities in all workorder requests for the organization "
            "for this month.",
            "consumed": 832,
            "quota": 600000,
        },
        {
            "name": "monthlyUpdatedFieldIdentitiesQuota",
            "description": "The consumed number of updated identities in all workorder requests for the organization "
            "for this month.",
            "consumed": 0,
            "quota": 0,
        },
    ]
}

EXPIRATION_DATASET = "66043e214ac58a2c9f9eb99f"
EXPIRATION_ANSWER = {
    "ttlId": "SD-42215a53-b79e-49bc-bd00-69f8a470329f",
    "datasetId": EXPIRATION_DATASET,
    "datasetName": "E2E_Dataset_E2E_Identity_Map_Schema_5_1711554081377",
    "sandboxName": "sample-platform-sandbox",
    "imsOrg": "FB3C3EC6621DC3480A495EB2@AdobeOrg",
    "status": "executing",
    "expiry": "2024-03-28T16:41:24.262521Z",
    "updatedAt": "2024-03-28T16:41:32.549939Z",
    "updatedBy": "c87fb98d-b537-4cb9-b1b0-9b74c8e30e2c@techacct.adobe.com "
    "<c87fb98d-b537-4cb9-b1b0-9b74c8e30e2c@techacct.adobe.com> C4A32114631F55D40A495CA7@techacct.adobe.com",
    "displayName": "E2E_Short_Expiry_1711554084262",
    "description": "E2E_Short_Expiry",
}
EXPIRATION_PRODUCTS = [
    {"productName": "Data Management", "productStatus": "waiting", "createdAt": "2024-06-12T20:11:18.447747Z"}
]
EXPIRATIONS_ANSWER = {"results": [EXPIRATION_ANSWER], "current_page": 0, "total_pages": 6, "total_count": 118}
EXPIRATION_CREATE = {
    "datasetId": "5b020a27e7040801dedbf46e",
    "expiry": "2030-12-31T23:59:59Z",
    "displayName": "Delete Acme Data before 2025",
    "description": "The Acme information in this dataset is licensed for our use through the end of 2024.",
}
EXPIRATION_UPDATE = {name: EXPIRATION_CREATE[name] for name in ("expiry", "displayName", "description")}
EXPIRATION_RESCHEDULE = {"expiry": "2030-12-31T23:59:59Z"}
CANCELLED_ANSWER = {"message": "The dataset was successfully canceled."}

PRODUCT_NAMES = ("Data Management", "Identity Service", "Profile Service", "Journey Orchestrator")
QUOTA_TYPES = tuple(each["name"] for each in QUOTAS_ANSWER["quotas"])

EXPIRATION_QUERIES = (
    "author=LIKE %john%",
    "author=John Q. Public",
    "author=author=LIKE %john%, author=John Q. Public",  # as printed, the name of the parameter twice
    "datasetId=62b3925ff20f8e1b990a7434",
    "datasetId=datasetId=62b3925ff20f8e1b990a7434",
    "datasetName=Acme",
    "description=Handle expiration of Acme information through the end of 2024.",
    "displayName=License Expiry",
    "expiryDate=2024-01-06",
    "expiryToDate=2099-01-01&expiryFromDate=2100-01-01",
    "expiryFromDate=2099-01-01&expiryToDate=2100-01-01",
    "limit=50",
    "orgId=885737B25DC460C50A49411B@AdobeOrg",
    "orgId=orgId=885737B25DC460C50A49411B@AdobeOrg",
    "page=3",
    "sandboxName=dev1",
    "sandboxName=*",
    "search=John Q. Public",
    "status=pending,canceled",
    "updatedDate=2022-01-01",
    "updatedFromDate=2022-01-01",
    "updatedToDate=2022-01-01",
)
"""REFERENCE, section "List your dataset expirations", query parameters: each example as printed."""

ORDER_QUERIES = (
    "requestId=a15345b8-a2d6-4d6f-b33c-5b593e86439a",
    "displayName=License Expiry",
    "description=Handle expiration of Acme information through the end of 2024.",
    "WORKORDER_ID=a15345b8-a2d6-4d6f-b33c-5b593e86439a",
    "author=LIKE %john%",
    "author=John Q. Public",
    "author=author=LIKE %john%, author=John Q. Public",
    "status=pending,canceled",
    "page=3",
    "orderBy=-datasetName",
    "orderBy=displayName",
    "orderBy=+description",
    "orderBy=-id",
    "orderBy=+updatedBy,-updatedAt",
    "orderBy=status",
    "toDate=2099-01-01&fromDate=2100-01-01",
    "fromDate=2099-01-01&toDate=2100-01-01",
    "limit=50",
    "filterDate=2024-06-12",
)
"""REFERENCE, section "List workorders", query parameters: each example as printed, and each word for `orderBy`."""

_PATTERNS = (
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z",
    r"SD-[0-9a-f-]{36}",
    r"BN-[0-9a-f-]{36}",
    r"\d{17}RX-\d{3}",
    r"\S.* <\S+@\S+> \S+",
)
_BARE_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def parameters(query: str) -> dict[str, str]:
    """A printed query as parameters; an `=` or `,` in a value is of the value."""
    return dict(part.split("=", 1) for part in query.split("&"))  # type: ignore[misc]


def assert_shows(answer: Any, shown: Any, at: str = "answer") -> None:
    """Assert that an answer has every field that the document shows, of its type and in its form."""
    match shown:
        case Mapping():
            assert isinstance(answer, dict), at
            for name, value in shown.items():
                assert name in answer, f"{at} has no {name}"
                assert_shows(answer[name], value, f"{at}.{name}")
        case list():
            assert isinstance(answer, list), at
            assert answer, f"{at} is empty"
            for index, each in enumerate(answer):
                assert_shows(each, shown[min(index, len(shown) - 1)], f"{at}[{index}]")
        case str():
            assert isinstance(answer, str), at
            for pattern in _PATTERNS:
                if re.fullmatch(pattern, shown):
                    assert re.fullmatch(pattern, answer), f"{at}: {answer}"
            if re.fullmatch(_BARE_UUID, shown):
                assert re.search(_BARE_UUID + r"\Z", answer), f"{at}: {answer}"
            if re.match(r"\d{4}-\d{2}-\d{2}T", shown):
                assert datetime.fromisoformat(answer).tzinfo is not None, f"{at}: {answer}"
        case _:
            assert type(answer) is type(shown), f"{at}: {answer}"
