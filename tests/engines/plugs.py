"""The engines under the common suite. A new one adds its plugs here."""

from engines.delta.plug import DELTA
from engines.directories import DIRECTORIES
from engines.iceberg.plug import ICEBERG
from engines.in_memory import MEMORY
from engines.plug import Plug, Trait

PLUGS = [*DIRECTORIES, *DELTA, *ICEBERG, *MEMORY]


def having(*traits: Trait) -> list[Plug]:
    """The plugs that lack none of these, each way to write once."""
    return [plug for plug in PLUGS if not (plug.same_as or plug.lacks.keys() & set(traits))]
