"""Shards: samples in plain WebDataset tars, a parquet side-car beside each, and one manifest over all.

Layout of a corpus folder (byte tables in docs/shards.md):

    NAME-train-000000.tar         the samples; any tar or WebDataset reader opens it
    NAME-train-000000.parquet     one row a sample: offsets, sizes, digests, label shares, scene
    NAME-train-000000.done.json   commit record, written last: digests of the two, counts, rejections
    shards.parquet                one row a shard, written when all are done
    manifest.json                 counts by split, resolved config, versions, digest of shards.parquet

A reader trusts a shard only if its commit record is there.
"""

import json
import tarfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.base.errors import ShardError
from pipeline.base.store import Store, canonical_json, sha256_file, sha256_hex
from pipeline.formats.encoded import CLASSES, COLUMN, SIDECAR_SCHEMA, EncodedSample, encode
from pipeline.formats.sample import FIELDS, Sample

FORMAT = "diptych-corpus"
FORMAT_VERSION = 1
MANIFEST, SHARD_TABLE = "manifest.json", "shards.parquet"

_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardName:
    """Names one shard: `NAME-{split}-{index:06d}`."""

    corpus: str
    split: str
    index: int

    @property
    def stem(self) -> str:
        return f"{self.corpus}-{self.split}-{self.index:06d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A sample that was planned and not written."""

    key: str
    reason: str
    message: str
    redrawn: bool = False
    """Whether another drawing takes its place: counted, but nothing is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardRecord:
    """A shard's commit record."""

    stem: str
    split: str
    num_samples: int
    tar_bytes: int
    tar_sha256: str
    parquet_sha256: str
    plan_sha256: str
    """Of the plan this shard was made for; a shard of another plan does not count as done."""
    rejected: tuple[Rejection, ...]
    redrawn: dict[str, int] = field(default_factory=dict)
    """Drawings that were refused and made again from another seed, by reason; nothing is missing for them."""


