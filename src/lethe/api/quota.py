"""`GET /quota`."""

from typing import Annotated

from fastapi import Query, Request, Response

from lethe.api.answers import answer, call_of
from lethe.api.gate import SandboxUse, services_of
from lethe.api.refusals import InvalidParameter
from lethe.api.resource import ROOT, Resource
from lethe.contract import error_codes as codes
from lethe.contract.quota import QuotaOut, QuotaQuery, QuotasOut
from lethe.contract.spelling import QUOTA_ALIASES, QUOTA_DESCRIPTION
from lethe.domain.caller import Permission
from lethe.operations.quota import quota_states

quota = Resource(ROOT, "Quota")


@quota.route(
    "GET",
    "/quota",
    permission=Permission.VIEW,
    sandbox_use=SandboxUse.IGNORED,
    answer=QuotasOut,
    errors=[codes.INVALID_PARAMETER],
)
def get_quotas(request: Request, query: Annotated[QuotaQuery, Query()]) -> Response:
    """Show how much of each quota the org has consumed.

    Only accepted requests count. Days begin at 00:00 UTC, months on the 1st at 00:00 UTC. The daily allowance shown
    never exceeds what is left of the month.
    """
    names = _names(query.quota_type)
    with services_of(request).store.read() as tx:
        states = quota_states(tx, call_of(request))
    shown = [
        QuotaOut(
            name=state.name.value,
            description=QUOTA_DESCRIPTION[state.name],
            consumed=state.consumed,
            quota=state.quota,
        )
        for state in states
        if state.name in names
    ]
    return answer(QuotasOut(quotas=shown))


def _names(quota_type: str | None) -> tuple[str, ...]:
    if quota_type is None:
        return tuple(QUOTA_DESCRIPTION)
    if quota_type in QUOTA_DESCRIPTION:
        return (quota_type,)
    if quota_type in QUOTA_ALIASES:
        return QUOTA_ALIASES[quota_type]
    raise InvalidParameter(f"is one of {', '.join([*QUOTA_DESCRIPTION, *QUOTA_ALIASES])}", field="quotaType")
