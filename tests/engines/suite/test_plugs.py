"""What formats cannot do is said openly: a case is made for every plug, or the plug says why not."""

from engines.plug import Trait
from engines.plugs import PLUGS, having
from lethe.domain.dataset import TableFormat


def test_every_trait_is_had_and_every_lack_has_its_reason() -> None:
    assert all(having(trait) for trait in Trait)
    assert all(reason for plug in PLUGS for reason in plug.lacks.values())
    names = [plug.name for plug in PLUGS]
    assert len(set(names)) == len(names)
    assert {plug.same_as for plug in PLUGS} <= {"", *(plug.name for plug in having())}


def test_what_is_lacked() -> None:
    """A new lack is a change of this list, to be looked at."""
    lacks = {plug.name: set(plug.lacks) for plug in having()}
    columns = {Trait.DROPS, Trait.RENAMES}
    assert lacks == {
        "parquet": columns,
        "parquet objects": columns,
        "ndjson": columns | {Trait.BYTES, Trait.UUIDS},
        "ndjson gz": columns | {Trait.BYTES, Trait.UUIDS},
        "delta": columns | {Trait.UUIDS},
        "delta with checkpoints": columns | {Trait.UUIDS},
        "delta by mapped names": {Trait.UUIDS},
        "iceberg v2": set(),
        "iceberg v1": set(),
        "memory": columns | {Trait.PARTITIONS, Trait.STORES},
    }
    assert {plug.name.split()[0] for plug in PLUGS} >= {str(one).lower() for one in TableFormat}
