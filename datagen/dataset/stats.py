"""What a corpus holds, counted from its side-cars alone: no tar is opened.

Side-cars are read as a stream; memory grows with what is distinct (scenes, sizes, sources), not with samples.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from datagen.dataset.listing import ShardRow, read_shard_table, read_sources, sidecars
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.formats.encoded import CLASSES, COLUMN, SIDECAR_SCHEMA
from pipeline.formats.sample import Source
from pipeline.formats.shards import read_manifest

LABELS = ("synthetic", "natural", "ignore")
MOST_CLASSES = 40
"""How many of the commonest are listed for people: there may be thousands."""
DECILES = tuple(range(0, 101, 10))

_RENDERERS = {"compositor": "raster", "differential": "browser"}
"""Who drew a sample shows in how it was labelled; all others are pictures of screens."""
_STEPS = 100_000
"""Shares are counted in steps of 0.001 %, so that quantiles need no list of all samples."""
_BYTES = tuple(f"{name}_size" for name in COLUMN.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """How much of a corpus has one value of something."""

    name: str
    num_samples: int
    share: float
    """Of all samples, 0..1."""
    megapixels: float
    num_bytes: int
    """Of the members, without tar headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a quantity is spread over the samples: its mean and its deciles."""

    name: str
    mean: float
    deciles: tuple[float, ...]
    """Smallest value, 10 % to 90 %, largest value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceGroup:
    """Sources of one kind and licence."""

    kind: str
    licence: str
    num_sources: int
    """Distinct ones that samples show."""
    num_uses: int
    """Over all samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What a corpus holds."""

    corpus: str
    num_samples: int
    num_shards: int
    tar_bytes: int
    megapixels: float
    num_sources: int
    """Distinct sources that samples show."""
    rejected: dict[str, int]
    """Samples that were planned and could not be made, by reason."""
    redrawn: dict[str, int]
    """Drawings that were refused and made again, by reason; nothing is missing for them."""
    splits: tuple[Group, ...]
    scenes: tuple[Group, ...]
    renderers: tuple[Group, ...]
    sizes: tuple[Group, ...]
    how_labelled: tuple[Group, ...]
    how_masked: tuple[Group, ...]
    """By the engine that made the regions, and its parameters."""
    classes: tuple[Group, ...]
    """By what samples show, where any has class names; those without count under their scene. Shares may add up to more
    than 1: a sample may show several."""
    classed_splits: tuple[str, ...]
    """Splits whose side-cars all have the column of classes: readers that know one schema a split need it in each."""
    pixel_shares: dict[str, float]
    """Of all pixels, by class, 0..1."""
    spreads: tuple[Spread, ...]
    """Label shares (0..1), regions and bytes a sample."""
    sources: tuple[SourceGroup, ...]


def measure(store: Store, *, progress: Progress) -> Statistics:
    """Count what a finished corpus holds. Raises: ShardError: it is not finished, or a side-car is damaged."""
    manifest, shards = read_manifest(store), read_shard_table(store)
    progress.total(sum(shard.num_samples for shard in shards))
    counts = _Counts()
    for shard, table in sidecars(store, shards):
        counts.add(shard, table)
        progress.advance(len(table))
    rows = {name: _groups(counter, counts.total) for name, counter in counts.groups.items()}
    return Statistics(
        corpus=store.url,
        num_samples=int(counts.total[0]),
        num_shards=len(shards),
        tar_bytes=sum(shard.tar_bytes for shard in shards),
        megapixels=round(float(counts.total[1]) / 1e6, 3),
        num_sources=len(counts.sources),
        rejected=_by_count(manifest.get("rejected", {})),
        redrawn=_by_count(manifest.get("redrawn", {})),
        pixel_shares=counts.pixel_shares(),
        spreads=counts.spreads(),
        sources=source_groups(counts.sources, read_sources(store)),
        classes=_groups(counts.classes(), counts.total),
        classed_splits=tuple(dict.fromkeys(s.split for s in shards if s.split not in counts.plain_splits)),
        **rows,
    )


