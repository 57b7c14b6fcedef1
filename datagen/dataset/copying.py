"""Carrying a deal out: members are copied from shard to shard, one sample in memory at a time."""

import importlib.metadata
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from datagen.dataset.deal import Deal, begin
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.encoded import EncodedSample, digest_members
from pipeline.formats.sample import decode_info, encode_info
from pipeline.formats.shards import Rejection, ShardName, ShardRecord, read_record, write_manifest, write_shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A dealt corpus."""

    records: tuple[ShardRecord, ...]
    num_skipped_shards: int
    """Shards that an earlier run had finished."""


def carry_out(deal: Deal, out: str, *, progress: Progress) -> Copied:
    """Write the corpus that `deal` describes, or go on where a run was stopped.

    Raises: UsageError: `out` holds something else, or another process writes there; ShardError: an input is damaged;
    StorageError.
    """
    store = Store(out)
    records: list[ShardRecord] = []
    num_skipped = 0
    progress.total(len(deal.table))
    with store.sole_writer():
        plan_sha256 = begin(store, deal)
        samples = _Inputs(deal)
        for name, rows in _shards(deal):
            record = read_record(store, name.stem)
            if record is not None and record.plan_sha256 == plan_sha256:
                num_skipped += 1
            else:
                record = write_shard(store, name, samples.items(rows), plan_sha256=plan_sha256)
            records.append(record)
            progress.advance(record.num_samples)
            for rejection in record.rejected:
                progress.reject(rejection.reason)
        versions = {"diptych": importlib.metadata.version("diptych")}
        write_manifest(store, records, config=deal.config(), versions=versions)
    return Copied(records=tuple(records), num_skipped_shards=num_skipped)


class _Inputs:
    """Opens the inputs' splits once each."""

    def __init__(self, deal: Deal) -> None:
        self._deal = deal
        self._opened: dict[tuple[int, str], CorpusSplit] = {}

    def items(self, rows: pa.Table) -> Iterator[EncodedSample | Rejection]:
        """Yield what a new shard holds. Raises: ShardError: a sample's bytes differ from its side-car's digest."""
        for row in rows.to_pylist():
            if row["reason"] is not None:
                yield Rejection(key=row["key"], reason=row["reason"], message=row["message"])
                continue
            place = (row["input"], row["input_split"])
            if place not in self._opened:
                self._opened[place] = open_split(self._deal.inputs[row["input"]].store, row["input_split"])
            yield rename(self._opened[place].encoded(row["input_index"]), row["key"])


def rename(encoded: EncodedSample, key: str) -> EncodedSample:
    """Return a sample under another key; only its metadata changes, which names the key as well."""
    if encoded.row["key"] == key:
        return encoded
    info = decode_info(encoded.members["json"], where=encoded.row["key"])
    members = encoded.members | {"json": encode_info(replace(info, key=key))}
    return EncodedSample(members=members, row=encoded.row | {"key": key, "members_sha256": digest_members(members)})


def _shards(deal: Deal) -> Iterator[tuple[ShardName, pa.Table]]:
    splits, shards = deal.table.column("split"), deal.table.column("shard")
    for split in splits.unique().to_pylist():
        of_split = deal.table.filter(pc.equal(splits, split))
        ends = pc.run_end_encode(shards.filter(pc.equal(splits, split)).combine_chunks()).run_ends.to_pylist()
        for first, (index, end) in zip([0, *ends], enumerate(ends), strict=False):
            yield ShardName(corpus=deal.name, split=split, index=index), of_split.slice(first, end - first)
