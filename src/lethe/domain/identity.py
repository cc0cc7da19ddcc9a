"""Identities to delete: which are distinct, which are valid, how two are compared.

An identity value is a secret. Nothing here puts one into an error: a refusal names the field and the index.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from lethe.domain.errors import InvalidField, NoIdentities, TooManyIdentities
from lethe.domain.namespace import Namespace

IDENTITIES_MAX: Final = 100_000
"""Distinct identities in one work order (contract, Record deletes)."""

ID_LENGTH_MAX: Final = 1_024
"""Characters in one identity value."""

_JOINT: Final = "\x1f"


def fold(value: str) -> str:
    """The form by which two ids of a case-insensitive namespace are compared: full Unicode case folding."""
    return value.casefold()


@dataclass(frozen=True, slots=True)
class Identities:
    """Distinct identities, grouped by namespace, each group in the order of the request."""

    by_namespace: Mapping[Namespace, tuple[str, ...]]

    @property
    def count(self) -> int:
        """Distinct identities per namespace, summed: the work order's `operationCount`."""
        return sum(len(ids) for ids in self.by_namespace.values())

    def __iter__(self) -> Iterator[tuple[Namespace, str]]:
        for namespace, ids in self.by_namespace.items():
            for value in ids:
                yield namespace, value

    def __repr__(self) -> str:
        """Counts only: an object in a log or a traceback must not speak."""
        return f"Identities({self.count} in {len(self.by_namespace)} namespaces)"


def united(several: Iterable[Identities]) -> Identities:
    """All identities of several orders, each spelling once."""
    groups: dict[Namespace, dict[str, None]] = {}
    for identities in several:
        for namespace, ids in identities.by_namespace.items():
            groups.setdefault(namespace, {}).update(dict.fromkeys(ids))
    return Identities({namespace: tuple(ids) for namespace, ids in groups.items()})


class Hasher(Protocol):
    """Makes the keyed hashes by which identities are still known when they are destroyed. It can be pickled."""

    def hashes(self, namespace: Namespace, ids: Sequence[str]) -> Sequence[bytes]:
        """The hash of each id, folded where the namespace folds."""
        ...


@dataclass(frozen=True, slots=True)
class HashedIdentities:
    """Identities of which only the keyed hashes are left."""

    by_namespace: Mapping[Namespace, tuple[bytes, ...]]
    hasher: Hasher = field(repr=False)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(len(hashes) for hashes in self.by_namespace.values())

    def __repr__(self) -> str:
        return f"HashedIdentities({self.count})"


@dataclass(frozen=True, slots=True)
class RequestedIds:
    """A run of ids of one namespace, as the request listed them; `fields` names each for an error."""

    namespace: Namespace
    ids: Sequence[str]
    field: str
    """The wire's path of one id, with `{}` where its index stands, such as `identities[{}].id`."""
    indexes: Sequence[int]
    """The index of each id in the request's list."""

    def __repr__(self) -> str:
        return f"RequestedIds({self.namespace.code}, {len(self.ids)})"


def distinct(requested: Sequence[RequestedIds]) -> Identities:
    """Validate the request's ids and remove duplicates.

    Ids are compared exactly, or case-folded where the namespace says so (the first spelling is kept).
    Raises InvalidField with the index of the first bad id, NoIdentities, TooManyIdentities.
    """
    groups: dict[Namespace, dict[str, str]] = {}
    for run in requested:
        _check(run)
        group = groups.setdefault(run.namespace, {})
        if run.namespace.case_insensitive:
            for value in run.ids:
                group.setdefault(fold(value), value)
        else:
            group.update(zip(run.ids, run.ids, strict=True))
    identities = Identities({namespace: tuple(group.values()) for namespace, group in groups.items() if group})
    if identities.count == 0:
        raise NoIdentities
    if identities.count > IDENTITIES_MAX:
        raise TooManyIdentities(
            f"{identities.count} distinct identities; one work order takes at most {IDENTITIES_MAX}",
            count=identities.count,
            maximum=IDENTITIES_MAX,
        )
    return identities


def _check(run: RequestedIds) -> None:
    """Refuse the first bad id. The whole run is tried at C speed first; only a bad one is walked."""
    ids = run.ids
    if not ids:
        return
    if "\0" not in _JOINT.join(ids) and max(map(len, ids)) <= ID_LENGTH_MAX and all(map(str.strip, ids)):
        return
    for index, value in zip(run.indexes, ids, strict=True):
        if not value.strip():
            problem = "an identity id must not be empty or blank"
        elif len(value) > ID_LENGTH_MAX:
            problem = f"an identity id has at most {ID_LENGTH_MAX} characters"
        elif "\0" in value:
            problem = "an identity id must not contain the NUL character"
        else:
            continue
        raise InvalidField(problem, field=run.field.format(index), index=index)
