"""What carries out the verbs, and where tables, time and names come from."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lethe.engines.executors.interface import Executor
from lethe.engines.iceberg.state import TableState
from lethe.engines.interface import Target
from lethe.engines.rewrite.interface import Rewriter


@dataclass(frozen=True, slots=True)
class Tools:
    """The constructor arguments of the engine, as its parts need them."""

    load: Callable[[Target], TableState]
    """The table as it is now. Raises TableMissing, TableRefused, TableUnavailable."""
    executor: Executor
    rewriter: Rewriter
    new_name: Callable[[], str]
    """A name that no file bears yet, derived from no row."""
    clock: Callable[[], datetime]
