"""Getting pictures back from a damaged archive: rows rebuilt from the tars alone.

Neither the index nor the commit records nor the tar headers are needed. Packs are found by their magic on 512-byte
borders; where a pack's directory is damaged, its bitstreams are found by theirs and get names such as
`recovered-000003-0000000512` (shard and offset). Every row returned stands for a bitstream whose checksum held.
"""

import mmap
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.base.errors import ArchiveError, BitstreamError, StorageError, TruncatedBitstream
from pipeline.base.store import Store
from pipeline.formats.archive import Archive, crc_of, tar_name
from pipeline.formats.archive_index import Entry, read_index
from pipeline.formats.archive_records import CommitRecord, Problem, read_info
from pipeline.formats.bitstream import MAGIC as BITSTREAM_MAGIC
from pipeline.formats.bitstream import Bitstream, unpack, unpack_first
from pipeline.formats.pack import MAGIC as PACK_MAGIC
from pipeline.formats.pack import read_directory

_BLOCK = 512
_COMMON_MAGIC = PACK_MAGIC[:3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvage:
    """What could be found, and what is known to be lost."""

    entries: tuple[Entry, ...]
    """In the order of shards and offsets; fields that only the index held are None."""
    problems: tuple[Problem, ...]


def salvage(store: Store) -> Salvage:
    """Scan every tar of an archive, committed or not. Raises: StorageError."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    for name in store.names("shards"):
        stem = name.removeprefix("shards/").removesuffix(".tar")
        if stem.isdecimal() and tar_name(int(stem)) == name:
            found = salvage_shard(store, int(stem))
            entries += found.entries
            problems += found.problems
    return Salvage(entries=tuple(entries), problems=tuple(problems))


def salvage_shard(store: Store, shard: int) -> Salvage:
    """Scan one tar. Raises: StorageError: it is missing."""
    scan = _Scan(store, shard)
    scan.run()
    entries = sorted(scan.entries, key=lambda entry: entry.offset)
    return Salvage(entries=tuple(entries), problems=tuple(scan.problems))


def committed_entries(archive: Archive, commit: CommitRecord) -> Salvage:
    """Return a committed shard's entries from its index, or, where that is not the committed one, from its tar.

    Raises: StorageError: the tar is needed and missing.
    """
    try:
        entries = read_index(archive.store, commit.shard, sha256=commit.index_sha256)
        return Salvage(entries=tuple(entries), problems=())
    except (ArchiveError, StorageError) as error:
        found = salvage_shard(archive.store, commit.shard)
        problem = Problem(where=f"shard {commit.shard:06d}", reason="index_unreadable", message=str(error))
        return Salvage(entries=found.entries, problems=(problem, *found.problems))


class _Scan:
    """Walks through one tar's bytes."""

    def __init__(self, store: Store, shard: int) -> None:
        self.entries: list[Entry] = []
        self.problems: list[Problem] = []
        self._shard = shard
        self._where = store.where(tar_name(shard))
        self._data = _map(store, tar_name(shard))
        self._view = memoryview(self._data)
        self._codecs, self._weights = _codec_names(store), _weights_files(store)
        self._ends: dict[int, int] = {}

    def run(self) -> None:
        position = self._data.find(_COMMON_MAGIC)
        while position >= 0:
            magic = self._data[position : position + 4]
            if position in self._ends:
                after = self._ends[position]
            elif magic == PACK_MAGIC and position % _BLOCK == 0:
                after = self._take_pack(position)
            elif magic == BITSTREAM_MAGIC:
                after = self._take_stray(position)
            else:
                after = position + 1
            position = self._data.find(_COMMON_MAGIC, after)
        if len(self._data) % _BLOCK or self._data[-2 * _BLOCK :] != bytes(2 * _BLOCK):
            self._report(f"end of {tar_name(self._shard)}", "truncated_tar", f"{self._where}: cut short at its end")

    def _take_pack(self, position: int) -> int:
        try:
            slots = read_directory(self._view[position:], where=f"{self._where} at {position}")
        except ArchiveError as error:
            self._report(f"{tar_name(self._shard)} at {position}", "damaged_directory", str(error))
            return position + len(PACK_MAGIC)
        intact = True
        for slot in slots:
            start, where = position + slot.start, f"{self._where}: {slot.name}"
            piece = self._view[start : start + slot.length]
            try:
                if len(piece) < slot.length:
                    raise TruncatedBitstream(f"{where}: the tar ends before it")
                self._add(unpack(piece, where=where), slot.name, start, piece)
            except BitstreamError as error:
                intact = False
                self._report(slot.name, "lost_bitstream", str(error))
        # In a damaged pack bytes may have moved: its range is searched once more, for bitstreams elsewhere in it.
        return position + (slots[-1].start + slots[-1].length if intact else slots[0].start)

    def _take_stray(self, position: int) -> int:
        try:
            parsed, size = unpack_first(self._view[position:], where=f"{self._where} at {position}")
        except BitstreamError:
            return position + 1
        name = f"recovered-{self._shard:06d}-{position:010d}"
        self._add(parsed, name, position, self._view[position : position + size])
        self._report(name, "name_lost", f"{self._where} at {position}: an intact bitstream that no directory names")
        return position + size

    def _add(self, parsed: Bitstream, name: str, offset: int, data: memoryview) -> None:
        self._ends[offset] = offset + len(data)
        self.entries.append(
            Entry(
                name=name,
                pixels_sha256=None,
                file_sha256=None,
                width=parsed.width,
                height=parsed.height,
                num_channels=parsed.num_channels,
                source_mode=None,
                codec=self._codecs.get(parsed.codec_wire_id),
                weights_sha256=self._weights.get(parsed.weights_digest),
                shard=self._shard,
                offset=offset,
                length=len(data),
                psnr_db=None,
                bitstream_crc32=crc_of(data),
            )
        )

    def _report(self, where: str, reason: str, message: str) -> None:
        self.problems.append(Problem(where=where, reason=reason, message=message))


def _map(store: Store, name: str) -> mmap.mmap | bytes:
    """Return a file's bytes, without reading a local one into memory."""
    path = store.local_path(name)
    if path is None or not path.is_file() or path.stat().st_size == 0:
        return store.read_bytes(name)
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _codec_names(store: Store) -> Mapping[int, str]:
    try:
        return {int(codec["wire_id"]): str(codec["name"]) for codec in read_info(store).get("codecs", [])}
    except ArchiveError:
        return {}


def _weights_files(store: Store) -> Mapping[bytes, bytes]:
    """Return the full digest of each weights file by the 8 bytes of it that a bitstream carries."""
    stems = [name.removeprefix("weights/").removesuffix(".safetensors") for name in store.names("weights")]
    digests = [bytes.fromhex(stem) for stem in stems if len(stem) == 64 and set(stem) <= set("0123456789abcdef")]
    return {digest[:8]: digest for digest in digests}
