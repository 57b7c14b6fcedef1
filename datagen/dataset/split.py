"""Dealing a finished corpus to splits anew, by whole groups of samples that belong together."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.config import SPLITS
from datagen.dataset.copying import carry_out
from datagen.dataset.deal import Deal, Fates, check_name, digest, lay_out, open_inputs, source_table
from datagen.dataset.groups import Numbers, Rows, binds, group, read_rows, read_sources
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.base.seeds import derive_seed
from pipeline.base.store import Store
from pipeline.formats.sample import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig:
    """How a corpus is dealt anew."""

    train: float = 0.8
    """Share of the samples; the three add up to 1."""
    val: float = 0.1
    test: float = 0.1
    seed: int = 0
    tolerance: float = 0.05
    """How far a split's share may lie from the one asked for, where groups are too large to meet it."""
    near_bits: int = 20
    """Samples whose perceptual hashes differ in fewer bits of 256 stay together; 0 = only sources and equal pixels."""
    samples_per_shard: int = 64
    name: str | None = None
    """Starts every shard's name; default: as before."""

    def __post_init__(self) -> None:
        if min(self.shares) < 0 or abs(sum(self.shares) - 1) > 1e-6:
            raise UsageError(f"shares must not be negative and add up to 1, got {self.train} {self.val} {self.test}")
        if self.samples_per_shard < 1 or not 0 <= self.near_bits <= 64 or not 0 <= self.tolerance <= 1:
            raise UsageError("samples_per_shard must be 1 or more, near_bits 0..64, tolerance 0..1")

        if self.name is not None:
            check_name(self.name)

    @property
    def shares(self) -> tuple[float, float, float]:
        """Of train, val and test."""
        return self.train, self.val, self.test


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPlanSummary:
    """What a split would make."""

    num_samples: int
    num_groups: int
    largest_group: int
    """Its samples."""
    asked: dict[str, float]
    got: dict[str, float]
    """Shares of the samples."""
    num_in_split: dict[str, int]
    plan_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSummary:
    """What a split made."""

    out: str
    num_samples: dict[str, int]
    num_groups: int
    asked: dict[str, float]
    got: dict[str, float]
    num_shards: int
    num_skipped_shards: int
    """Shards that an earlier run had finished."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dealt:
    deal: Deal
    num_groups: int
    largest: int
    counts: dict[str, int]


def describe(corpus: str, config: SplitConfig) -> SplitPlanSummary:
    """Return what `run` would make; writes nothing. Raises: UsageError: the shares cannot be met; ShardError."""
    made = _make(corpus, config)
    total = sum(made.counts.values())
    return SplitPlanSummary(
        num_samples=total,
        num_groups=made.num_groups,
        largest_group=made.largest,
        asked=dict(zip(SPLITS, config.shares, strict=True)),
        got=_shares(made.counts),
        num_in_split=made.counts,
        plan_sha256=digest(made.deal),
    )


def run(corpus: str, config: SplitConfig, out: str, *, progress: Progress) -> SplitSummary:
    """Copy `corpus` to `out` in new splits, or go on where a run was stopped; same corpus and config, same bytes.

    Raises: UsageError: the shares cannot be met, or `out` holds something else; ShardError: the corpus is damaged.
    """
    started = time.monotonic()
    made = _make(corpus, config)
    copied = carry_out(made.deal, out, progress=progress)
    return SplitSummary(
        out=out,
        num_samples=made.counts,
        num_groups=made.num_groups,
        asked=dict(zip(SPLITS, config.shares, strict=True)),
        got=_shares(made.counts),
        num_shards=len(copied.records),
        num_skipped_shards=copied.num_skipped_shards,
        seconds=time.monotonic() - started,
    )


def deal_groups(groups: Numbers, names: Sequence[str], shares: Sequence[float], *, seed: int) -> Numbers:
    """Return (N,) split numbers; all samples of a group go to one split.

    `groups` (N,) is dense from 0, `names` tells each group by its content, so that the outcome does not hang on the
    order of the samples. Large groups are dealt first, by chance among the splits that have room for them, in
    proportion to that room; small ones then fill the splits to their counts.
    """
    sizes = np.bincount(groups, minlength=len(names))
    room = np.asarray(apportion(len(groups), shares))
    draw = [derive_seed(seed, "split", name) / 2**63 for name in names]
    ranked = sorted(range(len(names)), key=lambda number: (-int(sizes[number]), draw[number], names[number]))
    empty = room > 0
    split_of_group = np.empty(len(names), dtype=np.int64)
    for num_dealt, number in enumerate(ranked):
        size = int(sizes[number])
        # The last groups go to splits that have got none.
        open_splits = empty if len(ranked) - num_dealt <= empty.sum() else room > 0
        fits = np.where(open_splits & (room >= size), room, 0)
        if fits.any():
            # A second number: the first one decides the order, and would tie early places to early splits.
            chance = derive_seed(seed, "place", names[number]) / 2**63
            choice = int(np.searchsorted(np.cumsum(fits), chance * int(fits.sum()), side="right"))
        else:
            choice = int(np.argmax(np.where(open_splits, room, room.min() - 1) if open_splits.any() else room))
        room[choice] -= size
        empty[choice] = False
        split_of_group[number] = choice
    return np.asarray(split_of_group[groups], dtype=np.int64)


def apportion(total: int, shares: Sequence[float]) -> list[int]:
    """Return whole counts that add up to `total`, nearest to the shares; every share above 0 gets 1 if it can."""
    exact = [total * share for share in shares]
    counts = [int(value) for value in exact]
    # Largest remainder; ties go to the first.
    by_remainder = sorted(range(len(shares)), key=lambda i: (counts[i] - exact[i], i))
    for place in by_remainder[: total - sum(counts)]:
        counts[place] += 1
    for place, share in enumerate(shares):
        largest = int(np.argmax(counts))
        if share > 0 and counts[place] == 0 and counts[largest] > 1:
            counts[place], counts[largest] = 1, counts[largest] - 1
    return counts


def _make(corpus: str, config: SplitConfig) -> _Dealt:
    inputs = open_inputs([Store(corpus)])
    rows = read_rows([Store(corpus)])
    sources = read_sources(rows)
    groups = group(rows, sources, near_bits=config.near_bits)
    split = deal_groups(groups, _names(rows, groups), config.shares, seed=config.seed)
    counts = np.bincount(split, minlength=len(SPLITS))
    _check(config, rows, sources, groups, counts)
    fates = Fates(splits=SPLITS, split=split, left_out={})
    settings = {"made_by": "dataset split", "seed": config.seed, "near_bits": config.near_bits}
    settings |= {"shares": dict(zip(SPLITS, config.shares, strict=True)), "samples_per_shard": config.samples_per_shard}
    deal = Deal(
        name=config.name or inputs[0].name,
        settings=settings,
        inputs=inputs,
        table=lay_out(rows, inputs, fates, samples_per_shard=config.samples_per_shard),
        sources=source_table(rows, sources, fates),
    )
    sizes = np.bincount(groups)
    by_split = {name: int(count) for name, count in zip(SPLITS, counts, strict=True)}
    return _Dealt(deal=deal, num_groups=len(sizes), largest=int(sizes.max()), counts=by_split)


def _names(rows: Rows, groups: Numbers) -> list[str]:
    """Return each group's name: the smallest pixel digest in it."""
    names = [""] * (int(groups.max()) + 1)
    for number, digest_bytes in zip(groups.tolist(), rows.table.column("pixels_sha256").to_pylist(), strict=True):
        text = digest_bytes.hex()
        if not names[number] or text < names[number]:
            names[number] = text
    return names


