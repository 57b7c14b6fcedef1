"""Dealing sources to splits, so that no source is seen in training and again in testing."""

from collections.abc import Sequence
from dataclasses import replace

from datagen.config import SPLITS
from datagen.sources.model import PlannedSource
from pipeline.base.errors import UsageError
from pipeline.base.seeds import derive_seed


def deal_by_hash(sources: Sequence[PlannedSource], weights: dict[str, int], *, seed: int) -> tuple[PlannedSource, ...]:
    """Give each source to one split: rank by a hash of (seed, digest), then cut by `weights` (samples a split).

    Every split with a weight above 0 gets at least one. Raises: UsageError: fewer sources than such splits.
    """
    ranked = sorted(sources, key=lambda planned: derive_seed(seed, "deal", planned.source.sha256))
    return deal_in_order(ranked, weights)


def deal_in_order(sources: Sequence[PlannedSource], weights: dict[str, int]) -> tuple[PlannedSource, ...]:
    """Give contiguous runs of `sources` to the splits, by `weights`. Raises: UsageError: too few sources."""
    used = [split for split in SPLITS if weights[split] > 0]
    if len(sources) < len(used):
        kind = sources[0].source.kind if sources else ""
        raise UsageError(f"{len(sources)} {kind} source(s) cannot serve {len(used)} splits; splits never share one")
    counts = dict.fromkeys(used, 1)
    total = sum(weights[split] for split in used)
    for _ in range(len(sources) - len(used)):
        # The split that is furthest below its share takes the next one; ties go to the first.
        short = max(used, key=lambda split: (weights[split] / total) * len(sources) - counts[split])
        counts[short] += 1
    splits = [split for split in used for _ in range(counts[split])]
    return tuple(replace(planned, split=split) for planned, split in zip(sources, splits, strict=True))


def neighbourhood(photos: Sequence[PlannedSource], *, seed: int, index: int) -> tuple[PlannedSource, ...]:
    """Return the photographs that sample `index` may show: `POOL` of those of its split, the same for `RUN` samples.

    A worker makes neighbouring samples, so what it decoded (or fetched) for one serves the next. Over many runs every
    photograph is shown alike.
    """
    if len(photos) <= POOL:
        return tuple(photos)
    # Runs walk through one shuffled order of all photographs, a new order each time it is through.
    start = index // RUN * POOL
    chosen = []
    for position in range(start, start + POOL):
        lap, place = divmod(position, len(photos))
        chosen.append(photos[shuffled_place(place, len(photos), derive_seed(seed, "photographs", lap))])
    return tuple(dict.fromkeys(chosen))


RUN = 64
POOL = 32


def shuffled_place(place: int, size: int, seed: int) -> int:
    """Return where `place` goes in a permutation of range(size) chosen by `seed`, without making the permutation.

    A Feistel network over the next power of 4, walked until it lands inside (Black and Rogaway 2002, section 4).
    """
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    while True:
        left, right = place >> half, place & mask
        for turn in range(4):
            left, right = right, left ^ (derive_seed(seed, turn, right) & mask)
        place = left << half | right
        if place < size:
            return place
