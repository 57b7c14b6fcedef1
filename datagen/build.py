"""From a config to a finished corpus: plan, shards, manifest.

A shard is the unit of work and a pure function of the plan, so any number of workers gives the same bytes, and a
build that was killed goes on where the last committed shard ended.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from datagen import engines, planning
from datagen import plan as plans
from datagen.config import SPLITS, CorpusConfig
from datagen.engines import Failure, Make, Outcome
from datagen.masks import said
from datagen.plan import Plan, Shard
from datagen.quarantine import read_failure, write_failure
from datagen.sources import SEEN, Found, PlannedSource, Seen
from datagen.work import make_sample, make_shard
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.formats.sample import Source
from pipeline.formats.shards import ShardRecord, read_record, write_manifest

__all__ = ["BuildSummary", "PlanSummary", "Workers", "describe", "finish", "make_sample", "make_shard", "run", "work"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Who does the work."""

    engine: Literal["local", "ray"] = "local"
    num_workers: int = 1
    """Processes of this machine; 1 = this process. For `ray` the CPUs of a cluster that has to be started."""
    address: str | None = None
    """Of a running Ray cluster, such as 10.0.0.1:6379."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSummary:
    """What a build made."""

    out: str
    num_samples: int
    num_shards: int
    num_skipped_shards: int
    """Shards that an earlier run had finished."""
    rejected: dict[str, int]
    """Samples that are missing, and captured screens and pages that cannot be used, by reason."""
    refused_sources: dict[str, int]
    """Photographs, texts and source files that cannot be used, and class labels, by reason; nothing is missing."""
    redrawn: dict[str, int]
    """Drawings that were refused and made again from another seed, by reason."""
    region_maps: str
    """Which engine made them, such as `layout (synthesized), felzenszwalb (captured)`."""
    examples: tuple[str, ...]
    """One message for each reason in `rejected` and `refused_sources`; plan.json lists all refused sources."""
    quarantined: tuple[str, ...]
    """Shards that kept failing, with the reason; `diptych dataset retry-failed` tries them again."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """What a build would make."""

    num_samples: dict[str, int]
    num_shards: dict[str, int]
    num_photos: dict[str, int]
    num_captured: dict[str, int]
    num_pages: int
    """Pages found; a build records them and adds one sample of each at each size. Counted as if all could be used."""
    rejected: dict[str, int]
    """Captured screens that cannot be used, by reason."""
    refused_sources: dict[str, int]
    region_maps: str
    """Which engine is going to make them."""
    pixels: int
    """Expected number of synthesized pixels."""
    plan_sha256: str
    """Of the plan that `run` would write; "" with pages, which have to be recorded first."""


def describe(config: CorpusConfig) -> PlanSummary:
    """Return what `run` would do; writes nothing. Raises: UsageError, ConfigError."""
    pages = _expected_pages(config)
    plan = planning.make(config, pages=pages)
    shards = plan.shards()
    return PlanSummary(
        num_samples={split: plan.num_samples(split) for split in SPLITS},
        num_shards={split: sum(shard.name.split == split for shard in shards) for split in SPLITS},
        num_photos={split: len(plan.photos(split)) for split in SPLITS},
        num_captured={split: len(plan.screens(split)) for split in SPLITS},
        num_pages=0 if pages is None else len(pages.sources),
        rejected=dict(_reasons(plan, of_pictures=True)),
        refused_sources=dict(_reasons(plan, of_pictures=False)),
        region_maps=said(config.masks),
        pixels=_mean_pixels(config) * config.num_samples.total,
        plan_sha256=plans.digest(plan) if pages is None else "",
    )


def run(config: CorpusConfig, out: str, *, workers: Workers | int, progress: Progress) -> BuildSummary:
    """Make the corpus `config` describes in the folder `out`, or go on with it if it was begun.

    Shards that were quarantined by an earlier run are left alone. Raises: UsageError: `out` holds something else, or
    another build is at work; StorageError: the disk is full.
    """
    started = time.monotonic()
    crew = Workers(num_workers=workers) if isinstance(workers, int) else workers
    store = Store(out)
    _refuse_strangers(store)
    with store.sole_writer():
        plan = planning.make(
            config, seen=Seen(store), pages=_pages(store, config, progress), progress=_Looking(progress)
        )
        plan_sha256 = _begin(store, plan)
        progress.note("")
        refused = _reasons(plan, of_pictures=True)
        for reason, count in refused.items():
            progress.reject(reason, count)
        shards = plan.shards()
        progress.total(sum(shard.num_samples for shard in shards) + refused.total())
        found = {shard.name.stem: _found(store, shard, plan_sha256) for shard in shards}
        done = {stem: outcome for stem, outcome in found.items() if outcome is not None}
        for outcome in done.values():
            _count(outcome, progress)
        left = [shard for shard in shards if shard.name.stem not in done]
        try:
            for outcome in work(store, left, make_shard, plan_sha256, crew):
                _count(outcome, progress)
        except KeyboardInterrupt:
            # Workers that were stopped have left half a file each.
            store.sweep()
            raise
        return finish(store, plan, plan_sha256, num_skipped=len(done), seconds=time.monotonic() - started)


def work(store: Store, shards: Sequence[Shard], make: Make, plan_sha256: str, crew: Workers) -> Iterator[Outcome]:
    """Make shards with the engine asked for; write what keeps failing to quarantine."""
    for outcome in _engine(store, shards, make, crew):
        if isinstance(outcome, Failure):
            write_failure(store, outcome, plan_sha256)
        yield outcome


def _engine(store: Store, shards: Sequence[Shard], make: Make, crew: Workers) -> Iterator[Outcome]:
    if crew.engine == "ray":
        # Imported here: only this engine needs it, and Ray takes seconds.
        from datagen import on_ray

        return on_ray.cluster(store, shards, make, workers=crew.num_workers, address=crew.address)
    if crew.num_workers == 1 or len(shards) <= 1:
        return engines.in_process(store, shards, make)
    return engines.processes(store, shards, make, workers=min(crew.num_workers, len(shards)))


def finish(store: Store, plan: Plan, plan_sha256: str, *, num_skipped: int, seconds: float) -> BuildSummary:
    """Write the manifest over what is done and sum it up."""
    # Workers that died, or whose node left, may have left half a file.
    store.sweep()
    outcomes = [_found(store, shard, plan_sha256) for shard in plan.shards()]
    records = [outcome for outcome in outcomes if isinstance(outcome, ShardRecord)]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    quarantined = {failure.shard.name.stem: failure.message for failure in failures}
    manifest = write_manifest(
        store, records, config=plans.settings(plan.config), versions=plan.versions, quarantined=quarantined
    )
    return BuildSummary(
        out=store.url,
        num_samples=sum(record.num_samples for record in records),
        num_shards=len(records),
        num_skipped_shards=num_skipped,
        rejected=dict(_reasons(plan, of_pictures=True) + Counter(manifest["rejected"])),
        refused_sources=dict(_reasons(plan, of_pictures=False)),
        redrawn=manifest["redrawn"],
        region_maps=said(plan.config.masks),
        examples=_examples(plan, records),
        quarantined=tuple(quarantined.values()),
        seconds=seconds,
    )


def _examples(plan: Plan, records: Sequence[ShardRecord]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for refused in plan.refused:
        first.setdefault(refused.reason, refused.message)
    for record in records:
        for rejection in record.rejected:
            first.setdefault(rejection.reason, rejection.message)
    return tuple(f"{reason}: {message}" for reason, message in sorted(first.items()))


def _mean_pixels(config: CorpusConfig) -> int:
    sizes = config.screens()
    return sum(width * height for width, height in sizes) // len(sizes)


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
        plans.write_config(store, plan)
        return found
    return plans.write(store, plan)


def _expected_pages(config: CorpusConfig) -> Found | None:
    """Return the pages that a build would record."""
    if config.pages is None:
        return None
    # Imported here: only pages need playwright.
    from datagen.browser.user_pages import find_pages

    sources = (
        Source(kind="page", name=page.name, sha256="", licence="unknown", origin=page.address)
        for page in find_pages(config.pages)
    )
    return Found(sources=tuple(PlannedSource(source=source, split="", path="") for source in sources), refused=())


def _reasons(plan: Plan, *, of_pictures: bool) -> Counter[str]:
    """Return why sources were refused: those that samples were to show, or those that they are made from."""
    return Counter(refused.reason for refused in plan.refused if refused.is_picture == of_pictures)


class _Looking:
    """Shows the search for sources as a note: the bar counts samples."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._num_done = self._num_total = 0

    def total(self, num_items: int) -> None:
        self._num_done, self._num_total = 0, num_items

    def advance(self, num_items: int = 1) -> None:
        self._num_done += num_items
        self._progress.note(f"looked at {self._num_done} of {self._num_total} sources")

    def reject(self, reason: str, num_items: int = 1) -> None:
        """Ignored: refused sources are in the plan, and counted from there."""

    def note(self, text: str) -> None:
        self._progress.note(text)


