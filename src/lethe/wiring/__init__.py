"""The only place that chooses: from settings to a Lethe that runs."""

from lethe.wiring.installation import Lethe, running
from lethe.wiring.store import open_store

__all__ = ["Lethe", "open_store", "running"]
