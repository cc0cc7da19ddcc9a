"""The organizations of the settings."""

from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from lethe.domain.bundle import BundleLimits
from lethe.domain.ids import OrgId, SandboxName
from lethe.domain.organization import Organization, Sandbox, SandboxType
from lethe.domain.quota import Allowances
from lethe.settings import OrgSettings, SandboxSettings


def organization(org: OrgSettings) -> Organization:
    """Make the org of its settings."""
    return Organization(
        org_id=OrgId(org.id),
        sandboxes=tuple(_sandbox(org.id, sandbox) for sandbox in org.sandboxes),
        allowances=Allowances(**org.quotas.model_dump()),
        bundle_limits=BundleLimits(
            timedelta(seconds=org.bundle_window_seconds), org.bundle_orders_max, org.bundle_identities_max
        ),
        min_expiry_lead=timedelta(hours=org.min_expiry_lead_hours),
        sandbox_header_required=org.sandbox_header == "required",
    )


def _sandbox(org_id: str, sandbox: SandboxSettings) -> Sandbox:
    """The sandbox; its id follows from the names, so that it stays the same without being stored."""
    return Sandbox(
        sandbox_id=str(uuid5(NAMESPACE_URL, f"lethe:{org_id}/{sandbox.name}")),
        name=SandboxName(sandbox.name),
        title=sandbox.title or sandbox.name,
        type=SandboxType(sandbox.type),
        region=sandbox.region,
        is_default=sandbox.is_default,
    )
