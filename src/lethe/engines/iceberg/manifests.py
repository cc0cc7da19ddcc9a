"""Writing manifests: of data files and of delete files, with deleted entries that say no more than they must."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pyiceberg.avro.codecs import AvroCompressionCodec
from pyiceberg.io import FileIO
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriter,
    ManifestWriterV1,
    ManifestWriterV2,
)
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.metadata import TableMetadata


@dataclass(frozen=True, slots=True)
class Added:
    """A file that a commit brings."""

    file: DataFile
    sequence_number: int | None = None
    """Of the data, where the file must keep the age of the one that it replaces; None for the commit's own."""


class _DeleteManifestWriter(ManifestWriterV2):
    """pyiceberg writes manifests of data files alone; the two differ in one word."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


class ManifestFactory:
    """Writes the manifests of one commit, and knows their locations."""

    def __init__(
        self, metadata: TableMetadata, snapshot_id: int, io: FileIO, new_location: Callable[[str], str], name: str
    ) -> None:
        self._metadata = metadata
        self._snapshot_id = snapshot_id
        self._io = io
        self._new_location = new_location
        self._name = name
        self.locations: list[str] = []
        """Of the manifests begun so far: they are removed when the commit does not happen."""

    def without(self, manifest: ManifestFile, removed: Collection[str], *, forget_deleted: bool) -> ManifestFile | None:
        """The manifest without some files: itself where it is right already, None where nothing is left to say.

        Files that leave are recorded as deleted, without bounds or sizes. Entries of files that left earlier go. With
        `forget_deleted` no deleted file is recorded at all.
        """
        entries = manifest.fetch_manifest_entry(self._io, discard_deleted=False)
        live = [e for e in entries if e.status != ManifestEntryStatus.DELETED]
        staying = [e for e in live if e.data_file.file_path not in removed]
        leaving = [] if forget_deleted else [e for e in live if e.data_file.file_path in removed]
        if len(staying) == len(live) and (not forget_deleted or len(live) == len(entries)):
            return manifest
        if not staying and not leaving:
            return None
        with self._writer(self._metadata.specs()[manifest.partition_spec_id], manifest.content) as writer:
            for entry in staying:
                writer.existing(entry)
            for entry in leaving:
                writer.delete(_bare(entry))
        return writer.to_manifest_file()

    def of_added(self, added: Sequence[Added]) -> list[ManifestFile]:
        """Manifests of new files, one for each partition spec and kind."""
        groups: dict[tuple[int, ManifestContent], list[Added]] = defaultdict(list)
        for one in added:
            groups[one.file.spec_id, _kind(one.file)].append(one)
        manifests = []
        for (spec_id, content), members in groups.items():
            with self._writer(self._metadata.specs()[spec_id], content) as writer:
                for one in members:
                    writer.add(_entry(one))
            manifests.append(writer.to_manifest_file())
        return manifests

    def _writer(self, spec: PartitionSpec, content: ManifestContent) -> ManifestWriter:
        location = self._new_location(f"{self._name}-m{len(self.locations)}.avro")
        self.locations.append(location)
        output, schema = self._io.new_output(location), _schema_for(self._metadata, spec)
        codec = avro_codec(self._metadata)
        if self._metadata.format_version == 1:
            return ManifestWriterV1(spec, schema, output, self._snapshot_id, codec)
        kind = _DeleteManifestWriter if content == ManifestContent.DELETES else ManifestWriterV2
        return kind(spec, schema, output, self._snapshot_id, codec)


def avro_codec(metadata: TableMetadata) -> AvroCompressionCodec:
    """The codec for manifests that the table asks for; deflate, which everybody reads, for what is not known here."""
    return _CODECS.get(metadata.properties.get("write.avro.compression-codec", "gzip"), "deflate")


_CODECS: Final[Mapping[str, AvroCompressionCodec]] = {"zstd": "zstandard", "uncompressed": "null"}


def _schema_for(metadata: TableMetadata, spec: PartitionSpec) -> Schema:
    """A schema that knows the columns of the spec: the current one, or the last before such a column was dropped."""
    sources = {field.source_id for field in spec.fields}
    for schema in (metadata.schema(), *reversed(metadata.schemas)):
        if sources <= schema.field_ids:
            return schema
    return metadata.schema()


def _kind(file: DataFile) -> ManifestContent:
    return ManifestContent.DATA if file.content == DataFileContent.DATA else ManifestContent.DELETES


def _entry(added: Added) -> ManifestEntry:
    return ManifestEntry.from_args(
        status=ManifestEntryStatus.ADDED,
        snapshot_id=None,
        sequence_number=added.sequence_number,
        file_sequence_number=None,
        data_file=added.file,
    )


def _bare(entry: ManifestEntry) -> ManifestEntry:
    """A deleted entry keeps the file's name, partition and counts, which others need to undo or follow the change."""
    file = entry.data_file
    bare = DataFile.from_args(
        content=file.content,
        file_path=file.file_path,
        file_format=file.file_format,
        partition=file.partition,
        record_count=file.record_count,
        file_size_in_bytes=file.file_size_in_bytes,
        column_sizes={},
        value_counts={},
        null_value_counts={},
        equality_ids=file.equality_ids,
        sort_order_id=file.sort_order_id,
    )
    bare.spec_id = file.spec_id
    return ManifestEntry.from_args(
        status=ManifestEntryStatus.DELETED,
        snapshot_id=entry.snapshot_id,
        sequence_number=entry.sequence_number,
        file_sequence_number=entry.file_sequence_number,
        data_file=bare,
    )
