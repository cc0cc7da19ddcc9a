"""Spaces: one sandbox of one org, by a short number."""

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from lethe.domain.ids import OrgId, SandboxName
from lethe.storage.schema import spaces
from lethe.storage.session import Session


def space_of(session: Session, org_id: OrgId, sandbox_name: SandboxName) -> int | None:
    """The number of a space in which something was stored."""
    number: int | None = session.value(
        sa.select(spaces.c.space_id).where(spaces.c.org_id == org_id, spaces.c.sandbox_name == sandbox_name)
    )
    return number


def spaces_of(
    session: Session, org_id: OrgId, sandbox_names: Collection[SandboxName] | None
) -> Mapping[int, SandboxName]:
    """The org's spaces, all or those with these names, by number."""
    query = sa.select(spaces.c.space_id, spaces.c.sandbox_name).where(spaces.c.org_id == org_id)
    if sandbox_names is not None:
        query = query.where(spaces.c.sandbox_name.in_(sorted(sandbox_names)))
    return {row["space_id"]: SandboxName(row["sandbox_name"]) for row in session.rows(query)}


def ensure_space(session: Session, org_id: OrgId, sandbox_name: SandboxName) -> int:
    """The number of the space, given to it now if it has none."""
    number = space_of(session, org_id, sandbox_name)
    if number is None:
        session.run(session.insert(spaces).values(org_id=org_id, sandbox_name=sandbox_name).on_conflict_do_nothing())
        number = space_of(session, org_id, sandbox_name)
    if number is None:
        raise RuntimeError("a space that was just stored is not there")
    return number
