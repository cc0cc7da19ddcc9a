"""What the service is asked: bodies, and the keys by which it knows a request again.

A long list goes in parts, each of one namespace and a request of its own. The parts follow from the identities alone,
so that a repetition under the same key makes the same ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from lethe.domain.identity import Identities
from lethe.domain.ids import DatasetId
from lethe.domain.namespace import Namespace
from lethe.products.interface import RequestKey, Space


@dataclass(frozen=True, slots=True)
class Part:
    """One request."""

    key: str
    body: dict[str, Any] = field(repr=False)

    @property
    def path(self) -> str:
        """The key as a part of a URL."""
        return quote(self.key, safe="")


def identity_parts(space: Space, identities: Identities, key: RequestKey, ids_max: int) -> Iterator[Part]:
    """Requests that together are all of these identities, each of `ids_max` at the most."""
    number = 0
    for namespace, ids in identities.by_namespace.items():
        for begin in range(0, len(ids), ids_max):
            number += 1
            part_key = f"{key}.{number}"
            subject = {"identities": [_group(namespace, ids[begin : begin + ids_max])]}
            yield Part(part_key, _body("erasure", part_key, space) | subject)


def dataset_part(space: Space, dataset_id: DatasetId, key: RequestKey) -> Part:
    """The request to forget what a dataset contributed."""
    return Part(key, _body("erasure", key, space) | {"dataset_id": dataset_id})


def verification(part: Part) -> Part:
    """The question how many traces are left of what this part would have forgotten.

    Its key is to be a new one each time: an answer from before must not be repeated.
    """
    return Part(part.key, part.body | {"request_type": "verification"})


def _body(request_type: str, key: str, space: Space) -> dict[str, Any]:
    return {"request_type": request_type, "request_key": key, "org": space.org_id, "sandbox": space.sandbox_name}


def _group(namespace: Namespace, ids: tuple[str, ...]) -> dict[str, Any]:
    return {
        "namespace": namespace.code,
        "namespace_id": namespace.id,
        "case_insensitive": namespace.case_insensitive,
        "ids": list(ids),
    }
