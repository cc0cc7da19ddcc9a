"""Which data files cannot hold a match: by what their manifest says of partitions and bounds, before any is opened."""

import struct
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, IdentityTransform, TruncateTransform
from pyiceberg.types import IntegerType, LongType, NestedField, PrimitiveType, StringType

from lethe.engines.iceberg.deletes import arrow_type
from lethe.engines.iceberg.judge import IcebergJudge, is_primary
from lethe.engines.matching import HashGroup
from lethe.engines.pruning import may_contain


class Pruner:
    """Says of a data file that no row of it, deleted or not, can match. What it cannot judge may match."""

    def __init__(self, judge: IcebergJudge, field: NestedField, specs: Mapping[int, PartitionSpec]) -> None:
        self._judge = judge
        self._field = field
        self._rules: dict[int, list[tuple[int, Callable[[Any], bool]]]] = {}
        kind = field.field_type
        if not is_primary(judge) or not isinstance(kind, StringType | IntegerType | LongType):
            return
        values = self._wanted_values()
        for spec_id, spec in specs.items():
            for position, part in enumerate(spec.fields):
                exact = isinstance(part.transform, IdentityTransform | BucketTransform | TruncateTransform)
                if part.source_id == field.field_id and exact and values is not None:
                    transform = part.transform.transform(kind)
                    wanted = {transform(value) for value in values}
                    self._rules.setdefault(spec_id, []).append((position, wanted.__contains__))

    def excludes(self, file: DataFile) -> bool:
        """Whether the manifest proves that no row matches."""
        if not is_primary(self._judge):
            return False
        if any(not admits(file.partition[position]) for position, admits in self._rules.get(file.spec_id, ())):
            return True
        return self._bounds_exclude(file)

    def _bounds_exclude(self, file: DataFile) -> bool:
        kind, number = self._field.field_type, self._field.field_id
        if not isinstance(kind, PrimitiveType):
            return False
        values, nulls = (file.value_counts or {}).get(number), (file.null_value_counts or {}).get(number)
        if values is not None and values == nulls == file.record_count:
            return True
        low, high = (file.lower_bounds or {}).get(number), (file.upper_bounds or {}).get(number)
        if not low or not high:
            return False
        try:
            return not may_contain(self._judge.matcher, arrow_type(kind), from_bytes(kind, low), from_bytes(kind, high))
        except (ValueError, struct.error, pa.ArrowException):
            return False

    def _wanted_values(self) -> list[Any] | None:
        """The values that match, as pyiceberg's transforms take them; None when nobody can say them."""
        column = arrow_type(self._field.field_type)
        values: list[Any] = []
        for position, group in enumerate(self._judge.matcher.groups):
            if isinstance(group, HashGroup) or (group.case_insensitive and not pa.types.is_integer(column)):
                return None
            values.extend(self._judge.matcher.sorted_keys(position, column))
        return [value.decode() if isinstance(value, bytes) else value for value in values]


def partition_constants(file: DataFile, spec: PartitionSpec, schema: Schema) -> Mapping[int, Any]:
    """Columns that are equal throughout a file because its partition is their value, as `pyarrow.Scalar`.

    A file that was taken over from a Hive table does not store them.
    """
    constants = {}
    for position, part in enumerate(spec.fields):
        if isinstance(part.transform, IdentityTransform) and part.source_id in schema.field_ids:
            kind = arrow_type(schema.find_type(part.source_id))
            constants[part.source_id] = _scalar(file.partition[position], kind)
    return constants


def _scalar(value: Any, kind: Any) -> Any:
    if value is None or pa.types.is_temporal(kind):
        number = pa.int32() if pa.types.is_date32(kind) else pa.int64()
        return pa.scalar(value, number).cast(kind) if value is not None else pa.scalar(None, kind)
    return pa.scalar(value.bytes if hasattr(value, "bytes") else value, kind)
