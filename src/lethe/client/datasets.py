"""`client.datasets`: which datasets there are, and where their rows are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import AwareDatetime

from lethe.client.answers import validated
from lethe.client.errors import InvalidArgument
from lethe.client.exchange import Exchange
from lethe.client.paging import PAGE_SIZE, pages, segment
from lethe.client.result import Result

ROOT: Final = "/data/foundation/catalog/dataSets"


class Table(Result):
    """Where the rows are: a location, or a table's identifier in a catalog of the server's settings."""

    format: str
    location: str | None = None
    catalog: str | None = None
    identifier: str | None = None


class SchemaRef(Result):
    """A dataset's schema."""

    id: str


class Dataset(Result):
    """One dataset."""

    dataset_id: str
    name: str
    description: str = ""
    state: str
    tags: dict[str, tuple[str, ...]]
    schema_ref: SchemaRef
    table: Table
    created: AwareDatetime
    updated: AwareDatetime


class Datasets:
    """The datasets of the sandbox."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def register(
        self,
        name: str,
        *,
        format: str,  # noqa: A002 - the contract's noun
        location: str | None = None,
        catalog: str | None = None,
        identifier: str | None = None,
        identity: Sequence[str] | str | None = None,
        namespace: str | None = None,
        identity_map: bool = False,
        schema_id: str | None = None,
        dataset_id: str | None = None,
        description: str = "",
        tags: Mapping[str, Sequence[str]] | None = None,
        idempotency_key: str | None = None,
    ) -> Dataset:
        """Register a table as a dataset.

        `identity` is the field that names the person of a row: a name, or the names from the root to a nested one;
        `namespace` is the code of its namespace. `identity_map` says that rows have a map of identities instead. With
        neither the dataset can expire, but nobody can be deleted from it.
        """
        if (identity is None) != (namespace is None):
            raise InvalidArgument("identity and namespace are given together, or not at all")
        table = {"format": format, "location": location, "catalog": catalog, "identifier": identifier}
        body: dict[str, Any] = {"name": name, "table": _given(table)}
        if schema_id is not None:
            body["schemaRef"] = {"id": schema_id}
        else:
            path = [identity] if isinstance(identity, str) else identity
            primary = None if path is None else {"path": list(path), "namespace": namespace}
            body["schema"] = _given({"title": name, "primaryIdentity": primary, "identityMap": identity_map})
        body |= {"description": description} if description else {}
        body |= {"tags": {tag: list(values) for tag, values in tags.items()}} if tags else {}
        body |= {"id": dataset_id} if dataset_id is not None else {}
        [created] = self._exchange.create(ROOT, list[str], body, idempotency_key)
        return self.get(created.rpartition("/")[2])

    def get(self, dataset_id: str) -> Dataset:
        """Look one up. Raises NotFound."""
        [dataset] = _datasets(self._exchange.get(f"{ROOT}/{segment(dataset_id)}", dict[str, Any]))
        return dataset

    def list(self) -> Iterator[Dataset]:
        """Every dataset of the sandbox."""

        def fetch(number: int) -> tuple[Sequence[Dataset], bool]:
            parameters = {"limit": PAGE_SIZE, "start": number * PAGE_SIZE}
            found = _datasets(self._exchange.get(ROOT, dict[str, Any], parameters))
            return found, len(found) == PAGE_SIZE

        return pages(fetch, lambda dataset: dataset.dataset_id)


def _datasets(answered: Mapping[str, Any]) -> list[Dataset]:
    """The datasets that an answer holds by their ids."""
    return validated(list[Dataset], [{"datasetId": name, **facts} for name, facts in answered.items()])


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