def _pages(store: Store, config: CorpusConfig, progress: Progress) -> Found | None:
    if config.pages is None:
        return None
    # Imported here: only pages need playwright.
    from datagen import pages

    return pages.gather(store, config, progress)


def _refuse_strangers(store: Store) -> None:
    """Raises: UsageError: the folder holds something that is no corpus. Asked before hours go into photographs."""
    strangers = set(store.names()) - {plans.SOURCES, plans.CONFIG, SEEN}
    if strangers and not store.exists(plans.PLAN):
        raise UsageError(f"{store.url}: not empty ({min(strangers)}) and not a corpus; choose another folder")


def _found(store: Store, shard: Shard, plan_sha256: str) -> Outcome | None:
    """Return what an earlier run left of a shard: its commit record, its quarantine, or None."""
    record = read_record(store, shard.name.stem)
    if record is not None and record.plan_sha256 == plan_sha256 and _is_there(store, record):
        return record
    return read_failure(store, shard, plan_sha256)


def _is_there(store: Store, record: ShardRecord) -> bool:
    """Return whether a committed shard's files are still there; what is in them `dataset check` reads."""
    tar = f"{record.stem}.tar"
    return store.exists(f"{record.stem}.parquet") and store.exists(tar) and store.size(tar) == record.tar_bytes


def _count(outcome: Outcome, progress: Progress) -> None:
    if isinstance(outcome, Failure):
        progress.reject("quarantined", outcome.shard.num_samples)
        return
    progress.advance(outcome.num_samples)
    for rejection in outcome.rejected:
        progress.reject(rejection.reason)
