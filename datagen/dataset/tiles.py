"""Pictures cut into tiles: a corpus whose samples are as large as a training crop, so that reading one decodes no more.

Splits and shards are those of the corpus that is cut; a tile keeps its picture's sources, classes, scene and metadata,
and says where it lay (`details.tile`). Pixels and maps are not changed. H, W size of a picture.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np

from datagen.derived import TILED, Derivation, begin, committed, done, name_of
from datagen.region_map import dense
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit
from pipeline.formats.encoded import EncodedSample, encode
from pipeline.formats.sample import MAX_KEY_BYTES, REGION_DETAILS, Sample
from pipeline.formats.shards import Rejection, ShardRecord, write_manifest, write_shard


@dataclass(frozen=True, slots=True, kw_only=True)
class TilesConfig:
    """How pictures are cut."""

    side: int = 256
    """Of the square tiles, in pixels; a picture that is smaller gives smaller ones."""
    stride: int = 0
    """Pixels from one tile to the next; below `side` they overlap. 0: `side`."""
    compress_level: int = 6
    """Of the PNG files, 0..9."""

    def __post_init__(self) -> None:
        if self.side < 16 or not 0 <= self.stride <= self.side or not 0 <= self.compress_level <= 9:
            raise UsageError(
                f"tiles need side >= 16, stride 0..side, compress level 0..9; got {self.side}, {self.stride}, "
                f"{self.compress_level}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TilesSummary:
    """What was cut."""

    out: str
    num_pictures: int
    num_tiles: dict[str, int]
    """By split."""
    num_bytes: int
    """Of the tars."""
    num_source_bytes: int
    """Of the tars that were cut."""
    num_skipped_shards: int
    """Shards that an earlier run had finished."""
    seconds: float


def run(corpus: str, out: str, config: TilesConfig, *, progress: Progress) -> TilesSummary:
    """Write the tiles of the corpus `corpus` to the folder `out`; goes on where it was stopped, same tiles, same bytes.

    Raises: UsageError: `out` holds something else, or a key is too long; ShardError: the corpus is damaged.
    """
    started = time.monotonic()
    store, source = Store(out), Store(corpus)
    opened = Derivation(format=TILED, source=source, settings={}, versions={}).splits()
    planned = {stem: _count(split, number, config) for split in opened for number, stem in enumerate(split.stems)}
    derivation = Derivation(
        format=TILED, source=source, settings={"tiles": asdict(config)}, versions={}, num_samples=planned
    )
    progress.total(sum(planned.values()))
    records: list[ShardRecord] = []
    num_skipped = 0
    with store.sole_writer():
        plan_sha256 = begin(store, derivation)
        for split in opened:
            for number, stem in enumerate(split.stems):
                record = done(store, stem, plan_sha256)
                num_skipped += record is not None
                if record is None:
                    tiles = _tiles(split, number, config)
                    record = write_shard(store, name_of(stem), tiles, plan_sha256=plan_sha256)
                records.append(record)
                progress.advance(record.num_samples)
        written = write_manifest(store, records, config=derivation.config(), versions=derivation.all_versions())
    return TilesSummary(
        out=out,
        num_pictures=sum(split.num_samples for split in opened),
        num_tiles={name: counts["num_samples"] for name, counts in written["splits"].items()},
        num_bytes=sum(record.tar_bytes for record in records),
        num_source_bytes=sum(committed(source, stem).tar_bytes for stem in planned),
        num_skipped_shards=num_skipped,
        seconds=time.monotonic() - started,
    )


def starts(length: int, side: int, stride: int) -> list[int]:
    """Return where tiles start along a picture's side of `length` pixels; the last one ends where the picture does."""
    last = max(0, length - side)
    found = list(range(0, last + 1, stride or side))
    return found if found[-1] == last else [*found, last]


def cut_tile(sample: Sample, top: int, left: int, side: int) -> Sample:
    """Return one tile of a picture, its region ids dense from 1 again. Raises: UsageError: its key is too long."""
    rows, columns = slice(top, top + side), slice(left, left + side)
    label = np.ascontiguousarray(sample.label[rows, columns])
    regions, old_ids = dense(sample.regions[rows, columns])
    info = sample.info
    key = f"{info.key}-y{top}-x{left}"
    if len(key.encode()) > MAX_KEY_BYTES:
        raise UsageError(f"{key}: too long a key for a tile; shorten the corpus's keys (dataset merge --name)")
    details = dict(info.details)
    if REGION_DETAILS in details:
        details[REGION_DETAILS] = {
            name: [values[old - 1] for old in old_ids.tolist()] for name, values in details[REGION_DETAILS].items()
        }
    details["tile"] = {"of": info.key, "top": top, "left": left}
    return Sample(
        # The hash is the whole picture's.
        info=replace(info, key=key, width=label.shape[1], height=label.shape[0], perceptual_hash="", details=details),
        picture=np.ascontiguousarray(sample.picture[rows, columns]),
        label=label,
        regions=regions,
    )


def _places(height: int, width: int, config: TilesConfig) -> list[tuple[int, int]]:
    return [
        (top, left)
        for top in starts(height, config.side, config.stride)
        for left in starts(width, config.side, config.stride)
    ]


def _count(split: CorpusSplit, number: int, config: TilesConfig) -> int:
    """Return how many tiles and earlier refusals shard `number` of a split gives."""
    rows = map(split.row, range(int(split.first_index[number]), int(split.first_index[number + 1])))
    rejected = committed(split.store, split.stems[number]).rejected
    return len(rejected) + sum(len(_places(row["height"], row["width"], config)) for row in rows)


def _tiles(split: CorpusSplit, number: int, config: TilesConfig) -> Iterator[EncodedSample | Rejection]:
    """Give the tiles of shard `number` of a split, and what had been refused for it."""
    yield from committed(split.store, split.stems[number]).rejected
    for index in range(int(split.first_index[number]), int(split.first_index[number + 1])):
        sample = split.sample(index)
        for top, left in _places(sample.info.height, sample.info.width, config):
            yield encode(cut_tile(sample, top, left, config.side), compress_level=config.compress_level)
