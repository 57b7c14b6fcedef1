"""Which samples belong together: they show the same source, the same pixels, or nearly the same picture.

A group must not cross splits. Everything is read from the side-cars of one corpus or several; a sample's own metadata
is opened only for a source of which nothing else tells the kind.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from datagen.dataset.listing import read_sources as read_source_table
from datagen.dataset.near import NUM_BYTES, cluster, components
from pipeline.base.errors import ShardError, UsageError
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.sample import Source, decode_info
from pipeline.formats.shards import read_manifest, read_parquet

BUILT_IN = "diptych "
"""Start of the origin of what comes with Diptych: its words, its page templates."""
_COLUMNS = ("key", "pixels_sha256", "perceptual_hash", "how_labelled", "sources")

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the side-cars say of N samples, in the order of corpora, splits and shards."""

    splits: tuple[CorpusSplit, ...]
    """Those of the first corpus, then those of the next."""
    split: Numbers
    """(N,): number of the sample's split in `splits`."""
    index: Numbers
    """(N,): number of the sample in its split."""
    table: pa.Table
    """N rows: key, pixels_sha256, perceptual_hash, how_labelled."""
    digests: tuple[str, ...]
    """SHA-256 of each of the S sources, hexadecimal."""
    link_sample: Numbers
    """(L,): a sample, and in `link_source` a source that it shows; in the order of the samples."""
    link_source: Numbers

    @property
    def num_samples(self) -> int:
        return len(self.split)

    def key(self, sample: int) -> str:
        """Return a sample's key."""
        return str(self.table.column("key")[sample].as_py())

    def metadata(self, sample: int) -> tuple[Source, ...]:
        """Return the sources that a sample's own metadata names. Raises: ShardError."""
        split, index = self.splits[self.split[sample]], int(self.index[sample])
        data = split.members(index, ["json"])["json"]
        return decode_info(data, where=split.where(split.row(index))).sources


def binds(source: Source) -> bool:
    """Return whether all samples that show this source belong into one split.

    Fonts are shared by all. What comes with Diptych is known to whoever trains with it: its words are dealt to the
    splits when a corpus is made, but they hold no samples together.
    """
    return source.kind != "font" and not source.origin.startswith(BUILT_IN)


def read_rows(stores: Sequence[Store]) -> Rows:
    """Read the side-cars of finished corpora. Raises: ShardError; UsageError: they hold no samples."""
    splits = [open_split(store, split) for store in stores for split in read_manifest(store)["splits"]]
    if not any(opened.num_samples for opened in splits):
        raise UsageError(f"{', '.join(store.url for store in stores)}: holds no samples")
    numbers: dict[str, int] = {}
    tables, sources, lengths = [], [], []
    for opened in splits:
        for stem in opened.stems:
            table = read_parquet(opened.store, f"{stem}.parquet", columns=list(_COLUMNS))
            shown = table.column("sources").combine_chunks()
            lengths.append(pc.list_value_length(shown).to_numpy(zero_copy_only=False).astype(np.int64))
            sources.append(_number(shown.flatten(), numbers))
            tables.append(table.drop_columns(["sources"]))
    per_split = [opened.num_samples for opened in splits]
    table = pa.concat_tables(tables)
    if len(table) != sum(per_split):
        where = ", ".join(store.url for store in stores)
        raise ShardError(f"{where}: side-cars hold {len(table)} samples, the shard tables say {sum(per_split)}")
    return Rows(
        splits=tuple(splits),
        split=np.repeat(np.arange(len(splits)), per_split),
        index=np.concatenate([np.arange(count) for count in per_split]),
        table=table,
        digests=tuple(numbers),
        link_sample=np.repeat(np.arange(len(table)), np.concatenate(lengths)),
        link_source=np.concatenate(sources),
    )


def read_sources(rows: Rows) -> tuple[Source, ...]:
    """Return the source behind each of `rows.digests`: from a corpus's table, else from a sample that shows it.

    Raises: ShardError: neither knows it.
    """
    known: dict[str, Source] = {}
    for store in {split.store.url: split.store for split in rows.splits}.values():
        known = read_source_table(store) | known
    links = zip(rows.link_source[::-1].tolist(), rows.link_sample[::-1].tolist(), strict=True)
    first_sample = dict(links)
    for number, digest in enumerate(rows.digests):
        if digest not in known:
            known = {source.sha256: source for source in rows.metadata(first_sample[number])} | known
        if digest not in known:
            where = rows.splits[rows.split[first_sample[number]]].store.url
            raise ShardError(f"{where}: source {digest[:16]}... of a side-car is not in its sample's metadata")
    return tuple(known[digest] for digest in rows.digests)


def group(rows: Rows, sources: Sequence[Source], *, near_bits: int) -> Numbers:
    """Return (N,) group numbers, dense from 0 in the order of each group's first sample.

    Samples whose perceptual hashes differ in fewer than `near_bits` bits are together; 0 looks at sources and equal
    pixels alone.
    """
    binding = np.asarray([binds(source) for source in sources], dtype=bool)
    links = binding[rows.link_source] if len(binding) else np.zeros(0, dtype=bool)
    num_samples, num_sources = rows.num_samples, len(sources)
    # One node a sample, a source, a distinct picture and a cluster of looks; samples meet at the nodes they share.
    everyone = np.arange(num_samples)
    pixels = num_sources + pixel_numbers(rows.table)
    looks = num_sources + num_samples + near_clusters(rows.table, near_bits=near_bits)
    first = np.concatenate([rows.link_sample[links], everyone, everyone])
    second = np.concatenate([rows.link_source[links], pixels, looks])
    return dense(components(3 * num_samples + num_sources, first, num_samples + second)[:num_samples])


def pixel_numbers(table: pa.Table) -> Numbers:
    """Return (N,) numbers below N: equal pixels have equal numbers."""
    codes = table.column("pixels_sha256").combine_chunks().dictionary_encode().indices
    return np.asarray(codes.to_numpy(), dtype=np.int64)


def near_clusters(table: pa.Table, *, near_bits: int) -> Numbers:
    """Return (N,) numbers below N, equal for pictures that look nearly alike; who has no hash is alone."""
    column = table.column("perceptual_hash")
    known = np.flatnonzero(column.is_valid().to_numpy())
    clusters = np.arange(len(table))
    if len(known):
        hashes = np.frombuffer(b"".join(column.drop_null().to_pylist()), dtype=np.uint8).reshape(-1, NUM_BYTES)
        found = cluster(hashes, bits=near_bits)
        _, first, inverse = np.unique(found, return_index=True, return_inverse=True)
        clusters[known] = known[first[inverse]]
    return clusters


def dense(labels: Numbers) -> Numbers:
    """Return labels renumbered from 0 in the order of their first appearance."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse], dtype=np.int64)


def _number(values: pa.Array, numbers: dict[str, int]) -> Numbers:
    """Return the number of each text, new ones numbered on."""
    encoded = values.dictionary_encode()
    mapped = [numbers.setdefault(text, len(numbers)) for text in encoded.dictionary.to_pylist()]
    indices: Numbers = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return np.asarray(np.asarray(mapped, dtype=np.int64)[indices], dtype=np.int64)
