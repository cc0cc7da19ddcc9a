"""The shapes of errors."""

from typing import Annotated

from pydantic import Field

from lethe.contract.shape import Answer


class GatewayError(Answer):
    """A refusal before the service is reached."""

    error_code: Annotated[str, Field(alias="error_code", examples=["403010"])]
    message: Annotated[str, Field(examples=["Oauth token is missing."])]


class TenantInfo(Answer):
    """In whose name the request was made."""

    sandbox_name: str | None = None
    sandbox_id: str | None = None
    ims_org_id: str | None = None


class Report(Answer):
    """What is known about the failed request; `additionalContext` says the field, the index, the figures."""

    tenant_info: TenantInfo
    additional_context: dict[str, object]


class ErrorChainLink(Answer):
    """A service that took part in the failure."""

    service_id: str
    error_code: str
    invoking_service_id: str
    unix_time_stamp_ms: int


class Problem(Answer):
    """A refusal by the service (RFC 9457). `message` repeats `detail` for clients that read that."""

    type: Annotated[str, Field(examples=["http://ns.adobe.com/aep/errors/HYGN-3001-404"])]
    title: str
    status: int
    detail: str
    error_code: Annotated[str, Field(alias="error_code")]
    message: str
    report: Report
    error_chain: Annotated[list[ErrorChainLink], Field(alias="error-chain")]
