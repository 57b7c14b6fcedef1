"""An archive: many pictures' bitstreams, an index, and the weights that decode them.

Layout of an archive folder, or of a prefix in an object store (byte tables in docs/archive.md):

    archive.json                     format, version, how it was made; written first
    weights/<sha256>.safetensors     every weights file that an entry needs
    plan.parquet                     one row an input, written before any shard
    shards/000000.tar                packs of bitstreams; readable without the index
    index/000000.parquet             one row a picture
    commits/000000.json              digests of the two and of the plan, counts, rejected inputs; written last
    rejected.jsonl                   all rejected inputs, written when all shards are committed

A reader trusts a shard only if its commit record is there. Reading needs neither torch nor ray.
"""

import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from pipeline.base.errors import ArchiveError, TruncatedBitstream
from pipeline.base.store import Store, sha256_file, sha256_hex
from pipeline.formats import bitstream
from pipeline.formats.archive_index import Entry, index_name, read_index, write_index
from pipeline.formats.archive_records import (
    CommitRecord,
    Problem,
    Rejection,
    commit_name,
    read_commit,
    read_info,
    write_commit,
)
from pipeline.formats.pack import MAX_ENTRIES, TARGET_BYTES, build_pack

_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedPicture:
    """A picture ready to be stored."""

    name: str
    data: bytes
    """Its bitstream."""
    pixels_sha256: bytes
    file_sha256: bytes
    source_mode: str
    codec: str
    weights_sha256: bytes | None
    psnr_db: float
    num_input_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """An opened archive: its description and its committed shards."""

    store: Store
    info: Mapping[str, Any]
    commits: tuple[CommitRecord, ...]
    problems: tuple[Problem, ...]
    """Commit records that cannot be read; their shards are left out of `commits`."""

    @property
    def num_pictures(self) -> int:
        """Pictures in committed shards."""
        return sum(commit.num_pictures for commit in self.commits)

    def entries(self) -> Iterator[Entry]:
        """Yield every committed picture's entry, in archive order. Raises: ArchiveError, StorageError."""
        for commit in self.commits:
            yield from read_index(self.store, commit.shard)


def tar_name(shard: int) -> str:
    """Return the name of a shard's tar."""
    return f"shards/{shard:06d}.tar"


def write_shard(
    store: Store, shard: int, items: Iterable[CodedPicture | Rejection], *, plan_sha256: str
) -> CommitRecord:
    """Write a shard's tar, its index and last its commit record; same items, same bytes.

    Items are taken one by one: memory holds one pack and the index rows. Raises: StorageError; ArchiveError: a name.
    """
    rejected: list[Rejection] = []
    input_bytes = 0
    with store.writing(tar_name(shard)) as path:
        with open(path, "wb") as file:
            tar = _TarWriter(file, shard)
            for item in items:
                if isinstance(item, Rejection):
                    rejected.append(item)
                else:
                    input_bytes += item.num_input_bytes
                    tar.add(item)
            tar.finish()
        tar_bytes, tar_sha256 = path.stat().st_size, sha256_file(path)
    with store.writing(index_name(shard)) as path:
        write_index(path, tar.entries)
        index_bytes, index_sha256 = path.stat().st_size, sha256_file(path)
    names = [entry.name for entry in tar.entries]
    commit = CommitRecord(
        shard=shard,
        plan_sha256=plan_sha256,
        num_pictures=len(names),
        num_pixels=sum(entry.width * entry.height for entry in tar.entries),
        input_bytes=input_bytes,
        bitstream_bytes=sum(entry.length for entry in tar.entries),
        tar_bytes=tar_bytes,
        tar_sha256=tar_sha256,
        index_bytes=index_bytes,
        index_sha256=index_sha256,
        first_name=min(names, default=""),
        last_name=max(names, default=""),
        rejected=tuple(rejected),
    )
    write_commit(store, commit)
    return commit


def open_archive(store: Store) -> Archive:
    """Open an archive, finished or not. Raises: ArchiveError: it is none."""
    info = read_info(store)
    commits, problems = [], []
    for name in store.names("commits"):
        stem = name.removeprefix("commits/").removesuffix(".json")
        if not stem.isdecimal() or commit_name(int(stem)) != name:
            continue
        try:
            commit = read_commit(store, int(stem))
        except ArchiveError as error:
            problems.append(Problem(where=name, reason="damaged_commit", message=str(error)))
        else:
            commits += [commit] if commit is not None else []
    return Archive(store=store, info=info, commits=tuple(commits), problems=tuple(problems))


