"""Which tables may be deleted from: a decision for each feature, made in one place and in words.

The rule: a feature is admitted when this engine keeps its promises while rows leave; everything else, and everything
unknown, is refused by name. Rules on values (invariants, constraints, generated, identity and default columns) cannot
be broken by removing rows.
"""

from collections.abc import Mapping
from typing import Final

from lethe.engines.delta.actions import Metadata, Protocol
from lethe.engines.delta.snapshot import Snapshot
from lethe.engines.interface import TableRefused

ADMITTED: Final = frozenset(
    {
        "allowColumnDefaults",
        "appendOnly",  # the property decides, see below
        "changeDataFeed",  # the property decides, see below
        "checkConstraints",
        "clustering",  # its layout is domain metadata, which stays; rewritten files have their statistics
        "columnMapping",
        "deletionVectors",
        "domainMetadata",
        "generatedColumns",
        "identityColumns",
        "inCommitTimestamp",
        "invariants",
        "timestampNtz",
        "typeWidening",  # a rewritten file keeps its own, narrower types
        "typeWidening-preview",
        "v2Checkpoint",  # read in every form; the checkpoint written is a classic one, which stays valid
        "vacuumProtocolCheck",
        "variantType",  # the rewriter's gate decides file by file
        "variantType-preview",
        "variantShredding",
        "variantShredding-preview",
    }
)

_REASONS: Final[Mapping[str, str]] = {
    "rowTracking": "row ids would have to be kept for every surviving row",
    "icebergCompatV1": "its Iceberg metadata would still speak of the deleted rows",
    "icebergCompatV2": "its Iceberg metadata would still speak of the deleted rows",
    "icebergCompatV3": "its Iceberg metadata would still speak of the deleted rows",
    "catalogManaged": "its commits belong to a catalog",
    "catalogOwned-preview": "its commits belong to a catalog",
    "coordinatedCommits-preview": "its commits belong to a coordinator",
    "managedCommits-dev": "its commits belong to a coordinator",
    "checkpointProtection": "its old checkpoints must not be removed",
}

_SETTINGS: Final[Mapping[str, str]] = {
    "delta.appendOnly": "the table is append-only (delta.appendOnly)",
    "delta.enableChangeDataFeed": (
        "the change data feed is on (delta.enableChangeDataFeed): what it owes its readers are the rows that must go"
    ),
    "delta.enableRowTracking": "row tracking is on (delta.enableRowTracking)",
    "delta.enableIcebergCompatV1": "Iceberg compatibility is on (delta.enableIcebergCompatV1)",
    "delta.enableIcebergCompatV2": "Iceberg compatibility is on (delta.enableIcebergCompatV2)",
    "delta.enableIcebergCompatV3": "Iceberg compatibility is on (delta.enableIcebergCompatV3)",
}

_READER_VERSION_MAX: Final = 3
_WRITER_VERSION_MAX: Final = 7


def require_deletable(snapshot: Snapshot) -> None:
    """Refuse a table in which a deletion could not be made, or not be made good. Raises TableRefused."""
    _require_protocol(snapshot.protocol)
    _require_settings(snapshot.metadata)


def _require_protocol(protocol: Protocol) -> None:
    if protocol.reader_version > _READER_VERSION_MAX or protocol.writer_version > _WRITER_VERSION_MAX:
        raise TableRefused(
            f"the table's protocol (reader {protocol.reader_version}, writer {protocol.writer_version}) is not known"
        )
    for feature in sorted(protocol.features - ADMITTED):
        reason = _REASONS.get(feature, "it is not known what it demands of a writer")
        raise TableRefused(f"the table has the feature {feature}: {reason}")


def _require_settings(metadata: Metadata) -> None:
    if metadata.provider != "parquet":
        raise TableRefused("the table's files are not Parquet")
    for setting, reason in _SETTINGS.items():
        if metadata.is_on(setting):
            raise TableRefused(reason)
    if metadata.configuration.get("delta.universalFormat.enabledFormats"):
        raise TableRefused("the table is also published in another format (delta.universalFormat.enabledFormats)")
    if any(key.startswith("delta.coordinatedCommits.commitCoordinator") for key in metadata.configuration):
        raise TableRefused("the table's commits belong to a coordinator (delta.coordinatedCommits)")