def write_shard(
    store: Store,
    name: ShardName,
    items: Iterable[EncodedSample | Sample | Rejection],
    *,
    plan_sha256: str,
    compress_level: int = 6,
) -> ShardRecord:
    """Write a shard, its side-car and last its commit record; same items, same bytes.

    Items are streamed to the tar, so memory holds one sample at a time. Raises: StorageError.
    """
    redrawn: Counter[str] = Counter()
    rows: list[dict[str, Any]] = []
    rejected: list[Rejection] = []
    with store.writing(f"{name.stem}.tar") as path:
        with open(path, "wb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for item in items:
                if isinstance(item, Rejection):
                    (redrawn.update([item.reason]) if item.redrawn else rejected.append(item))
                    continue
                encoded = encode(item, compress_level=compress_level) if isinstance(item, Sample) else item
                rows.append(_add(tar, file, encoded))
        tar_bytes, tar_sha256 = path.stat().st_size, sha256_file(path)
    with store.writing(f"{name.stem}.parquet") as path:
        schema = SIDECAR_SCHEMA.append(CLASSES) if any(CLASSES.name in row for row in rows) else SIDECAR_SCHEMA
        write_parquet(pa.Table.from_pylist(rows, schema=schema), path)
        parquet_sha256 = sha256_file(path)
    record = ShardRecord(
        stem=name.stem,
        split=name.split,
        num_samples=len(rows),
        tar_bytes=tar_bytes,
        tar_sha256=tar_sha256,
        parquet_sha256=parquet_sha256,
        plan_sha256=plan_sha256,
        rejected=tuple(rejected),
        redrawn=dict(sorted(redrawn.items())),
    )
    store.write_bytes(f"{name.stem}.done.json", canonical_json(asdict(record)))
    return record


def read_record(store: Store, stem: str) -> ShardRecord | None:
    """Return a shard's commit record, or None if it was never committed. Raises: ShardError: it is damaged."""
    name = f"{stem}.done.json"
    if not store.exists(name):
        return None
    try:
        table = json.loads(store.read_bytes(name))
        table["rejected"] = tuple(Rejection(**row) for row in table["rejected"])
        return ShardRecord(**table)
    except (ValueError, TypeError, KeyError) as error:
        raise ShardError(f"{store.where(name)}: not a shard's commit record ({error})") from error


def write_manifest(
    store: Store,
    records: Sequence[ShardRecord],
    *,
    config: Mapping[str, Any],
    versions: Mapping[str, str],
    quarantined: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Write `shards.parquet` and then `manifest.json` over finished shards; return the manifest.

    `quarantined`: shards that are missing because they kept failing, with the reason.
    """
    rejected = Counter(rejection.reason for record in records for rejection in record.rejected)
    with store.writing(SHARD_TABLE) as path:
        columns = ("stem", "split", "num_samples", "tar_bytes", "tar_sha256", "parquet_sha256")
        rows = {column: [getattr(record, column) for record in records] for column in columns}
        # Of the commit records themselves: what they say of rejected samples stands nowhere else.
        rows["record_sha256"] = [sha256_hex(canonical_json(asdict(record))) for record in records]
        write_parquet(pa.table(rows), path)
        table_sha256 = sha256_file(path)
    splits: dict[str, dict[str, int]] = {}
    redrawn: Counter[str] = Counter()
    for record in records:
        redrawn.update(record.redrawn)
        split = splits.setdefault(record.split, {"num_shards": 0, "num_samples": 0, "tar_bytes": 0})
        split["num_shards"] += 1
        split["num_samples"] += record.num_samples
        split["tar_bytes"] += record.tar_bytes
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "splits": splits,
        "rejected": dict(sorted(rejected.items())),
        "redrawn": dict(sorted(redrawn.items())),
        "quarantined": dict(quarantined or {}),
        "config": dict(config),
        "versions": dict(versions),
        "plan_sha256": records[0].plan_sha256 if records else "",
        "shard_table_sha256": table_sha256,
    }
    store.write_bytes(MANIFEST, canonical_json(manifest))
    return manifest


def read_manifest(store: Store) -> dict[str, Any]:
    """Return a corpus's manifest. Raises: ShardError: there is none, or another program's or version's."""
    if not store.exists(MANIFEST):
        raise ShardError(f"{store.url}: no {MANIFEST}; not a finished corpus")
    try:
        manifest: dict[str, Any] = json.loads(store.read_bytes(MANIFEST))
        found = (manifest["format"], manifest["format_version"])
        for counts in manifest["splits"].values() if found == (FORMAT, FORMAT_VERSION) else ():
            _ = counts["num_shards"], counts["num_samples"], counts["tar_bytes"]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ShardError(f"{store.where(MANIFEST)}: not a corpus manifest ({error})") from error
    if found != (FORMAT, FORMAT_VERSION):
        raise ShardError(
            f"{store.where(MANIFEST)}: is {found[0]} version {found[1]}, expected {FORMAT} {FORMAT_VERSION}"
        )
    if not isinstance(manifest.get("splits"), dict) or not isinstance(manifest.get("shard_table_sha256"), str):
        raise ShardError(f"{store.where(MANIFEST)}: splits must be a table, shard_table_sha256 a string")
    return manifest


def read_parquet(store: Store, name: str, *, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a parquet file of ours, page checksums verified. Raises: ShardError: it is damaged."""
    data = store.read_bytes(name)
    try:
        return pq.read_table(
            BytesIO(data), columns=None if columns is None else list(columns), page_checksum_verification=True
        )
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{store.where(name)}: {error}") from error


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a parquet file with page checksums; same table, same bytes."""
    pq.write_table(table, path, compression="zstd", write_page_checksum=True)


def check_shard(store: Store, record: ShardRecord) -> None:
    """Re-read a shard and its side-car and compare both digests. Raises: ShardError: names what differs."""
    for suffix, expected in (("tar", record.tar_sha256), ("parquet", record.parquet_sha256)):
        name = f"{record.stem}.{suffix}"
        if not store.exists(name):
            raise ShardError(f"{store.where(name)}: listed by its commit record, but missing")
        path = store.local_path(name)
        found = sha256_file(path) if path is not None else sha256_hex(store.read_bytes(name))
        if found != expected:
            raise ShardError(
                f"{store.where(name)}: sha256 is {found[:16]}..., its commit record says {expected[:16]}..."
            )


def _add(tar: tarfile.TarFile, file: IO[bytes], encoded: EncodedSample) -> dict[str, Any]:
    """Append a sample to a tar and return its side-car row."""
    row = dict(encoded.row)
    for ending in FIELDS:
        data = encoded.members[ending]
        header = tarfile.TarInfo(f"{row['key']}.{ending}")
        # Everything that could differ between two runs (time, owner) keeps TarInfo's constant default.
        header.size = len(data)
        row[f"{COLUMN[ending]}_offset"] = file.tell() + _BLOCK
        row[f"{COLUMN[ending]}_size"] = len(data)
        tar.addfile(header, BytesIO(data))
    return row
