"""What runs in the benchmark: Lethe's engines, and what users would pick instead, each in a process of its own.

Every peer is written as its documentation says, with what a careful user would add: it writes the codec and level of
the source; where it replaces files by itself, it looks first which files hold a match and leaves the others alone.
The function of Amazon S3 Find and Forget is not here: it needs its queue, its tables and its role in AWS to run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

Ended = Callable[[str], None]
"""Called with the name of a phase when it ends: start, find, forget, purge, verify."""

Run = Callable[[Path, list[str], str, Ended], None]
"""The table's place, the values to delete, the layout, the clock."""


@dataclass(frozen=True)
class Contender:
    """One way to delete people from a table."""

    name: str
    form: str
    """The form of table that it works on."""
    function: str
    """Module and name; imported only in the process that is measured."""
    cannot: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Layout → why it has no way to do it."""
    deletes: bool = True
    """Not so for a floor, which only does what nobody can leave out."""

    def load(self) -> Run:
        """The function itself. Raises ImportError where a library is missing."""
        module, name = self.function.split(":")
        run: Run = getattr(import_module(f"bench.engines.contenders.{module}"), name)
        return run


_NO_LISTS = {"identityMap": "its row filters name no element of a list or map"}
_NO_LAMBDAS = {"identityMap": "its predicates look into no list but at a fixed position"}

CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("lethe parquet", "plain", "lethe_engines:parquet"),
        Contender("lethe iceberg", "iceberg", "lethe_engines:iceberg"),
        Contender("lethe delta", "delta", "lethe_engines:delta"),
        Contender("lethe parquet, 10 orders", "plain", "lethe_engines:parquet_bundle"),
        Contender("lethe parquet, 2 processes", "plain", "lethe_engines:parquet_pool"),
        Contender("lethe parquet, pyarrow", "plain", "lethe_engines:parquet_pyarrow"),
        Contender("lethe iceberg, pyarrow", "iceberg", "lethe_engines:iceberg_pyarrow"),
        Contender("pyiceberg delete", "iceberg", "pyiceberg_table:delete", _NO_LISTS),
        Contender("deltalake delete", "delta", "deltalake_table:delete", _NO_LAMBDAS),
        Contender("deltalake merge", "delta", "deltalake_table:merge", _NO_LAMBDAS),
        Contender("duckdb anti-join", "plain", "duckdb_files:anti_join"),
        Contender("polars anti-join", "plain", "polars_files:anti_join"),
        Contender("spark sql", "plain", "spark_files:anti_join"),
        Contender("floor", "plain", "floor:recompress", deletes=False),
    )
}
"""In the order in which they run and are shown."""
