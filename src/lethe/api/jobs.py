"""`POST /jobs`, the alpha's record deletes."""

from typing import Annotated

from fastapi import Depends, Request, Response

from lethe.api.answers import IdempotencyKey, call_of, write_once
from lethe.api.bodies import JsonBytes, body_of
from lethe.api.gate import SandboxUse, services_of
from lethe.api.resource import ROOT, Resource
from lethe.clock import Ids
from lethe.contract import error_codes as codes
from lethe.contract.jobs import CustomerOut, JobOut, JobsCreate, JobsOut, UserIdOut, UserOut
from lethe.domain.caller import Permission
from lethe.domain.errors import InvalidField
from lethe.domain.work_order import WorkOrder
from lethe.operations.jobs import JobUser, PreparedJob, UserId, accept_jobs, prepare_jobs, seal_jobs
from lethe.storage.interface import Transaction

jobs = Resource(f"{ROOT}/jobs", "Jobs (alpha)")


@jobs.route(
    "POST",
    "",
    permission=Permission.MANAGE_RECORD_DELETES,
    sandbox_use=SandboxUse.DEFAULT,
    answer=JobsOut,
    status=201,
    body=JobsCreate,
    idempotent=True,
    errors=[codes.NAMESPACE_UNKNOWN, codes.QUOTA_EXCEEDED, codes.RATE_LIMITED],
)
def create_jobs(
    request: Request,
    body: JsonBytes,
    asked: Annotated[JobsCreate, Depends(body_of(JobsCreate))],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Delete users from all datasets of the default sandbox: one work order each, all of them or none."""
    services, call = services_of(request), call_of(request)
    if asked.company_contexts[0].value != call.org_id:
        raise InvalidField("is the organization of x-gw-ims-org-id", field="companyContexts[0].value")
    users = [
        JobUser(user.key, [UserId(each.namespace, each.value, each.type == "custom") for each in user.user_ids])
        for user in asked.users
    ]
    with services.store.read() as tx:
        prepared = prepare_jobs(tx, call, users)
    services.rate_limiter.take(call.caller.client_id)
    sealed = seal_jobs(services.store, call, prepared, ids=services.ids)

    def act(tx: Transaction) -> tuple[int, JobsOut]:
        orders = accept_jobs(tx, call, sealed, ids=services.ids)
        answered = [_job_out(job, order) for job, order in zip(prepared, orders, strict=True)]
        request_id = _request_id(int(tx.now.timestamp() * 1000), services.ids)
        return 201, JobsOut(request_id=request_id, total_records=len(answered), jobs=answered)

    return write_once(request, idempotency_key, body, act)


def _request_id(millis: int, ids: Ids) -> str:
    """`<millis><4 digits>RX-<3 digits>`."""
    return f"{millis}{ids.digits(4)}RX-{ids.digits(3)}"


def _job_out(job: PreparedJob, order: WorkOrder) -> JobOut:
    user_ids = [
        UserIdOut(
            namespace=identity.namespace,
            value=identity.value,
            type="custom" if identity.custom else "standard",
            namespace_id=None if namespace.custom else namespace.id,
        )
        for identity, namespace in zip(job.user.ids, job.namespaces, strict=True)
    ]
    user = UserOut(key=job.user.key, action=["delete"], user_ids=user_ids)
    return JobOut(job_id=str(order.work_order_id), customer=CustomerOut(user=user))
