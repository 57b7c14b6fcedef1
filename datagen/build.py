"""From a config to a finished corpus: plan, shards, manifest.

A shard is the unit of work and a pure function of the plan, so any number of workers gives the same bytes, and a
build that was killed goes on where the last committed shard ended.
"""

import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from datagen import plan as plans
from datagen.config import SPLITS, CorpusConfig
from datagen.plan import Plan, Shard
from datagen.render import adopt, synthesize
from pipeline.base.config import to_table, to_toml
from pipeline.base.errors import PictureError, StorageError, UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.formats.sample import Sample
from pipeline.formats.shards import Rejection, ShardRecord, read_record, write_manifest, write_shard


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSummary:
    """What a build made."""

    out: str
    num_samples: int
    num_shards: int
    num_skipped_shards: int
    """Shards that an earlier run had finished."""
    rejected: dict[str, int]
    """Refused sources and samples, by reason."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """What a build would make."""

    num_samples: dict[str, int]
    num_shards: dict[str, int]
    num_photos: dict[str, int]
    num_captured: dict[str, int]
    rejected: dict[str, int]
    pixels: int
    """Expected number of synthesized pixels."""
    plan_sha256: str


def describe(config: CorpusConfig) -> PlanSummary:
    """Return what `run` would do; writes nothing. Raises: UsageError, ConfigError."""
    plan = plans.make(config)
    shards = plan.shards()
    return PlanSummary(
        num_samples={split: plan.num_samples(split) for split in SPLITS},
        num_shards={split: sum(shard.name.split == split for shard in shards) for split in SPLITS},
        num_photos={split: len(plan.photos(split)) for split in SPLITS},
        num_captured={split: len(plan.screens(split)) for split in SPLITS},
        rejected=dict(Counter(refused.reason for refused in plan.refused)),
        pixels=_mean_pixels(config) * config.num_samples.total,
        plan_sha256=plans.digest(plan),
    )


def run(config: CorpusConfig, out: str, *, workers: int, progress: Progress) -> BuildSummary:
    """Make the corpus `config` describes in the folder `out`, or go on with it if it was begun.

    `workers` = 1 works in this process; more start that many processes.
    Raises: UsageError: `out` holds something else, or another build is at work; StorageError: the disk is full.
    """
    started = time.monotonic()
    plan = plans.make(config)
    store = Store(out)
    with store.sole_writer():
        plan_sha256 = _begin(store, plan)
        for refused in plan.refused:
            progress.reject(refused.reason)
        shards = plan.shards()
        progress.total(sum(shard.num_samples for shard in shards) + len(plan.refused))
        records = {shard.name.stem: _done(store, shard, plan_sha256) for shard in shards}
        skipped = [record for record in records.values() if record is not None]
        for record in skipped:
            _count(record, progress)
        for record in _work(store, [shard for shard in shards if records[shard.name.stem] is None], workers):
            records[record.stem] = record
            _count(record, progress)
        finished = [record for record in records.values() if record is not None]
        manifest = write_manifest(store, finished, config=to_table(config), versions=plan.versions)
    return BuildSummary(
        out=out,
        num_samples=sum(record.num_samples for record in finished),
        num_shards=len(finished),
        num_skipped_shards=len(skipped),
        rejected=dict(Counter(refused.reason for refused in plan.refused) + Counter(manifest["rejected"])),
        seconds=time.monotonic() - started,
    )


def _mean_pixels(config: CorpusConfig) -> int:
    sizes = config.screens()
    return sum(width * height for width, height in sizes) // len(sizes)


def make_shard(store: Store, plan: Plan, shard: Shard, plan_sha256: str) -> ShardRecord:
    """Draw, label and write one shard. Raises: StorageError."""
    return write_shard(
        store,
        shard.name,
        _samples(plan, shard),
        plan_sha256=plan_sha256,
        compress_level=plan.config.png_compress_level,
    )


def _samples(plan: Plan, shard: Shard) -> Iterator[Sample | Rejection]:
    split = shard.name.split
    photos, screens = plan.photos(split), plan.screens(split)
    num_synthesized = plan.config.num_samples.of(split)
    for index in range(shard.first, shard.first + shard.num_samples):
        key = f"{split}-{index:06d}"
        try:
            if index < num_synthesized:
                yield synthesize(plan.config, photos, key, plan.versions)
            else:
                yield adopt(plan.config, screens[index - num_synthesized], key, plan.versions)
        except PictureError as error:
            yield Rejection(key=key, reason=error.reason, message=str(error))


def _begin(store: Store, plan: Plan) -> str:
    """Write the plan, or check that the one in the folder is the same; return its digest."""
    wanted = plans.digest(plan)
    if store.exists(plans.PLAN):
        _, found = plans.read(store)
        if found != wanted:
            raise UsageError(
                f"{store.where(plans.PLAN)}: this folder holds another corpus (plan {found[:9]}, not {wanted[:9]}); "
                "config, sources or versions differ; choose another folder"
            )
        # Only now is it known that the folder is ours, and the lock says that nobody is writing.
        store.sweep()
        return found
    strangers = set(store.names()) - {plans.SOURCES, plans.CONFIG}
    if strangers:
        raise UsageError(f"{store.url}: not empty ({min(strangers)}) and not a corpus; choose another folder")
    store.write_bytes(plans.CONFIG, to_toml(plan.config).encode())
    return plans.write(store, plan)


def _done(store: Store, shard: Shard, plan_sha256: str) -> ShardRecord | None:
    record = read_record(store, shard.name.stem)
    return record if record is not None and record.plan_sha256 == plan_sha256 else None


def _count(record: ShardRecord, progress: Progress) -> None:
    progress.advance(record.num_samples)
    for rejection in record.rejected:
        progress.reject(rejection.reason)


def _work(store: Store, shards: list[Shard], workers: int) -> Iterator[ShardRecord]:
    if workers == 1 or len(shards) <= 1:
        plan, plan_sha256 = plans.read(store) if shards else (None, "")
        for shard in shards:
            assert plan is not None
            yield make_shard(store, plan, shard, plan_sha256)
        return
    pool = ProcessPoolExecutor(
        max_workers=min(workers, len(shards)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(store.url,),
    )
    try:
        for future in as_completed([pool.submit(_make_in_worker, shard) for shard in shards]):
            yield future.result()
    except BrokenProcessPool as error:
        raise StorageError(
            f"{store.url}: a worker process was killed (out of memory?); run the same command to go on"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


_worker: dict[str, tuple[Store, Plan, str]] = {}
"""A worker process's plan, read once when it starts."""


def _start_worker(url: str) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    store = Store(url)
    _worker["plan"] = (store, *plans.read(store))


def _end_with_parent() -> None:
    # A parent that was killed cannot stop its workers; an orphan would go on writing beside the run that resumes.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_in_worker(shard: Shard) -> ShardRecord:
    store, plan, plan_sha256 = _worker["plan"]
    return make_shard(store, plan, shard, plan_sha256)