def write_rows(store: Store, path: Path, *, progress: Progress) -> int:
    """Write all side-cars as one parquet file with the columns `split` and `stem` before theirs; return its rows.

    Raises: ShardError, StorageError.
    """
    shards = read_shard_table(store)
    progress.total(sum(shard.num_samples for shard in shards))
    schema = pa.schema([("split", pa.string()), ("stem", pa.string()), *SIDECAR_SCHEMA, CLASSES])
    num_rows = 0
    with (
        Store(path.parent).writing(path.name) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for shard, table in sidecars(store, shards):
            named = [pa.array([value] * len(table), pa.string()) for value in (shard.split, shard.stem)]
            writer.write_table(pa.Table.from_arrays([*named, *table.columns], schema=schema))
            num_rows += len(table)
            progress.advance(len(table))
    return num_rows


def source_groups(uses: Mapping[str, int], sources: Mapping[str, Source]) -> tuple[SourceGroup, ...]:
    """Group used sources (uses by digest) by kind and licence; those no table names are `unknown`."""
    groups: dict[tuple[str, str], list[int]] = {}
    for digest, count in uses.items():
        source = sources.get(digest)
        name = (source.kind, source.licence) if source is not None else ("unknown", "unknown")
        groups.setdefault(name, []).append(count)
    return tuple(
        SourceGroup(kind=kind, licence=licence, num_sources=len(counts), num_uses=sum(counts))
        for (kind, licence), counts in sorted(groups.items())
    )


@dataclass(slots=True)
class _Histogram:
    """Counts of whole numbers; `scale` of them make 1."""

    scale: int = 1
    counts: Counter[int] = field(default_factory=Counter)
    total: float = 0.0

    def add(self, values: NDArray[np.float64]) -> None:
        numbers, counts = np.unique(np.rint(values * self.scale).astype(np.int64), return_counts=True)
        self.counts.update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
        self.total += float(values.sum())

    def spread(self, name: str) -> Spread:
        if not self.counts:
            return Spread(name=name, mean=0.0, deciles=())
        values = np.array(sorted(self.counts))
        up_to = np.cumsum([self.counts[value] for value in values.tolist()])
        # The smallest value that at least that share of the samples does not exceed.
        ranks = np.maximum(np.ceil(np.array(DECILES) / 100 * up_to[-1]), 1)
        deciles = values[np.searchsorted(up_to, ranks)] / self.scale
        return Spread(name=name, mean=round(self.total / int(up_to[-1]), 6), deciles=tuple(deciles.tolist()))


class _Counts:
    """Adds up side-cars; every value is (samples, pixels, bytes)."""

    def __init__(self) -> None:
        self.total = np.zeros(3, dtype=np.int64)
        names = ("splits", "scenes", "renderers", "sizes", "how_labelled", "how_masked")
        self.groups: dict[str, dict[str, NDArray[np.int64]]] = {name: {} for name in names}
        self.sources: Counter[str] = Counter()
        self.plain_splits: set[str] = set()
        """With a side-car that names no class."""
        self._named: dict[str, NDArray[np.int64]] = {}
        self._nameless: dict[str, NDArray[np.int64]] = {}
        self._class_pixels = np.zeros(len(LABELS))
        self._shares = {name: _Histogram(scale=_STEPS) for name in LABELS}
        self._regions, self._bytes = _Histogram(), _Histogram()

    def add(self, shard: ShardRow, table: pa.Table) -> None:
        """Count one side-car."""
        if not pc.any(pc.greater(pc.list_value_length(table.column(CLASSES.name)), 0)).as_py():
            self.plain_splits.add(shard.split)
        if not len(table):
            return
        width, height = (table.column(name).to_numpy().astype(np.int64) for name in ("width", "height"))
        pixels = width * height
        num_bytes = np.sum([table.column(name).to_numpy() for name in _BYTES], axis=0)
        amounts = np.stack([np.ones_like(pixels), pixels, num_bytes])
        self.total += amounts.sum(axis=1)
        labelled = np.asarray(table.column("how_labelled").to_pylist())
        self._group("splits", np.full(len(table), shard.split), amounts)
        kinds = np.asarray(table.column("kind").to_pylist())
        self._group("scenes", kinds, amounts)
        self._add_classes(table.column(CLASSES.name).combine_chunks(), kinds, amounts)
        self._group("renderers", np.asarray([_RENDERERS.get(name, "capture") for name in labelled]), amounts)
        self._group("sizes", np.asarray([f"{w}x{h}" for w, h in zip(width, height, strict=True)]), amounts)
        self._group("how_labelled", labelled, amounts)
        self._group("how_masked", np.asarray(table.column("how_masked").to_pylist()), amounts)
        for place, name in enumerate(LABELS):
            shares = table.column(f"{name}_fraction").to_numpy()
            self._shares[name].add(shares)
            self._class_pixels[place] += float(shares @ pixels)
        self._regions.add(table.column("num_regions").to_numpy().astype(np.float64))
        self._bytes.add(num_bytes.astype(np.float64))
        used = pc.value_counts(table.column("sources").combine_chunks().flatten())
        self.sources.update({row["values"]: row["counts"] for row in used.to_pylist()})

    def _add_classes(self, shown: pa.ListArray, kinds: NDArray[np.str_], amounts: NDArray[np.int64]) -> None:
        num_names = pc.fill_null(pc.list_value_length(shown), 0).to_numpy(zero_copy_only=False)
        names = np.asarray(shown.flatten().to_pylist(), dtype=np.str_)
        _add_up(self._named, names, np.repeat(amounts, num_names, axis=1))
        _add_up(self._nameless, kinds[num_names == 0], amounts[:, num_names == 0])

    def classes(self) -> dict[str, NDArray[np.int64]]:
        """Return the amounts by what samples show; none if no sample has a class name."""
        if not self._named:
            return {}
        nothing = np.zeros(3, dtype=np.int64)
        return {
            name: self._named.get(name, nothing) + self._nameless.get(name, nothing)
            for name in {*self._named, *self._nameless}
        }

    def pixel_shares(self) -> dict[str, float]:
        """Return the share of all pixels of each label."""
        pixels = max(int(self.total[1]), 1)
        return {name: round(float(n) / pixels, 6) for name, n in zip(LABELS, self._class_pixels, strict=True)}

    def spreads(self) -> tuple[Spread, ...]:
        """Return how label shares, regions and bytes are spread over the samples."""
        shares = [self._shares[name].spread(f"{name} share") for name in LABELS]
        return (*shares, self._regions.spread("regions"), self._bytes.spread("bytes"))

    def _group(self, what: str, names: NDArray[np.str_], amounts: NDArray[np.int64]) -> None:
        _add_up(self.groups[what], names, amounts)


def _add_up(group: dict[str, NDArray[np.int64]], names: NDArray[np.str_], amounts: NDArray[np.int64]) -> None:
    """Add amounts (3, N) to those of their names (N,)."""
    distinct, inverse = np.unique(names, return_inverse=True)
    for place, name in enumerate(distinct.tolist()):
        found = amounts[:, inverse == place].sum(axis=1)
        group[name] = group.get(name, np.zeros(3, dtype=np.int64)) + found


def _groups(counts: Mapping[str, NDArray[np.int64]], total: NDArray[np.int64]) -> tuple[Group, ...]:
    """Return groups, the largest first."""
    return tuple(
        Group(
            name=name,
            num_samples=int(samples),
            share=round(float(samples / total[0]), 6),
            megapixels=round(float(pixels) / 1e6, 3),
            num_bytes=int(num_bytes),
        )
        for name, (samples, pixels, num_bytes) in sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))
    )


def _by_count(counts: Mapping[str, Any]) -> dict[str, int]:
    pairs: Iterable[tuple[str, int]] = ((str(reason), int(count)) for reason, count in counts.items())
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
