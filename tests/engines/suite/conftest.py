"""Every case for every format: a test that asks for `make` runs once for each plug, or for those that it names."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from engines.plug import Plug, Table
from engines.plugs import PLUGS
from engines.suite.rows import SCHEMA

Make = Callable[..., Table]


@pytest.fixture(params=PLUGS, ids=str)
def plug(request: pytest.FixtureRequest) -> Plug:
    found: Plug = request.param
    return found


@pytest.fixture
def make(plug: Plug, tmp_path: Path) -> Make:
    """A table of these files."""

    def make(*files: pa.Table, schema: pa.Schema = SCHEMA, partition_by: tuple[str, ...] = ()) -> Table:
        return plug.make(tmp_path, files, schema, partition_by)

    return make
