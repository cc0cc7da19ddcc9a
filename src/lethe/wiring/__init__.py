"""The only place that chooses: from settings to a Lethe that runs."""

from lethe.wiring.datasets import DatasetUnfit
from lethe.wiring.installation import Lethe, running
from lethe.wiring.store import open_store

__all__ = ["DatasetUnfit", "Lethe", "open_store", "running"]