def find_entry(archive: Archive, name: str) -> Entry:
    """Return the entry called `name`, reading only the indexes whose range of names holds it.

    Raises: ArchiveError: there is no such picture.
    """
    for commit in archive.commits:
        if commit.first_name <= name <= commit.last_name:
            for entry in read_index(archive.store, commit.shard):
                if entry.name == name:
                    return entry
    raise ArchiveError(f"{archive.store.url}: holds no picture named {name!r}")


def read_bitstream(store: Store, entry: Entry) -> bytes:
    """Return one picture's bitstream, its checksum verified.

    Raises: BitstreamError: damaged; ArchiveError: intact, but not the bitstream that the index lists.
    """
    where = f"{store.where(tar_name(entry.shard))}: {entry.name}"
    # A wrong length must not ask for its own amount of memory; an object store cuts the range itself.
    if store.local_path() is not None:
        tar_bytes = store.size(tar_name(entry.shard))
        if entry.offset + entry.length > tar_bytes:
            raise TruncatedBitstream(
                f"{where}: the index lists {entry.length} bytes at {entry.offset}, the tar has {tar_bytes} bytes"
            )
    data = store.read_bytes(tar_name(entry.shard), start=entry.offset, size=entry.length)
    parsed = bitstream.unpack(data, where=where)
    found = (parsed.width, parsed.height, parsed.num_channels, crc_of(data))
    if found != (entry.width, entry.height, entry.num_channels, entry.bitstream_crc32):
        raise ArchiveError(f"{where}: another picture's bitstream stands at the place that the index lists")
    return data


def check_files(store: Store, commit: CommitRecord) -> list[Problem]:
    """Compare a shard's tar and index with the digests in its commit record."""
    problems = []
    for name, expected in (
        (tar_name(commit.shard), commit.tar_sha256),
        (index_name(commit.shard), commit.index_sha256),
    ):
        if not store.exists(name):
            message = f"{store.where(name)}: listed by its commit record, but missing"
            problems.append(Problem(where=name, reason="missing_file", message=message))
            continue
        path = store.local_path(name)
        found = sha256_file(path) if path is not None else sha256_hex(store.read_bytes(name))
        if found != expected:
            message = f"{store.where(name)}: sha256 is {found[:16]}..., its commit record says {expected[:16]}..."
            problems.append(Problem(where=name, reason="digest_differs", message=message))
    return problems


def crc_of(data: bytes | memoryview) -> int:
    """Return the checksum that a bitstream ends with."""
    return int.from_bytes(bytes(data[-4:]), "little")


class _TarWriter:
    """Writes packs as members of a USTAR tar and remembers where each bitstream stands."""

    def __init__(self, file: IO[bytes], shard: int) -> None:
        self.entries: list[Entry] = []
        self._file, self._shard = file, shard
        self._pending: list[CodedPicture] = []
        self._pending_bytes = self._num_packs = self._position = 0

    def add(self, picture: CodedPicture) -> None:
        self._pending.append(picture)
        self._pending_bytes += len(picture.data)
        if self._pending_bytes >= TARGET_BYTES or len(self._pending) == MAX_ENTRIES:
            self._flush()

    def finish(self) -> None:
        if self._pending:
            self._flush()
        self._file.write(bytes(2 * _BLOCK))

    def _flush(self) -> None:
        data, slots = build_pack([(picture.name, picture.data) for picture in self._pending])
        header = tarfile.TarInfo(f"{self._shard:06d}-{self._num_packs:04d}.pack")
        # Everything that could differ between two runs (time, owner) keeps TarInfo's constant default.
        header.size = len(data)
        self._file.write(header.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % _BLOCK))
        for picture, slot in zip(self._pending, slots, strict=True):
            self.entries.append(_entry(picture, self._shard, self._position + _BLOCK + slot.start))
        self._position += _BLOCK + len(data) + -len(data) % _BLOCK
        self._num_packs += 1
        self._pending, self._pending_bytes = [], 0


def _entry(picture: CodedPicture, shard: int, offset: int) -> Entry:
    parsed = bitstream.unpack(picture.data, where=picture.name)
    return Entry(
        name=picture.name,
        pixels_sha256=picture.pixels_sha256,
        file_sha256=picture.file_sha256,
        width=parsed.width,
        height=parsed.height,
        num_channels=parsed.num_channels,
        source_mode=picture.source_mode,
        codec=picture.codec,
        weights_sha256=picture.weights_sha256,
        shard=shard,
        offset=offset,
        length=len(picture.data),
        psnr_db=round(picture.psnr_db, 2),
        bitstream_crc32=crc_of(picture.data),
    )
