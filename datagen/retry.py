"""Making again what an earlier run could not: quarantined shards and samples, and nothing else."""

import time

from datagen import plan as plans
from datagen.build import BuildSummary, Workers, finish, work
from datagen.plan import Plan, Shard
from datagen.quality import REASONS
from datagen.quarantine import forget_failure, read_failure
from datagen.work import make_shard, shard_items
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.formats.corpus import open_shard
from pipeline.formats.encoded import EncodedSample
from pipeline.formats.shards import ShardRecord, read_record, write_shard


def run(corpus: str, *, workers: Workers, progress: Progress) -> BuildSummary:
    """Try quarantined shards and samples of a corpus again; every other sample keeps its bytes.

    Samples that were refused for their quality stay refused: the same seeds draw the same screens.
    Raises: UsageError: the folder holds no corpus made by `datagen`, or another build is at work.
    """
    started = time.monotonic()
    store = Store(corpus)
    if not store.exists(plans.PLAN):
        raise UsageError(f"{store.where(plans.PLAN)}: not there; only a corpus made by datagen can be tried again")
    with store.sole_writer():
        store.sweep()
        plan, plan_sha256 = plans.read(store)
        failed = [shard for shard in plan.shards() if read_failure(store, shard, plan_sha256) is not None]
        partly = [shard for shard in plan.shards() if _num_retried(store, shard)]
        progress.total(sum(shard.num_samples for shard in failed + partly))
        for shard in failed:
            forget_failure(store, shard)
        for outcome in work(store, failed, make_shard, plan_sha256, workers):
            progress.advance(outcome.num_samples if isinstance(outcome, ShardRecord) else outcome.shard.num_samples)
        for outcome in work(store, partly, remake_shard, plan_sha256, workers):
            progress.advance(outcome.num_samples if isinstance(outcome, ShardRecord) else outcome.shard.num_samples)
        untouched = len(plan.shards()) - len(failed) - len(partly)
        return finish(store, plan, plan_sha256, num_skipped=untouched, seconds=time.monotonic() - started)


def remake_shard(store: Store, plan: Plan, shard: Shard, plan_sha256: str) -> ShardRecord:
    """Make a shard's missing samples and write it again with the bytes it has of the others."""
    record = read_record(store, shard.name.stem)
    kept = {} if record is None else _kept(store, record)
    items = list(shard_items(store, plan, shard, kept))
    # Without its record the shard counts as not made: a crash from here on costs time, never a shard that lies.
    store.remove(f"{shard.name.stem}.done.json")
    return write_shard(store, shard.name, items, plan_sha256=plan_sha256)


def _num_retried(store: Store, shard: Shard) -> int:
    record = read_record(store, shard.name.stem)
    return 0 if record is None else sum(rejection.reason not in REASONS for rejection in record.rejected)


def _kept(store: Store, record: ShardRecord) -> dict[str, EncodedSample]:
    opened = open_shard(store, record)
    return {opened.row(index)["key"]: opened.encoded(index) for index in range(opened.num_samples)}
