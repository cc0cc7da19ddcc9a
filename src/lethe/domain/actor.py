"""Who did it: the words that an audit and `createdBy` show."""

from dataclasses import dataclass
from typing import NewType

Author = NewType("Author", str)
"""An actor as records keep it and clients see it: `Name <email> id`."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or technical account, from the claims of a verified token."""

    name: str
    email: str
    id: str

    @property
    def author(self) -> Author:
        """`Name <email> id`, as the contract writes `createdBy` and `updatedBy`."""
        return Author(f"{self.name} <{self.email}> {self.id}")
