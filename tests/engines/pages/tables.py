"""Random tables: every physical type, lists, maps and structs to a depth of three, nulls, NaNs, runs and repeats."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

Random = np.random.Generator

DEPTH_MAX: Final = 3

_INTEGERS: Final = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
_AS_INTEGERS: Final = [
    pa.date32(), pa.time32("ms"), pa.time64("us"), pa.time64("ns"), pa.timestamp("ms"), pa.timestamp("us", "UTC"),
    pa.timestamp("ns"),
]  # fmt: skip
_FLOATS: Final = [pa.float16(), pa.float32(), pa.float64()]
_BYTES: Final = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.binary(4), pa.binary(16)]
_DECIMALS: Final = [pa.decimal128(5, 2), pa.decimal128(15, 3), pa.decimal128(30, 9), pa.decimal256(60, 20)]

IDENTITY_MAP: Final = pa.map_(
    pa.string(),
    pa.list_(pa.struct([pa.field("id", pa.string()), pa.field("primary", pa.bool_()), ("authenticated", pa.string())])),
)


@dataclass(frozen=True)
class Taste:
    """How the values of one column are distributed."""

    nulls: float
    distinct: int
    """0 says: all different."""
    sorted: bool
    runs: int
    """How often a value is repeated in a row, on average."""


def random_table(random: Random, rows: int) -> pa.Table:
    """A table of one to six columns beside the identity."""
    names = [f"c{n}" for n in range(random.integers(1, 7))]
    fields = [pa.field(name, _type(random, DEPTH_MAX), nullable=bool(random.random() < 0.75)) for name in names]
    fields.insert(int(random.integers(0, len(fields) + 1)), _identity(random))
    if random.random() < 0.15:
        fields.append(pa.field("identityMap", IDENTITY_MAP))
    columns = [
        _identity_maps(random, rows)
        if field.name == "identityMap"
        else _array(random, field.type, rows, taste(random), nullable=field.nullable)
        for field in fields
    ]
    if random.random() < 0.3:
        fields = [f.with_metadata({"PARQUET:field_id": str(n + 1)}) for n, f in enumerate(fields)]
    metadata = {"origin": "test", "unité": "é"} if random.random() < 0.3 else None
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=metadata))


def _identity(random: Random) -> pa.Field:
    kind = [pa.string(), pa.string(), pa.string(), pa.int64(), pa.large_string()][random.integers(0, 5)]
    return pa.field("id", kind, nullable=bool(random.random() < 0.7))


def _identity_maps(random: Random, rows: int) -> pa.Array:
    """Some people under some namespaces, primary or not, null or not; some maps and lists of entries null or empty."""
    draw = random.random((rows, 6)).tolist()
    people = random.integers(0, max(rows // 3, 1), (rows, 2)).tolist()

    def entries(code: str, person: int, chance: float) -> Any:
        if chance < 0.1:
            return None if chance < 0.05 else []
        primary = [True, False, None][int(chance * 1000) % 3]
        return [{"id": f"{code}-{person:06}@x.org", "primary": primary, "authenticated": None}]

    rows_ = [
        None
        if d[0] < 0.05
        else [(c, entries(c, p, x)) for c, p, x in zip(("CRM", "ECID"), of, d[1:3], strict=True) if x > 0.02]
        for d, of in zip(draw, people, strict=True)
    ]
    return pa.array(rows_, IDENTITY_MAP)


def taste(random: Random) -> Taste:
    """A distribution."""
    return Taste(
        nulls=float(random.choice([0, 0, 0.02, 0.3, 0.9, 1])),
        distinct=int(random.choice([0, 0, 1, 3, 40, 300])),
        sorted=bool(random.random() < 0.25),
        runs=int(random.choice([1, 1, 1, 5, 60])),
    )


def _pick(random: Random, of: Sequence[Any]) -> Any:
    return of[int(random.integers(0, len(of)))]


def _type(random: Random, depth: int) -> pa.DataType:
    if depth and random.random() < 0.35:
        shape = random.integers(0, 4)
        inner = pa.field("element", _type(random, depth - 1), nullable=bool(random.random() < 0.7))
        if shape == 0:
            return pa.list_(inner)
        if shape == 1:
            return pa.large_list(inner)
        if shape == 2:
            value = pa.field("value", inner.type, nullable=inner.nullable)
            return pa.map_(pa.field("key", _pick(random, [pa.string(), pa.int32()]), nullable=False), value)
        count = random.integers(1, 4)
        return pa.struct(
            [pa.field(f"f{n}", _type(random, depth - 1), nullable=bool(random.random() < 0.7)) for n in range(count)]
        )
    kinds = _pick(random, [_INTEGERS, _AS_INTEGERS, _FLOATS, _BYTES, _BYTES, _DECIMALS, [pa.bool_()]])
    return _pick(random, kinds)


def _array(random: Random, kind: pa.DataType, rows: int, of: Taste, *, nullable: bool) -> pa.Array:
    valid = random.random(rows) >= of.nulls if nullable and of.nulls else None
    if pa.types.is_struct(kind):
        children = [_array(random, f.type, rows, taste(random), nullable=f.nullable) for f in kind]
        mask = None if valid is None else pa.array(~valid)
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=mask)
    if pa.types.is_map(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _lists(random, kind, rows, valid)
    values = _distributed(random, _maker(kind), rows, of)
    flat = values if isinstance(values, pa.Array) else pa.array(values, type=kind)
    return flat if valid is None else pa.compute.if_else(pa.array(valid), flat, pa.scalar(None, kind))


def _lists(random: Random, kind: pa.DataType, rows: int, valid: Any) -> pa.Array:
    lengths = random.choice([0, 0, 1, 1, 2, 3, 9], rows)
    if valid is not None:
        lengths = np.where(valid, lengths, 0)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    total = int(offsets[-1])
    mask = None if valid is None else pa.array(~valid)
    if pa.types.is_map(kind):
        keys = _array(random, kind.key_type, total, taste(random), nullable=False)
        items = _array(random, kind.item_type, total, taste(random), nullable=kind.item_field.nullable)
        return pa.MapArray.from_arrays(pa.array(offsets, pa.int32()), keys, items, type=kind, mask=mask)
    inner = _array(random, kind.value_type, total, taste(random), nullable=kind.value_field.nullable)
    shape = pa.LargeListArray if pa.types.is_large_list(kind) else pa.ListArray
    width = pa.int64() if pa.types.is_large_list(kind) else pa.int32()
    return shape.from_arrays(pa.array(offsets, width), inner, type=kind, mask=mask)


def _distributed(random: Random, make: Callable[[Random, int], pa.Array], rows: int, of: Taste) -> pa.Array:
    pool = make(random, of.distinct or max(rows, 1))
    index = np.arange(rows) if not of.distinct else random.integers(0, len(pool), rows)
    if of.runs > 1 and rows:
        index = np.repeat(index, random.integers(1, 2 * of.runs, rows))[:rows]
    values = pool.take(pa.array(index))
    if of.sorted and not pa.types.is_float16(values.type):
        values = values.take(pa.compute.sort_indices(values))
    return values


def _maker(kind: pa.DataType) -> Callable[[Random, int], pa.Array]:
    if pa.types.is_boolean(kind):
        return lambda random, count: pa.array(random.random(count) < random.choice([0.02, 0.5, 1]))
    if kind in _FLOATS:
        return lambda random, count: _floats(random, count, kind)
    if pa.types.is_decimal(kind):
        return lambda random, count: _decimals(random, count, kind)
    if kind in _BYTES:
        return lambda random, count: _texts(random, count, kind)
    return lambda random, count: _integers(random, count, kind)


def _integers(random: Random, count: int, kind: pa.DataType) -> pa.Array:
    bits = kind.bit_width
    if pa.types.is_time(kind):
        high = 86_400 * {"ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        return pa.array(random.integers(0, high, count), pa.int32() if bits == 32 else pa.int64()).cast(kind)
    signed = not pa.types.is_unsigned_integer(kind)
    dtype = np.dtype(f"{'i' if signed else 'u'}{bits // 8}")
    style = random.integers(0, 3)
    if style == 0:
        values = random.integers(0, 100, count).astype(dtype)
    elif style == 1:
        values = np.frombuffer(random.bytes(count * dtype.itemsize), dtype=dtype)
    else:
        values = (np.arange(count) * 7 + random.integers(0, 5, count)).astype(dtype)
    found = pa.array(values)
    return found if found.type == kind else pa.Array.from_buffers(kind, count, found.buffers())


def _floats(random: Random, count: int, kind: pa.DataType) -> pa.Array:
    width = kind.bit_width // 8
    if random.random() < 0.5:
        values = random.normal(size=count).round(2).astype(f"f{width}")
    else:  # any bits: NaNs of every kind, infinities, denormals, both zeros
        values = np.frombuffer(random.bytes(count * width), dtype=f"f{width}").copy()
        odd = random.random(count) < 0.3
        values[odd] = random.choice(np.array([np.nan, -0.0, 0.0, np.inf, -np.inf], dtype=values.dtype), int(odd.sum()))
    return pa.array(values)


def _decimals(random: Random, count: int, kind: pa.DataType) -> pa.Array:
    width = kind.bit_width // 8
    high = 10 ** min(kind.precision, 17)
    small = random.integers(-high + 1, high, count)
    data = b"".join(int(value).to_bytes(width, "little", signed=True) for value in small)
    return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(data)])


def _texts(random: Random, count: int, kind: pa.DataType) -> pa.Array:
    if pa.types.is_fixed_size_binary(kind):
        return pa.Array.from_buffers(kind, count, [None, pa.py_buffer(random.bytes(count * kind.byte_width))])
    style = random.integers(0, 4)
    if style == 0:
        values = [f"user-{n:09x}@example.com" for n in random.integers(0, 1 << 36, count).tolist()]
    elif style == 1:
        values = [f"prefix/shared/by/all/{n % 7}/{n:07}" for n in range(count)]
    elif style == 2:
        lengths = random.choice([0, 1, 3, 8, 40, 300], count)
        values = [random.bytes(int(n)).hex()[: int(n)] for n in lengths]
    else:
        values = [f"{n}é" for n in random.integers(0, 1000, count).tolist()]
    return pa.array(values, pa.string()).cast(kind)