def _shares(counts: dict[str, int]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()}


def _check(config: SplitConfig, rows: Rows, sources: Sequence[Source], groups: Numbers, counts: Numbers) -> None:
    """Raises: UsageError: a split got nothing, or is too far from its share."""
    total = len(groups)
    # One sample more or less is rounding, however small the corpus.
    far = [
        name
        for name, share, count in zip(SPLITS, config.shares, counts.tolist(), strict=True)
        if abs(count / total - share) > config.tolerance + 1 / total or (share > 0 and count == 0)
    ]
    if not far:
        return
    sizes = np.bincount(groups)
    largest = int(np.argmax(sizes))
    asked = ", ".join(f"{name} {share:g}" for name, share in zip(SPLITS, config.shares, strict=True))
    got = ", ".join(f"{name} {count / total:.3g}" for name, count in zip(SPLITS, counts.tolist(), strict=True))
    raise UsageError(
        f"{rows.splits[0].store.url}: {total} samples hang together in {len(sizes)} groups, the largest of "
        f"{sizes[largest]}{_reason(rows, sources, groups == largest)}; asked: {asked}; nearest: {got}; "
        "ask for other shares, raise the tolerance, or let datagen deal the photographs before it draws"
    )


def _reason(rows: Rows, sources: Sequence[Source], inside: NDArray[np.bool_]) -> str:
    """Return which source holds most samples of a group together, as part of a sentence."""
    binding = np.asarray([binds(source) for source in sources], dtype=bool)
    if not binding.any():
        return ""
    links = inside[rows.link_sample] & binding[rows.link_source]
    counts = np.bincount(rows.link_source[links], minlength=len(sources))
    most = int(np.argmax(counts))
    return f" ({sources[most].kind} {sources[most].name} is in {counts[most]} of them)" if counts[most] > 1 else ""
