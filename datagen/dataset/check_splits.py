"""What must hold between the shards of a corpus: keys stand once, and no two splits show the same."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from datagen.dataset.check_shard import Facts
from datagen.dataset.findings import Finding
from datagen.dataset.near import NUM_BYTES, cluster

Numbers = NDArray[np.int64]

_MOST = 256
"""Of a cluster's pictures in one split, so many are compared to find those that look most alike."""
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)
"""Number of ones in each byte."""


def check_splits(facts: Sequence[Facts], *, near_bits: int, compare_pictures: bool = True) -> Iterator[Finding]:
    """Yield what is wrong between shards; pictures are near if their hashes differ in fewer than `near_bits` bits.

    Without `compare_pictures` only keys and sources are looked at: tiles of plain background are equal everywhere.
    """
    yield from _duplicate_keys(facts)
    yield from _shared_sources(facts)
    if not compare_pictures:
        return
    keys = [f"{shard.stem}.tar: {key}" for shard in facts for key in shard.keys]
    names = sorted({shard.split for shard in facts})
    splits = np.repeat([names.index(shard.split) for shard in facts], [len(shard.keys) for shard in facts])
    pixels = np.frombuffer(b"".join(shard.pixels_sha256 for shard in facts), dtype="V32")
    _, equal = np.unique(pixels, return_inverse=True)
    for first, second in _across(equal.astype(np.int64), splits):
        message = f"the same pixels as {keys[first]}"
        yield Finding(kind="same_pixels", where=keys[second], message=message)
    yield from _near_duplicates(facts, keys, splits, equal, near_bits=near_bits)


def _near_duplicates(
    facts: Sequence[Facts], keys: Sequence[str], splits: Numbers, equal: Numbers, *, near_bits: int
) -> Iterator[Finding]:
    """Yield, for each cluster of pictures that two splits share, the two that look most alike."""
    hashes = [value for shard in facts for value in shard.perceptual_hashes]
    known = np.flatnonzero([len(value) == NUM_BYTES for value in hashes])
    rows = np.frombuffer(b"".join(hashes[place] for place in known), dtype=np.uint8).reshape(-1, NUM_BYTES)
    clusters = cluster(rows, bits=near_bits)
    order = np.lexsort((splits[known], clusters))
    ends = np.flatnonzero(clusters[order][1:] != clusters[order][:-1]) + 1
    for members in np.split(order, ends):
        if len(members) < 2 or len(of_split := np.unique(splits[known[members]])) < 2:
            continue
        for low, high in pairwise(of_split):
            some, others = (members[splits[known[members]] == split][:_MOST] for split in (low, high))
            bits = _ONES[rows[some][:, None] ^ rows[others][None]].sum(axis=-1, dtype=np.int64)
            place = np.unravel_index(int(bits.argmin()), bits.shape)
            first, second = int(known[some[place[0]]]), int(known[others[place[1]]])
            # Equal pixels have been told of already.
            if equal[first] != equal[second]:
                message = f"looks like {keys[first]}: {int(bits.min())} of 256 hash bits differ"
                yield Finding(kind="near_duplicate", where=keys[second], message=message)


def _duplicate_keys(facts: Sequence[Facts]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for shard in facts:
        for key in shard.keys:
            if key in seen:
                message = f"stands in {seen[key]}.tar too"
                yield Finding(kind="duplicate_key", where=f"{shard.stem}.tar: {key}", message=message)
            seen.setdefault(key, shard.stem)


def _shared_sources(facts: Sequence[Facts]) -> Iterator[Finding]:
    shown: dict[str, dict[str, str]] = defaultdict(dict)
    names: dict[str, str] = {}
    for shard in facts:
        for digest, (name, key) in shard.sources.items():
            names.setdefault(digest, name)
            shown[digest].setdefault(shard.split, f"{shard.stem}.tar: {key}")
    for digest, places in shown.items():
        if len(places) > 1:
            where = "; ".join(f"{split}: {place}" for split, place in places.items())
            message = f"{names[digest]} (sha256 {digest[:16]}...) is shown by {len(places)} splits"
            yield Finding(kind="shared_source", where=where, message=message)


def _across(labels: Numbers, splits: Numbers) -> Iterator[tuple[int, int]]:
    """Yield, of all that have one label, the first of each split with the first of the split before."""
    order = np.lexsort((splits, labels))
    ordered, of_split = labels[order], splits[order]
    # Only the first sample of each (label, split) counts.
    starts = np.flatnonzero(np.append(True, (ordered[1:] != ordered[:-1]) | (of_split[1:] != of_split[:-1])))
    for earlier, later in pairwise(starts.tolist()):
        if ordered[earlier] == ordered[later]:
            yield int(order[earlier]), int(order[later])
