"""An archive's two parquet tables: the plan (one row an input) and a shard's index (one row a picture).

Both carry page checksums and are written without anything that differs between two runs. Columns are encoded so that
the 64 bytes of digests a row, which nothing can shrink, stay nearly alone (docs/archive.md has the table).
"""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.base.errors import ArchiveError
from pipeline.base.store import Store, sha256_hex

PLAN = "plan.parquet"
_ROWS_A_GROUP = 100_000

PLAN_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("root", pa.string()),  # folder or URL that was searched
        ("path", pa.string()),  # below root; null where it equals the name
        ("num_bytes", pa.int64()),
        ("mtime", pa.int64()),  # seconds since 1970, rounded down
        ("shard", pa.int32()),
    ]
)

INDEX_SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("pixels_sha256", pa.binary(32)),  # of the original's pixels
        ("file_sha256", pa.binary(32)),  # of the original file
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("num_channels", pa.uint8()),
        ("source_mode", pa.string()),
        ("codec", pa.string()),
        ("weights_sha256", pa.binary(32)),  # names weights/<sha256>.safetensors
        ("shard", pa.int32()),
        ("offset", pa.int64()),  # of the bitstream's first byte, from the tar's first byte
        ("length", pa.int64()),
        ("psnr_db", pa.float32()),  # of the decoded colour channels, rounded to 0.01; infinite if exact
        ("bitstream_crc32", pa.uint32()),  # the bitstream's last four bytes
    ]
)

_NULLABLE = {"path", "pixels_sha256", "file_sha256", "source_mode", "codec", "weights_sha256", "psnr_db"}
_DELTAS = {"num_bytes", "mtime", "offset", "length"}
_PLAINS = {"name", "path", "pixels_sha256", "file_sha256", "bitstream_crc32"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One input of an archive."""

    name: str
    """Of the picture in the archive."""
    root: str
    path: str | None
    num_bytes: int
    mtime: int
    shard: int

    @property
    def location(self) -> str:
        """Where the input is read from."""
        return f"{self.root}/{self.name if self.path is None else self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One picture of an archive. Fields that are None are unknown: the row was salvaged from a tar alone."""

    name: str
    pixels_sha256: bytes | None
    file_sha256: bytes | None
    width: int
    height: int
    num_channels: int
    source_mode: str | None
    codec: str | None
    weights_sha256: bytes | None
    shard: int
    offset: int
    length: int
    psnr_db: float | None
    bitstream_crc32: int

    def summary(self) -> dict[str, Any]:
        """Return what a person wants to see of the picture in a list."""
        return {
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "num_channels": self.num_channels,
            "codec": self.codec,
            "bytes": self.length,
            "bpp": round(8 * self.length / (self.width * self.height), 4),
            # JSON has no infinity; an exact picture has no error to state.
            "psnr_db": self.psnr_db if self.psnr_db is not None and math.isfinite(self.psnr_db) else None,
            "shard": self.shard,
            "offset": self.offset,
            "pixels_sha256": None if self.pixels_sha256 is None else self.pixels_sha256.hex(),
        }


def index_name(shard: int) -> str:
    """Return the name of a shard's index."""
    return f"index/{shard:06d}.parquet"


def write_index(path: Path, entries: Sequence[Entry]) -> None:
    """Write a shard's index; same entries, same bytes."""
    table = pa.Table.from_pylist([asdict(entry) for entry in entries], schema=INDEX_SCHEMA)
    with _writer(path, INDEX_SCHEMA) as writer:
        writer.write_table(table)


def read_index(store: Store, shard: int, *, sha256: str | None = None) -> list[Entry]:
    """Return a shard's entries, page checksums verified, and the whole file's digest if it is given.

    Offsets and sizes are possible ones, but nothing here knows the tar.
    Raises: ArchiveError: damaged, or not the file with that digest; StorageError: missing.
    """
    name = index_name(shard)
    where = store.where(name)
    data = store.read_bytes(name)
    if sha256 is not None and sha256_hex(data) != sha256:
        raise ArchiveError(f"{where}: sha256 is {sha256_hex(data)[:16]}..., its commit record says {sha256[:16]}...")
    try:
        table = pq.read_table(io.BytesIO(data), page_checksum_verification=True)
        rows = _checked(table, INDEX_SCHEMA, where).to_pylist()
        entries = [Entry(**row) for row in rows]
    except (OSError, pa.ArrowException, ValueError) as error:
        raise ArchiveError(f"{where}: {error}") from error
    for entry in entries:
        if entry.shard != shard:
            raise ArchiveError(f"{where}: holds rows of shard {entry.shard}")
        if entry.offset < 0 or min(entry.length, entry.width, entry.height, entry.num_channels) < 1:
            raise ArchiveError(
                f"{where}: {entry.name!r} of {entry.width} x {entry.height} x {entry.num_channels}, "
                f"{entry.length} bytes at {entry.offset}, is impossible"
            )
    return entries


def write_plan(path: Path, rows: Iterable[PlanRow]) -> None:
    """Write the plan; a row group holds whole shards, so a reader can fetch the shards that it wants."""
    with _writer(path, PLAN_SCHEMA) as writer:
        for group in _groups(rows):
            columns = {field.name: [getattr(row, field.name) for row in group] for field in fields(PlanRow)}
            writer.write_table(pa.table(columns, schema=PLAN_SCHEMA))


def iter_plan(store: Store) -> Iterator[PlanRow]:
    """Yield the plan's rows in shard order, a row group in memory at a time. Raises: ArchiveError, StorageError."""
    where = store.where(PLAN)
    try:
        with pq.ParquetFile(_RangeFile(store, PLAN), page_checksum_verification=True) as file:
            for group in range(file.num_row_groups):
                for row in _checked(file.read_row_group(group), PLAN_SCHEMA, where).to_pylist():
                    yield PlanRow(**row)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise ArchiveError(f"{where}: {error}") from error


def _groups(rows: Iterable[PlanRow]) -> Iterator[list[PlanRow]]:
    group: list[PlanRow] = []
    for row in rows:
        if len(group) >= _ROWS_A_GROUP and row.shard != group[-1].shard:
            yield group
            group = []
        group.append(row)
    yield group


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    encodings = {name: "DELTA_BINARY_PACKED" if name in _DELTAS else "PLAIN" for name in _DELTAS | _PLAINS}
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=15,
        use_dictionary=[name for name in schema.names if name not in encodings],
        column_encoding={name: encodings[name] for name in schema.names if name in encodings},
        write_statistics=["name", "shard"],
        store_schema=False,
        write_page_checksum=True,
    )


def _checked(table: pa.Table, schema: pa.Schema, where: str) -> pa.Table:
    missing = [name for name in schema.names if name not in table.column_names]
    if missing:
        raise ArchiveError(f"{where}: columns are missing: {', '.join(missing)}")
    known = table.select([name for name in schema.names if name not in _NULLABLE])
    if any(column.null_count for column in known.columns):
        raise ArchiveError(f"{where}: a value is missing")
    # Columns that a later release adds are left out; types are compared exactly.
    return table.select(schema.names).cast(schema)


class _RangeFile(io.RawIOBase):
    """A file of a store, read by ranges, so that parquet readers fetch only what they need."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._size = store.size(name)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), max(0, self._size - self._position))
        data = self._store.read_bytes(self._name, start=self._position, size=size) if size else b""
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
