"""Making one corpus of several: equal pictures once, no source in two splits."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from datagen.dataset.copying import carry_out
from datagen.dataset.deal import Deal, Fates, Input, check_name, digest, keys, lay_out, open_inputs, source_table
from datagen.dataset.groups import Rows, pixel_numbers, read_rows, read_sources
from datagen.dataset.leaks import KEEPERS, Leak, find_leaks
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store

OnLeak = Literal["refuse", "drop"]

_LONGEST_KEY = 100 - len(".regions.png")
"""Bytes: a name in a USTAR header has 100."""
_LEAKS_NAMED, _LEAKS_SHOWN = 5, 50
"""Leaks that an error message spells out, and those that a plan lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeConfig:
    """How corpora become one."""

    on_leak: OnLeak = "refuse"
    """What to do about a source, or a picture, in two splits: nothing, or keep it in test before val before train."""
    near_bits: int = 10
    """Pictures whose perceptual hashes differ in fewer bits of 256 leak like equal ones; 0 = only equal pixels do."""
    samples_per_shard: int = 64
    name: str = "merged"
    """Starts every shard's name."""

    def __post_init__(self) -> None:
        if self.on_leak not in ("refuse", "drop"):
            raise UsageError(f"on_leak must be refuse or drop, got {self.on_leak!r}")
        if self.samples_per_shard < 1 or not 0 <= self.near_bits <= 64:
            raise UsageError("samples_per_shard must be 1 or more, near_bits 0..64")
        check_name(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePlanSummary:
    """What a merge would make; with leaks and `on_leak = refuse` it makes nothing."""

    num_samples: dict[str, int]
    """That are kept, by split."""
    rejected: dict[str, int]
    key_prefixes: dict[str, str]
    """By input, of those whose keys would collide with an earlier one's."""
    num_leaks: int
    leaks: tuple[Leak, ...]
    plan_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeSummary:
    """What a merge made."""

    out: str
    num_samples: dict[str, int]
    num_shards: int
    num_skipped_shards: int
    """Shards that an earlier run had finished."""
    rejected: dict[str, int]
    """Samples that were left out, by reason."""
    key_prefixes: dict[str, str]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Merged:
    deal: Deal
    num_samples: dict[str, int]
    leaks: tuple[Leak, ...]


def describe(corpora: Sequence[str], config: MergeConfig) -> MergePlanSummary:
    """Return what `run` would make, leaks and all; writes nothing. Raises: UsageError, ShardError."""
    made = _make(corpora, config)
    reasons = made.deal.table.column("reason").drop_null().to_pylist()
    return MergePlanSummary(
        num_samples=made.num_samples,
        rejected=dict(Counter(reasons)),
        key_prefixes=_prefixes(made.deal),
        num_leaks=len(made.leaks),
        leaks=made.leaks[:_LEAKS_SHOWN],
        plan_sha256=digest(made.deal),
    )


def run(corpora: Sequence[str], config: MergeConfig, out: str, *, progress: Progress) -> MergeSummary:
    """Copy the samples of `corpora` to `out`, or go on where a run was stopped; same inputs in order, same bytes.

    A sample keeps its split. Raises: UsageError: a leak, with `on_leak = refuse`, or `out` holds something else;
    ShardError: a corpus is damaged.
    """
    started = time.monotonic()
    made = _make(corpora, config)
    if made.leaks and config.on_leak == "refuse":
        named = "; ".join(f"{leak.what}: {leak.places}" for leak in made.leaks[:_LEAKS_NAMED])
        more = f"; and {len(made.leaks) - _LEAKS_NAMED} more" if len(made.leaks) > _LEAKS_NAMED else ""
        raise UsageError(
            f"{len(made.leaks)} leak(s) between splits: {named}{more}; on_leak drop keeps each in one split "
            f"({' before '.join(KEEPERS)}) and leaves the other samples out"
        )
    copied = carry_out(made.deal, out, progress=progress)
    return MergeSummary(
        out=out,
        num_samples=made.num_samples,
        num_shards=len(copied.records),
        num_skipped_shards=copied.num_skipped_shards,
        rejected=dict(Counter(refused.reason for record in copied.records for refused in record.rejected)),
        key_prefixes=_prefixes(made.deal),
        seconds=time.monotonic() - started,
    )


def _make(corpora: Sequence[str], config: MergeConfig) -> _Merged:
    stores = [Store(corpus) for corpus in corpora]
    inputs = open_inputs(stores)
    rows = read_rows(stores)
    inputs = _with_prefixes(rows, inputs)
    sources = read_sources(rows)
    labels = {used.store.url: used.label for used in inputs}
    found = find_leaks(rows, sources, labels, near_bits=config.near_bits)
    left_out = found.left_out | _duplicates(rows, labels, found.left_out)
    present = {split.split for split in rows.splits}
    splits = tuple(sorted(present, key=lambda name: (-KEEPERS.index(name) if name in KEEPERS else 1, name)))
    new_split = np.asarray([splits.index(split.split) for split in rows.splits])[rows.split]
    fates = Fates(splits=splits, split=new_split, left_out=left_out)
    settings = {"made_by": "dataset merge", "on_leak": config.on_leak, "near_bits": config.near_bits}
    deal = Deal(
        name=config.name,
        settings=settings | {"samples_per_shard": config.samples_per_shard},
        inputs=inputs,
        table=lay_out(rows, inputs, fates, samples_per_shard=config.samples_per_shard),
        sources=source_table(rows, sources, fates),
    )
    kept = np.ones(rows.num_samples, dtype=bool)
    kept[list(left_out)] = False
    counts = np.bincount(new_split[kept], minlength=len(splits))
    by_split = {name: int(count) for name, count in zip(splits, counts, strict=True)}
    return _Merged(deal=deal, num_samples=by_split, leaks=found.leaks)


def _with_prefixes(rows: Rows, inputs: Sequence[Input]) -> tuple[Input, ...]:
    """Return the inputs, with a prefix of its digest for each whose keys collide with those of an earlier one."""
    seen: set[str] = set()
    settled = []
    all_keys = keys(rows, inputs)
    urls = np.asarray([split.store.url for split in rows.splits])[rows.split]
    for used in inputs:
        own = set(all_keys.filter(urls == used.store.url).to_pylist())
        prefix = f"{used.manifest_sha256[:8]}-" if own & seen else ""
        own = {prefix + key for key in own}
        longest = max(own, key=lambda key: len(key.encode()), default="")
        if prefix and len(longest.encode()) > _LONGEST_KEY:
            raise UsageError(f"{used.store.url}: key {longest} would be too long for a tar with its prefix")
        if own & seen:
            raise UsageError(f"{used.store.url}: key {min(own & seen)} collides with an earlier corpus even so")
        seen |= own
        settled.append(replace(used, prefix=prefix))
    return tuple(settled)


def _duplicates(rows: Rows, labels: dict[str, str], left_out: dict[int, tuple[str, str]]) -> dict[int, tuple[str, str]]:
    """Return why samples go whose pixels an earlier sample of the same corpus or another has already."""
    kept = np.setdiff1d(np.arange(rows.num_samples), np.fromiter(left_out, dtype=np.int64))
    pixels = pixel_numbers(rows.table)[kept]
    _, first, inverse = np.unique(pixels, return_index=True, return_inverse=True)
    again = first[inverse] != np.arange(len(kept))
    found = {}
    for sample, original in zip(kept[again].tolist(), kept[first[inverse]][again].tolist(), strict=True):
        where = labels[rows.splits[rows.split[original]].store.url]
        found[sample] = ("duplicate", f"same pixels as {rows.key(original)} of {where}")
    return found


def _prefixes(deal: Deal) -> dict[str, str]:
    return {used.label: used.prefix for used in deal.inputs if used.prefix}
