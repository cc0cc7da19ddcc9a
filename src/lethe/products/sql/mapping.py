"""Where in a database a product keeps people: values that the settings build.

Nothing here holds an identity; every value may be shown.
"""

from dataclasses import dataclass
from enum import StrEnum

from lethe.domain.ids import OrgId, SandboxName

EDGE_ENDS = 2


class NamespaceForm(StrEnum):
    """How a column names a namespace."""

    NUMBER = "number"
    """By its number, as `6`: in an integer column, or in a text column in decimal digits."""
    CODE = "code"
    """By its code, as `Email`, in any case."""


@dataclass(frozen=True, slots=True)
class NamespaceColumn:
    """A column that says of each row which namespace its id is in."""

    name: str
    form: NamespaceForm = NamespaceForm.NUMBER


@dataclass(frozen=True, slots=True)
class FixedNamespace:
    """Every id of the column is in this one namespace."""

    code: str


@dataclass(frozen=True, slots=True)
class IdentityColumns:
    """The columns that together are an identity."""

    id_column: str
    """A text, integer or uuid column."""
    namespace: NamespaceColumn | FixedNamespace


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping:
    """One table that holds traces of people.

    A row goes when any of its `identities` is wanted. NULL, in any column named here, never matches.
    Raises ValueError for a mapping that contradicts itself.
    """

    name: str
    """The table's name; `schema.table` when it is not on the connection's search path."""
    key: tuple[str, ...]
    """Columns by which rows are told apart: the primary key. Deletes are cut into transactions by them."""
    identities: tuple[IdentityColumns, ...]
    """One identity, or the two ends of an edge."""
    org_column: str | None = None
    org_id: OrgId | None = None
    """The one org whose rows these are, in a table that has no column for it. With neither, every org's orders reach
    all rows: right for an installation of one org only."""
    sandbox_column: str | None = None
    sandbox_name: SandboxName | None = None
    """The same for the sandbox."""
    dataset_column: str | None = None
    """Holds the id of the dataset that contributed the row."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not self.name or not all(self.name.split(".")):
            raise ValueError("a table has a name, such as `profiles` or `crm.profiles`")
        if not self.key:
            raise ValueError(f"{self.name}: the key columns are required: they bound the size of a delete")
        if not 1 <= len(self.identities) <= EDGE_ENDS:
            raise ValueError(f"{self.name}: a table has one identity, or the two ends of an edge")
        if self.org_column is not None and self.org_id is not None:
            raise ValueError(f"{self.name}: either a column says whose rows these are, or one org's id does")
        if self.sandbox_column is not None and self.sandbox_name is not None:
            raise ValueError(f"{self.name}: either a column says which sandbox rows are in, or one sandbox's name does")

    @property
    def schema(self) -> str | None:
        """What stands before the last dot of the name."""
        return self.name.rpartition(".")[0] or None

    @property
    def table(self) -> str:
        """What stands behind the last dot of the name."""
        return self.name.rpartition(".")[2]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the mapping names, once."""
        named = [*self.key, self.org_column, self.sandbox_column, self.dataset_column]
        for identity in self.identities:
            named.append(identity.id_column)
            if isinstance(identity.namespace, NamespaceColumn):
                named.append(identity.namespace.name)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def holds(self, org_id: OrgId, sandbox_name: SandboxName) -> bool:
        """Whether rows of this space can be in the table at all."""
        return self.org_id in (None, org_id) and self.sandbox_name in (None, sandbox_name)
