"""Old versions of files, which a store keeps after files were replaced or removed: they stand in the way of a proof."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from lethe.engines.interface import NotRemoved
from lethe.engines.storage.interface import Keeping, Storage

UNSEEN: Final = (
    "whether the bucket keeps old versions of files cannot be seen: "
    "allow s3:GetBucketVersioning and s3:ListBucketVersions"
)


def superseded(storages: Iterable[Storage], before: datetime | None = None) -> Sequence[NotRemoved]:
    """What places keep of files that were stored before an instant, or at all. Raises StorageFailed."""
    held = []
    for storage in {storage.url: storage for storage in storages}.values():
        reason = _why_not_gone(storage, before)
        if reason:
            held.append(NotRemoved(storage.url, reason))
    return held


def _why_not_gone(storage: Storage, before: datetime | None) -> str:
    match storage.keeping():
        case Keeping.NOTHING | Keeping.UNKNOWN:
            return ""
        case Keeping.UNSEEN:
            return UNSEEN
        case Keeping.VERSIONS:
            count = storage.old_versions(before)
            if count is None:
                return UNSEEN
            if not count:
                return ""
            return f"the bucket keeps old versions of files, {count} or more; they must expire or be deleted"
