"""Whether an installation can do its work, looked at before a work order finds out: `lethe doctor`.

Each check looks the way that the work goes: with the settings' credentials, at the places that are registered, by the
calls that a worker makes. What is found says what to do. No check makes anything that stays: a probe file is written to
a table's location and removed, unless only reading is allowed.
"""

from collections.abc import Iterator

from lethe.settings import Settings
from lethe.wiring.examination.finding import Finding, Verdict
from lethe.wiring.examination.installation import examine_installation
from lethe.wiring.examination.products import examine_products
from lethe.wiring.examination.tables import examine_catalogs, examine_tables

__all__ = ["Finding", "Verdict", "examine"]


def examine(settings: Settings, *, read_only: bool = False) -> Iterator[Finding]:
    """Look at everything, in the order in which one thing needs another."""
    yield from examine_installation(settings)
    yield from examine_catalogs(settings)
    yield from examine_tables(settings, read_only=read_only)
    yield from examine_products(settings)
