"""Tallies: how many orders of each kind a space has, so that a list's total needs no counting.

They change in the transaction that changes an order, as its last act and in one order of rows for all writers: so
they add no deadlock, and hold their locks for the commit alone.
"""

from collections import Counter

from lethe.storage.schema import work_order_tallies
from lethe.storage.session import Session

_Kind = tuple[int, str, str, str]


class Tallies:
    """The changes of one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changes: Counter[_Kind] = Counter()

    def add(self, space_id: int, action: str, status: str, updated_by: str, orders: int) -> None:
        """Count so many orders of this kind more, or fewer."""
        if not self._changes:
            self._session.at_end(self._write)
        self._changes[(space_id, str(action), str(status), updated_by)] += orders

    def _write(self) -> None:
        table = work_order_tallies
        changes = sorted((kind, orders) for kind, orders in self._changes.items() if orders)
        for (space_id, action, status, updated_by), orders in changes:
            kind = {"space_id": space_id, "action": action, "status": status, "updated_by": updated_by}
            if orders > 0:
                statement = self._session.insert(table).values(orders=orders, **kind)
                statement = statement.on_conflict_do_update(
                    index_elements=list(table.primary_key.columns), set_={"orders": table.c.orders + orders}
                )
                self._session.run(statement)
            else:
                fewer = table.update().values(orders=table.c.orders + orders)
                self._session.run(fewer.where(*(table.c[name] == value for name, value in kind.items())))
