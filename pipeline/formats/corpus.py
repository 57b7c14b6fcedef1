"""Random access to a finished corpus: sample i of a split, read by offset from its tar."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.base.errors import ShardError, UsageError
from pipeline.base.store import Store, sha256_hex
from pipeline.formats.encoded import CLASSES, COLUMN, EncodedSample
from pipeline.formats.sample import FIELDS, Sample, decode_sample
from pipeline.formats.shards import MANIFEST, SHARD_TABLE, ShardRecord, read_manifest, read_parquet

_MAX_HELD = 1 << 27
"""Bytes of side-cars in memory, some 300,000 samples: an order at random comes back to a shard after all others."""
_MAX_GAP = 1 << 16
"""Bytes that are read needlessly rather than asking again: a request to an object store takes longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSplit:
    """The samples of one split, numbered 0..num_samples-1 in shard order."""

    store: Store
    split: str
    stems: tuple[str, ...]
    digests: tuple[str, ...]
    """SHA-256 of each shard's side-car."""
    first_index: np.ndarray[Any, np.dtype[np.int64]]
    """(num_shards + 1,): number of the first sample of each shard, then the total."""

    @property
    def num_samples(self) -> int:
        return int(self.first_index[-1])

    def row(self, index: int) -> dict[str, Any]:
        """Return sample `index`'s side-car row. Raises: ShardError, IndexError."""
        if not 0 <= index < self.num_samples:
            raise IndexError(f"sample {index} of {self.num_samples}")
        shard = int(np.searchsorted(self.first_index, index, side="right")) - 1
        stem = self.stems[shard]
        place = index - int(self.first_index[shard])
        row: dict[str, Any] = _sidecar(self.store.url, stem, self.digests[shard]).slice(place, 1).to_pylist()[0]
        row["tar"] = f"{stem}.tar"
        return row

    def members(
        self, index: int, fields: Iterable[str] = FIELDS, *, row: Mapping[str, Any] | None = None
    ) -> dict[str, bytes]:
        """Return members of sample `index` by ending (`png`, `label.png`, ...), in one read if they are near."""
        row = self.row(index) if row is None else row
        places = {ending: (row[f"{COLUMN[ending]}_offset"], row[f"{COLUMN[ending]}_size"]) for ending in fields}
        start = min((offset for offset, _ in places.values()), default=0)
        end = max((offset + size for offset, size in places.values()), default=0)
        if end - start > sum(size for _, size in places.values()) + _MAX_GAP:
            return {
                ending: self.store.read_bytes(row["tar"], start=offset, size=size)
                for ending, (offset, size) in places.items()
            }
        data = self.store.read_bytes(row["tar"], start=start, size=end - start)
        return {ending: data[offset - start : offset - start + size] for ending, (offset, size) in places.items()}

    def checked_members(self, index: int, *, row: Mapping[str, Any] | None = None) -> dict[str, bytes]:
        """Return all members of sample `index` by ending, their digest compared with the side-car's.

        `row`: the sample's, where it is at hand.

        Raises: ShardError: names the sample.
        """
        row = self.row(index) if row is None else row
        members = self.members(index, row=row)
        if sha256_hex(b"".join(members[ending] for ending in FIELDS)) != row["members_sha256"].hex():
            raise ShardError(f"{self.where(row)}: bytes differ from the side-car's digest")
        return members

    def encoded(self, index: int) -> EncodedSample:
        """Return sample `index` as another shard can hold it, its digest checked. Raises: ShardError."""
        places = {f"{name}_{part}" for name in COLUMN.values() for part in ("offset", "size")} | {"tar"}
        row = {name: value for name, value in self.row(index).items() if name not in places}
        if not row.get(CLASSES.name):
            # The column is there for another sample of the shard.
            row.pop(CLASSES.name, None)
        return EncodedSample(members=self.checked_members(index), row=row)

    def classes(self) -> tuple[str, ...]:
        """Return the names of all classes that occur in the split, sorted. Reads every side-car, no tar."""
        found: set[str] = set()
        for stem, digest in zip(self.stems, self.digests, strict=True):
            table = _sidecar(self.store.url, stem, digest)
            columns = [name for name in ("kind", CLASSES.name) if name in table.column_names]
            found.update(name for row in table.select(columns).to_pylist() for name in classes_of(row))
        return tuple(sorted(found))

    def where(self, row: Mapping[str, Any]) -> str:
        """Return the tar and key of a side-car row, for messages."""
        return f"{self.store.where(row['tar'])}: {row['key']}"

    def sample(self, index: int) -> Sample:
        """Return sample `index`, decoded, its digest checked. Raises: ShardError."""
        return decode_sample(self.checked_members(index), where=self.where(self.row(index)))


def classes_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the class names of a side-car row's sample: those it was given, or else its scene kind alone."""
    return tuple(row.get(CLASSES.name) or (row["kind"],))


def open_split(store: Store, split: str) -> CorpusSplit:
    """Open one split of a finished corpus. Raises: ShardError; UsageError: no such split."""
    manifest = read_manifest(store)
    table = read_parquet(store, SHARD_TABLE)
    if sha256_hex(store.read_bytes(SHARD_TABLE)) != manifest["shard_table_sha256"]:
        raise ShardError(f"{store.where(SHARD_TABLE)}: not the table that {MANIFEST} was written over")
    rows = [row for row in table.to_pylist() if row["split"] == split]
    if not rows:
        raise UsageError(f"{store.url}: has no split {split!r}; splits: {', '.join(manifest['splits'])}")
    return CorpusSplit(
        store=store,
        split=split,
        stems=tuple(row["stem"] for row in rows),
        digests=tuple(row["parquet_sha256"] for row in rows),
        first_index=np.cumsum([0, *(row["num_samples"] for row in rows)]),
    )


def open_shard(store: Store, record: ShardRecord) -> CorpusSplit:
    """Open one committed shard, of a corpus that need not be finished."""
    return CorpusSplit(
        store=store,
        split=record.split,
        stems=(record.stem,),
        digests=(record.parquet_sha256,),
        first_index=np.asarray([0, record.num_samples]),
    )


class _Sidecars:
    """Side-cars in memory, those used last, of at most _MAX_HELD bytes in all."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, str, str], pa.Table] = OrderedDict()
        self._num_bytes = 0
        self._lock = threading.Lock()

    def __call__(self, url: str, stem: str, digest: str) -> pa.Table:
        # The digest is part of the key: a shard that was made again is another one.
        key = (url, stem, digest)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        table = read_parquet(Store(url), f"{stem}.parquet")
        with self._lock:
            if key not in self._held:
                self._held[key] = table
                self._num_bytes += table.nbytes
            while self._num_bytes > _MAX_HELD and len(self._held) > 1:
                self._num_bytes -= self._held.popitem(last=False)[1].nbytes
        return table

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._held.clear()
            self._num_bytes = 0


_sidecar = _Sidecars()
