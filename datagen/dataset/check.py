"""Re-reading a whole corpus: every byte is compared with what is said of it, and splits with one another."""

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial

from datagen.dataset.card import stale_files
from datagen.dataset.check_folder import check_folder
from datagen.dataset.check_shard import Facts, check_shard
from datagen.dataset.check_splits import check_splits
from datagen.dataset.findings import KINDS, Finding
from datagen.dataset.listing import ShardRow
from datagen.dataset.origins import PLAN
from datagen.derived import is_tiled
from pipeline.base.errors import FormatError, StorageError, UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckConfig:
    """How thoroughly a corpus is re-read."""

    decode: bool = True
    """Whether pictures and maps are decoded; without it digests, metadata and splits are compared."""
    regenerate: float = 0.0
    """Share of the synthesized samples that are drawn again, 0..1."""
    near_bits: int = 10
    """Pictures of two splits whose perceptual hashes (256 bits) differ in fewer bits are near-duplicates; 0 = none."""
    workers: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.regenerate <= 1 or not 0 <= self.near_bits <= 64 or self.workers < 1:
            raise ValueError("regenerate must be 0..1, near_bits 0..64, workers 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSummary:
    """What a check looked at and found."""

    corpus: str
    num_shards: int
    num_samples: int
    num_bytes: int
    """Of the tars."""
    num_drawn_again: int
    seconds: float
    notes: tuple[str, ...]
    """What is worth knowing and is no damage."""
    counts: dict[str, int]
    """Findings by kind."""
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    facts: Facts
    num_drawn_again: int = 0
    num_expected: int = 0
    findings: tuple[Finding, ...] = ()


def check(store: Store, config: CheckConfig, *, progress: Progress) -> CheckSummary:
    """Re-read a corpus; what is wrong with it is in the summary and raises nothing.

    Raises: UsageError: the folder is not there, or samples are to be drawn again and no plan says how.
    """
    started = time.monotonic()
    if not store.names():
        raise UsageError(f"{store.url}: no such folder, or nothing in it")
    notes, hindered = _versions(store) if config.regenerate else ([], None)
    if hindered is not None:
        config = replace(config, regenerate=0.0)
    listed = check_folder(store)
    progress.total(sum(shard.num_samples for shard in listed.shards))
    results: dict[str, _Result] = {}
    for result in _work(store.url, listed.shards, config):
        results[result.facts.stem] = result
        progress.advance(len(result.facts.keys))
    ordered = [results[shard.stem] for shard in listed.shards]
    findings = [*listed.findings, *([] if hindered is None else [hindered])]
    for result in ordered:
        findings += [*result.facts.findings, *result.findings]
    tiled = is_tiled(store)
    if tiled:
        notes.append("made of tiles: pictures of two splits are compared in the corpus that was cut")
    findings += check_splits(
        [result.facts for result in ordered], near_bits=config.near_bits, compare_pictures=not tiled
    )
    findings += _check_card(store)
    num_expected = sum(result.num_expected for result in ordered)
    if num_expected:
        notes.append(f"{num_expected} samples differ when drawn again, as other versions may make them; no damage")
    counts = Counter(finding.kind for finding in findings)
    for kind, count in counts.items():
        progress.reject(kind, count)
    return CheckSummary(
        corpus=store.url,
        num_shards=len(listed.shards),
        num_samples=sum(len(result.facts.keys) for result in ordered),
        num_bytes=sum(result.facts.num_bytes for result in ordered),
        num_drawn_again=sum(result.num_drawn_again for result in ordered),
        seconds=round(time.monotonic() - started, 2),
        notes=tuple(notes),
        counts={kind: counts[kind] for kind in KINDS if counts[kind]},
        findings=tuple(findings),
    )


def _check_card(store: Store) -> Iterator[Finding]:
    try:
        for name in stale_files(store):
            yield Finding(kind="card", where=name, message="is not what the corpus says of itself")
    except (FormatError, StorageError) as error:
        yield Finding(kind="card", where="README.md, croissant.json", message=f"cannot be compared ({error})")


def _versions(store: Store) -> tuple[list[str], Finding | None]:
    """Return how the versions here differ from those it was made with, and why nothing can be drawn again, if so."""
    # Imported here: drawing needs fonts, renderers and more, looking does not.
    from datagen.dataset.regenerate import version_changes

    try:
        changes = version_changes(store)
    except (FormatError, StorageError) as error:
        return [], Finding(kind="cannot_draw", where=PLAN, message=f"no sample can be drawn again: {error}")
    return [f"made with {change}: samples drawn again may differ" for change in changes], None


def _work(url: str, shards: tuple[ShardRow, ...], config: CheckConfig) -> Iterator[_Result]:
    make = partial(_check_one, url, config=config)
    if config.workers == 1 or len(shards) <= 1:
        yield from map(make, shards)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(max_workers=min(config.workers, len(shards)), mp_context=context)
    try:
        futures: list[Future[_Result]] = [pool.submit(make, shard) for shard in shards]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise StorageError(f"{url}: a worker process was killed (out of memory?)") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _check_one(url: str, shard: ShardRow, *, config: CheckConfig) -> _Result:
    store = Store(url)
    facts = check_shard(store, shard, decode=config.decode)
    if not config.regenerate:
        return _Result(facts=facts)
    from datagen.dataset.regenerate import regenerate_shard

    try:
        drawn = regenerate_shard(store, shard, share=config.regenerate)
    except (FormatError, StorageError) as error:
        finding = Finding(kind="cannot_draw", where=f"{shard.stem}.tar", message=str(error))
        return _Result(facts=facts, findings=(finding,))
    return _Result(
        facts=facts,
        num_drawn_again=drawn.num_samples,
        num_expected=drawn.num_expected,
        findings=drawn.findings,
    )
