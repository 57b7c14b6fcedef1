"""A corpus whose region maps are made anew by another engine; pictures and labels keep their bytes."""

import logging
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any

from datagen.build import Workers
from datagen.derived import REMASKED, Derivation, begin, committed, done, name_of
from datagen.engines import stoppable
from datagen.masks import RegionMap, resolve, said, segment, segmenter
from datagen.masks_config import MaskEngine, MasksConfig
from pipeline.base.config import to_table
from pipeline.base.errors import StorageError, UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_shard
from pipeline.formats.encoded import EncodedSample, digest_members
from pipeline.formats.picture import Pixels
from pipeline.formats.png import encode_png
from pipeline.formats.sample import REGION_DETAILS, count_regions, decode_info, decode_plane, encode_info
from pipeline.formats.shards import Rejection, ShardRecord, write_manifest, write_shard

_PNG_LEVEL = 2
NONE, LAYOUT = "none", "layout"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MasksSummary:
    """What was masked."""

    out: str
    num_samples: int
    num_masked: int
    """Samples whose regions were made now, or by an earlier run of the same command."""
    num_kept: int
    """Samples that keep the regions they had."""
    num_without_layout: int
    """Of these, samples for which `layout` was asked and nothing was drawn."""
    engines: dict[str, int]
    """Samples by the engine that made their regions."""
    num_skipped_shards: int
    """Shards that an earlier run had finished."""
    rejected: dict[str, int]
    """What the corpus had refused before."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MasksPlan:
    """What would be masked."""

    num_samples: int
    engine: str
    """Which engine is used for what."""
    engines: dict[str, int]
    """Samples by the engine that is going to make their regions; `kept`: those that have them from it."""
    expected_seconds: float | None
    """Of all samples, on this machine, measured on the first; None: a matter of minutes for thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One shard of a corpus, for any process to mask."""

    source: str
    out: str
    stem: str
    config: MasksConfig
    plan_sha256: str


def describe(corpus: str, config: MasksConfig) -> MasksPlan:
    """Return what `run` would do; writes nothing. Raises: as `run`."""
    splits = _derivation(corpus, config).splits()
    engines: Counter[str] = Counter()
    shape: tuple[int, int] | None = None
    for row in _rows(splits):
        engine = _engine(config, row["how_masked"])
        engines["kept" if engine is None else engine] += 1
        if engine == "sam" and shape is None:
            shape = (row["height"], row["width"])
    expected = None if shape is None else engines["sam"] * segmenter(config).expected_seconds(shape)
    return MasksPlan(
        num_samples=engines.total(),
        engine=said(config),
        engines=dict(engines),
        expected_seconds=None if expected is None else round(expected, 1),
    )


def run(
    corpus: str,
    out: str,
    *,
    config: MasksConfig,
    workers: Workers | int,
    progress: Progress,
    say: Callable[[str], None] = logger.info,
) -> MasksSummary:
    """Write the corpus `corpus` to the folder `out` with new region maps; goes on where it was stopped.

    Splits, keys, pictures and labels stay; the same bytes with any number of workers. `say` is told which engine is
    used for what, and how long it will take if that may be long, before anything is made. Raises: UsageError: `out`
    holds something else; ShardError: the corpus is damaged; CheckpointError, MissingDependency: `sam` cannot start.
    """
    started = time.monotonic()
    crew = Workers(num_workers=workers) if isinstance(workers, int) else workers
    derivation, store = _derivation(corpus, config), Store(out)
    if store.absolute_url == derivation.source.absolute_url:
        raise UsageError(f"{out}: is the corpus itself; choose another folder")
    splits = derivation.splits()
    progress.total(sum(split.num_samples for split in splits))
    stems = [stem for split in splits for stem in split.stems]
    with store.sole_writer():
        plan_sha256 = begin(store, derivation)
        records = {stem: record for stem in stems if (record := done(store, stem, plan_sha256)) is not None}
        num_skipped = len(records)
        for record in records.values():
            progress.advance(record.num_samples)
        tasks = [
            Task(
                source=derivation.source.absolute_url,
                out=store.absolute_url,
                stem=stem,
                config=config,
                plan_sha256=plan_sha256,
            )
            for stem in stems
            if stem not in records
        ]
        say(f"region maps: {said(config)}")
        if tasks and crew.engine == "local":
            _say_how_long(splits, {task.stem for task in tasks}, config, say)
        try:
            for record in _carried_out(tasks, crew):
                records[record.stem] = record
                progress.advance(record.num_samples)
        except KeyboardInterrupt:
            store.sweep()
            raise
        store.sweep()
        ordered = [records[stem] for stem in stems]
        manifest = write_manifest(store, ordered, config=derivation.config(), versions=derivation.all_versions())
    return _summary(store, splits, config, manifest, num_skipped=num_skipped, seconds=time.monotonic() - started)


def _say_how_long(
    splits: Sequence[CorpusSplit], stems: set[str], config: MasksConfig, say: Callable[[str], None]
) -> None:
    left = [row for row in _rows(splits) if row["tar"].removesuffix(".tar") in stems]
    left = [row for row in left if _engine(config, row["how_masked"]) == "sam"]
    if left:
        seconds = segmenter(config).expected_seconds((left[0]["height"], left[0]["width"]))
        say(f"{len(left)} pictures, about {seconds:.1f} s each on one worker here, {len(left) * seconds / 60:.0f} min")


def mask_shard(task: Task) -> ShardRecord:
    """Write one shard with new region maps. Raises: ShardError, StorageError, CheckpointError."""
    source = Store(task.source)
    split = open_shard(source, committed(source, task.stem))
    items = _masked(split, task.config)
    return write_shard(Store(task.out), name_of(task.stem), items, plan_sha256=task.plan_sha256)


def _masked(split: CorpusSplit, config: MasksConfig) -> Iterator[EncodedSample | Rejection]:
    """Give the samples of a shard in their order, and what had been refused for it."""
    yield from committed(split.store, split.stems[0]).rejected
    made = {engine: _Maps(split, config, engine) for engine in ("sam", "felzenszwalb")}
    for index in range(split.num_samples):
        encoded = split.encoded(index)
        engine = _engine(config, encoded.row["how_masked"])
        yield encoded if engine is None else with_regions(encoded, made[engine].of(index))


class _Maps:
    """The region maps that one engine makes of a shard's samples, a batch ahead of what is asked for."""

    def __init__(self, split: CorpusSplit, config: MasksConfig, engine: MaskEngine) -> None:
        self._split = split
        self._config = config
        self._maps = segment(config, engine, self._pictures(engine))
        self._indices = iter(self._chosen(engine))

    def of(self, index: int) -> RegionMap:
        """Return the map of sample `index`; samples are asked for in their order."""
        assert next(self._indices) == index
        return next(self._maps)

    def _chosen(self, engine: MaskEngine) -> list[int]:
        rows = (self._split.row(index) for index in range(self._split.num_samples))
        return [index for index, row in enumerate(rows) if _engine(self._config, row["how_masked"]) == engine]

    def _pictures(self, engine: MaskEngine) -> Iterator[Pixels]:
        for index in self._chosen(engine):
            yield decode_plane(self._split.members(index, ("png",))["png"])


