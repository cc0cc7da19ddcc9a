"""Who did it: the words that an audit and `createdBy` show."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or technical account, from the claims of a verified token."""

    name: str
    email: str
    id: str

    def __str__(self) -> str:
        """`Name <email> id`, as the contract writes `createdBy` and `updatedBy`."""
        return f"{self.name} <{self.email}> {self.id}"
