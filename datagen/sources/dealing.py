"""Dealing sources to splits, so that no source is seen in training and again in testing."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from datagen.config import SPLITS
from datagen.sources.model import PlannedSource
from pipeline.base.errors import UsageError
from pipeline.base.seeds import derive_seed

RUN, POOL = 64, 32


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
    return tuple(photos[place] for place in _pool(len(photos), seed, index // RUN))


@lru_cache(maxsize=16)
def _pool(num_photos: int, seed: int, run: int) -> tuple[int, ...]:
    """Return the places of a run's photographs; runs walk through one shuffled order after another of all of them."""
    laps = (divmod(position, num_photos) for position in range(run * POOL, (run + 1) * POOL))
    places = [shuffled_place(place, num_photos, derive_seed(seed, "photographs", lap)) for lap, place in laps]
    return tuple(dict.fromkeys(places))


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
