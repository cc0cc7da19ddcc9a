"""How accepted work is carried out, what follows it, and who is told."""

from typing import Annotated

from pydantic import Field, IPvAnyNetwork

from lethe.settings.part import Part


class WorkSettings(Part):
    """How accepted work is carried out."""

    workers: int = Field(
        1, ge=0, le=64, description="Workers inside `lethe serve`; 0 leaves the work to `lethe worker`."
    )
    processes: int = Field(2, ge=1, le=256, description="Processes that one worker rewrites files with.")
    memory_bytes: int = Field(
        2 * 1024**3, ge=64 * 1024**2, description="Memory that these processes may expect to use together, in bytes."
    )
    lease_seconds: float = Field(
        30, ge=1, le=3_600, description="How long a worker may stand still before another takes its task over."
    )
    readers_grace_seconds: float = Field(
        0, ge=0, le=31_536_000, description="How long files stay for queries that began before the deletion."
    )
    writers_grace_seconds: float = Field(
        3_600, ge=0, le=31_536_000, description="How long a file that no table refers to may be a commit on its way."
    )
    trash_days: float = Field(
        0, ge=0, le=365, description="How long an expired dataset can be restored before it is destroyed, in days."
    )


class AftercareSettings(Part):
    """What follows the end of work."""

    reverify_days: tuple[Annotated[float, Field(gt=0, le=3_650)], ...] = Field(
        (),
        max_length=20,
        description="Days after completion on which to look whether an erased identity is back, such as `[1, 7, 30]`; "
        "each look reads the identity columns of the order's tables.",
    )
    failed_identities_days: float = Field(
        30, ge=0, le=3_650, description="How long raw identities of a failed order stay, encrypted, for its retry."
    )
    history_days: float = Field(
        0,
        ge=0,
        le=36_500,
        description="How long plans, results, keyed hashes and tasks of ended work stay; 0 is for ever. Orders, "
        "expirations, certificates and the audit trail stay in any case.",
    )


class WebhookSettings(Part):
    """How events reach webhooks."""

    senders: int = Field(
        2, ge=1, le=64, description="Webhooks that one process with workers delivers to at once, beside its work."
    )
    max_per_org: int = Field(20, ge=0, le=1_000, description="Webhooks of one organization.")
    timeout_seconds: float = Field(10, gt=0, le=60, description="How long a receiver may take to answer, in seconds.")
    allowed_networks: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="Networks that webhooks may lead to although they are not public, such as `10.1.0.0/16`. "
        "`127.0.0.0/8` also admits `http://` on this machine's loopback address.",
    )
    disable_after_days: float = Field(
        5, gt=0, le=365, description="Days of nothing but failures after which a webhook is disabled."
    )
    keep_days: float = Field(30, ge=4, le=3_650, description="Days for which events and deliveries are kept.")
