"""The append-only chain of who did what.

The last record's sequence and hash stand in a table of one row. Whoever appends locks that row, as the last act of the
transaction and to its end, so sequences have no gaps and no forks. Triggers refuse to change or remove a record.
"""

import json
from collections.abc import Iterator
from dataclasses import replace

import sqlalchemy as sa

from lethe.domain.audit import AuditEvent, AuditRecord, chained
from lethe.domain.ids import OrgId
from lethe.storage.schema import audit_head, audit_records
from lethe.storage.session import Row, Session

_ROWS_AT_ONCE = 1_000


class SqlAuditTrail:
    """Implements `interface.AuditTrail`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._appended: list[tuple[AuditEvent, str]] = []
        """With their details as they are stored."""

    def append(self, event: AuditEvent) -> None:
        """Chain one more record at the end of the transaction."""
        details = json.dumps(dict(event.details), sort_keys=True, separators=(",", ":"))
        # Chained as it will be read again: JSON makes a list of a tuple and a text of a number that is a key.
        self._appended.append((replace(event, details=json.loads(details)), details))
        self._session.last_of_all(self._write)

    def _write(self) -> None:
        sequence, last = self.head()
        rows = []
        for event, details in self._appended:
            record = chained(sequence + 1, self._session.now, event, last)
            sequence, last = record.sequence, record.hash
            rows.append(
                {
                    "sequence": record.sequence,
                    "at": record.at,
                    "org_id": event.org_id,
                    "actor": event.actor,
                    "action": event.action,
                    "subject": event.subject,
                    "details": details,
                    "previous_hash": record.previous_hash,
                    "hash": record.hash,
                }
            )
        self._session.run_each(audit_records.insert(), rows)
        self._session.run(audit_head.update(), {"sequence": sequence, "hash": last})

    def records(self, after_sequence: int = 0) -> Iterator[AuditRecord]:
        """The records behind that one, in order, read as they are consumed."""
        query = (
            sa.select(audit_records)
            .where(audit_records.c.sequence > after_sequence)
            .order_by(audit_records.c.sequence)
            .execution_options(yield_per=_ROWS_AT_ONCE)
        )
        with self._session.connection.execute(query) as result:
            for row in result.mappings():
                yield _record(row)

    def head(self) -> tuple[int, str]:
        """Sequence and hash of the last record; (0, GENESIS) of an empty trail. Locked in a writing transaction."""
        head = self._session.row(self._session.locked(sa.select(audit_head)))
        if head is None:
            raise RuntimeError("the audit trail has lost its head")
        return head["sequence"], head["hash"]


def _record(row: Row) -> AuditRecord:
    event = AuditEvent(OrgId(row["org_id"]), row["actor"], row["action"], row["subject"], json.loads(row["details"]))
    return AuditRecord(row["sequence"], row["at"], event, row["previous_hash"], row["hash"])
