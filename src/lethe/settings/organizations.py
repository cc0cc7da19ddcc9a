"""Organizations, their sandboxes and quotas."""

from typing import Literal, Self

from pydantic import Field, model_validator

from lethe.settings.part import Count, Name, Part


class QuotaSettings(Part):
    """What an organization may consume."""

    expirations: Count = Field(50, description="Dataset expirations pending or executing at once.")
    daily_deletes: Count = Field(1_000_000, description="Identities in accepted record deletes a UTC day.")
    monthly_deletes: Count = Field(2_000_000, description="Identities in accepted record deletes a calendar month.")
    monthly_updates: Count = Field(1_000_000, description="Identities in accepted record updates a calendar month.")
    enforce: bool = Field(True, description="Whether to refuse what exceeds a quota; it is counted either way.")


class SandboxSettings(Part):
    """One sandbox of an organization."""

    name: Name = Field(description="The name that `x-sandbox-name` gives.")
    title: str = Field("", description="What people call it; the name when empty.")
    type: Literal["production", "development"] = Field("development", description="What it is for.")
    region: Name = Field("LOCAL", description="Where it is, as shown to clients.")
    is_default: bool = Field(False, description="Whether calls without a sandbox mean this one; exactly one does.")


class OrgSettings(Part):
    """One organization."""

    id: Name = Field(description="The id that `x-gw-ims-org-id` gives.")
    sandboxes: tuple[SandboxSettings, ...] = Field(
        (SandboxSettings(name="prod", title="Production", type="production", is_default=True),),
        min_length=1,
        description="Its sandboxes.",
    )
    sandbox_header: Literal["required", "optional"] = Field(
        "required", description="Whether `/ttl` and `/workorder` need `x-sandbox-name`, or default it."
    )
    min_expiry_lead_hours: float = Field(24, ge=0, le=8_760, description="How far ahead an expiry must be, in hours.")
    bundle_window_seconds: float = Field(
        0, ge=0, le=604_800, description="How long a bundle takes more work orders before it runs, in seconds."
    )
    bundle_orders_max: int = Field(1_000, ge=1, le=1_000_000, description="Work orders in one bundle at the most.")
    bundle_identities_max: int = Field(
        1_000_000, ge=1, le=100_000_000, description="Identities in one bundle at the most."
    )
    quotas: QuotaSettings = Field(QuotaSettings(), description="What it may consume.")

    @model_validator(mode="after")
    def _sandboxes_agree(self) -> Self:
        names = [sandbox.name for sandbox in self.sandboxes]
        if len(set(names)) < len(names):
            raise ValueError("two sandboxes have one name")
        if sum(sandbox.is_default for sandbox in self.sandboxes) != 1:
            raise ValueError("exactly one sandbox has is_default = true")
        return self
