"""`POST /jobs`, the alpha's record deletes."""

from typing import Annotated, Final, Literal

from pydantic import Field

from lethe.contract.shape import NO_NUL, Answer, Body, Text

USERS_MAX: Final = 1_000
USER_IDS_MAX: Final = 9


class CompanyContext(Body):
    """The org in whose name the request is made."""

    namespace: Literal["imsOrgID"]
    value: Text


class UserIdIn(Body):
    """One identity of a user."""

    namespace: Annotated[str, Field(min_length=1, max_length=255), NO_NUL]
    value: Text
    type: Literal["standard", "custom"]


class UserIn(Body):
    """One user to forget."""

    key: Annotated[str, Field(min_length=1, max_length=255), NO_NUL]
    action: Annotated[list[Literal["delete"]], Field(min_length=1, max_length=1)]
    user_ids: Annotated[list[UserIdIn], Field(alias="userIDs", min_length=1, max_length=USER_IDS_MAX)]


class JobsCreate(Body):
    """Users to forget, one work order each."""

    company_contexts: Annotated[list[CompanyContext], Field(min_length=1, max_length=1)]
    users: Annotated[list[UserIn], Field(min_length=1, max_length=USERS_MAX)]


class UserIdOut(Answer):
    """One identity, as it was sent; `namespaceId` for a standard namespace only."""

    namespace: str
    value: str
    type: str
    namespace_id: int | None = None
    is_deleted_client_side: bool = False


class UserOut(Answer):
    """One user."""

    key: str
    action: list[str]
    user_ids: Annotated[list[UserIdOut], Field(alias="userIDs")]


class CustomerOut(Answer):
    """The user of a job."""

    user: UserOut


class JobOut(Answer):
    """One job; `jobId` is its work order's uuid."""

    job_id: str
    customer: CustomerOut


class JobsOut(Answer):
    """The jobs that were made."""

    request_id: str
    total_records: int
    jobs: list[JobOut]