def with_regions(encoded: EncodedSample, made: RegionMap) -> EncodedSample:
    """Return a sample with another region map; the other members keep their bytes."""
    info = decode_info(encoded.members["json"], where=encoded.row["key"])
    details = {name: value for name, value in info.details.items() if name != REGION_DETAILS}
    if made.quality:
        details[REGION_DETAILS] = made.quality
    members = encoded.members | {
        "regions.png": encode_png(made.regions, compress_level=_PNG_LEVEL),
        "json": encode_info(replace(info, how_masked=made.how_masked, details=details)),
    }
    row = encoded.row | {
        "how_masked": made.how_masked,
        "num_regions": count_regions(made.regions),
        "members_sha256": digest_members(members),
    }
    return EncodedSample(members=members, row=row)


def _engine(config: MasksConfig, how_masked: str) -> MaskEngine | None:
    """Return the engine that is to make a sample's regions; None: it keeps those it has."""
    engine = resolve(config, drawn=how_masked == LAYOUT)
    if engine == LAYOUT:
        return None
    if engine == NONE:
        raise UsageError("masks: engine 'none' makes no regions; choose sam, felzenszwalb or layout")
    return engine


def _derivation(corpus: str, config: MasksConfig) -> Derivation:
    settings = to_table(replace(config, sam_checkpoint=None, engine="auto"))
    versions: dict[str, str] = {}
    if resolve(config, drawn=True) == "sam":
        versions["sam_checkpoint_sha256"] = segmenter(config).digest
    settings["engine"] = config.engine if config.engine != "auto" or not versions else "sam"
    return Derivation(format=REMASKED, source=Store(corpus), settings={"masks": settings}, versions=versions)


def _carried_out(tasks: Sequence[Task], crew: Workers) -> Iterator[ShardRecord]:
    if crew.engine == "ray":
        # Imported here: only this engine needs it, and Ray takes seconds.
        from datagen import on_ray

        yield from on_ray.masked(tasks, workers=crew.num_workers, address=crew.address)
    elif crew.num_workers == 1 or len(tasks) <= 1:
        yield from map(mask_shard, tasks)
    else:
        yield from _by_processes(tasks, min(crew.num_workers, len(tasks)))


def _by_processes(tasks: Sequence[Task], workers: int) -> Iterator[ShardRecord]:
    # Not forked: a process that holds a network has threads.
    context = multiprocessing.get_context("spawn")
    try:
        with stoppable(ProcessPoolExecutor(max_workers=workers, mp_context=context)) as pool:
            for future in as_completed([pool.submit(mask_shard, task) for task in tasks]):
                yield future.result()
    except BrokenProcessPool as error:
        raise StorageError("a worker process was killed (out of memory?); the same command goes on") from error


def _rows(splits: Sequence[CorpusSplit]) -> Iterator[dict[str, Any]]:
    for split in splits:
        for index in range(split.num_samples):
            yield split.row(index)


def _summary(
    store: Store,
    splits: Sequence[CorpusSplit],
    config: MasksConfig,
    manifest: dict[str, Any],
    *,
    num_skipped: int,
    seconds: float,
) -> MasksSummary:
    kept = [row["how_masked"] for row in _rows(splits) if _engine(config, row["how_masked"]) is None]
    after = Derivation(format=REMASKED, source=store, settings={}, versions={}).splits()
    engines = Counter(row["how_masked"].partition(" ")[0] for row in _rows(after))
    return MasksSummary(
        out=store.url,
        num_samples=engines.total(),
        num_masked=engines.total() - len(kept),
        num_kept=len(kept),
        num_without_layout=sum(how != LAYOUT for how in kept),
        engines=dict(engines),
        num_skipped_shards=num_skipped,
        rejected=manifest["rejected"],
        seconds=round(seconds, 2),
    )
