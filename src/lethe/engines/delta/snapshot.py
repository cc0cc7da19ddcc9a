"""One version of the table: what is left when its log is replayed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lethe.engines.delta.actions import (
    AddFile,
    FileKey,
    Metadata,
    Protocol,
    Transaction,
    add_of,
    file_key,
    metadata_of,
    protocol_of,
    transaction_of,
    vector_of,
)
from lethe.engines.interface import TableRefused


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the table at a version."""

    version: int
    protocol: Protocol
    metadata: Metadata
    files: Mapping[FileKey, AddFile]
    """The live files."""
    transactions: Mapping[str, Transaction]
    domains: Mapping[str, str]

    def at(self, version: int) -> "Snapshot":
        """The same state under a later version that changed nothing."""
        return Snapshot(version, self.protocol, self.metadata, self.files, self.transactions, self.domains)


class Replay:
    """Reconciles actions in the order of the log."""

    def __init__(self) -> None:
        self._protocol: Protocol | None = None
        self._metadata: Metadata | None = None
        self._files: dict[FileKey, AddFile] = {}
        self._transactions: dict[str, Transaction] = {}
        self._domains: dict[str, str] = {}

    def apply(self, actions: Iterable[Mapping[str, Any]]) -> None:
        """Take in the actions of a checkpoint, or of the next commit."""
        for action in actions:
            for kind, fields in action.items():
                if isinstance(fields, Mapping):
                    self._apply(kind, fields)

    def _apply(self, kind: str, fields: Mapping[str, Any]) -> None:
        match kind:
            case "add":
                add = add_of(fields)
                self._files[add.key] = add
            case "remove":
                self._files.pop(file_key(fields["path"], vector_of(fields.get("deletionVector"))), None)
            case "protocol":
                self._protocol = protocol_of(fields)
            case "metaData":
                self._metadata = metadata_of(fields)
            case "txn":
                self._transactions[fields["appId"]] = transaction_of(fields)
            case "domainMetadata":
                if fields.get("removed"):
                    self._domains.pop(fields["domain"], None)
                else:
                    self._domains[fields["domain"]] = fields.get("configuration") or ""

    def snapshot(self, version: int) -> Snapshot:
        """What stands now. Raises TableRefused for a log that does not say what the table is."""
        if self._protocol is None or self._metadata is None:
            raise TableRefused("the log does not say what the table is")
        return Snapshot(version, self._protocol, self._metadata, self._files, self._transactions, self._domains)
