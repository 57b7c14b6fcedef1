"""Near-duplicates found through bands are those that a comparison of all pairs finds."""

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from datagen.dataset import near
from datagen.dataset.near import cluster, components


def flipped(hashes: NDArray[np.uint8], most: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the hashes with 0..most bits changed in each."""
    bits = np.unpackbits(hashes, axis=1)
    for row in bits:
        row[rng.choice(256, rng.integers(0, most + 1), replace=False)] ^= 1
    return np.packbits(bits, axis=1)


def by_all_pairs(hashes: NDArray[np.uint8], bits: int) -> NDArray[np.int64]:
    unpacked = np.unpackbits(hashes, axis=1).astype(np.int32)
    ones = unpacked.sum(axis=1)
    distances = ones[:, None] + ones[None] - 2 * unpacked @ unpacked.T
    return components(len(hashes), *np.nonzero(distances < bits))


def same(first: NDArray[np.int64], second: NDArray[np.int64]) -> bool:
    """Return whether two labellings put the same items together."""
    return bool(((first[:, None] == first[None]) == (second[:, None] == second[None])).all())


@pytest.mark.parametrize("bits", [0, 1, 2, 5, 10, 33, 64])
@pytest.mark.parametrize("long", [3, 256])
def test_clusters_are_those_of_all_pairs(bits: int, long: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "_LONG", long)
    rng = np.random.default_rng(bits)
    base = rng.integers(0, 256, (40, near.NUM_BYTES), dtype=np.uint8)
    hashes = flipped(base[rng.integers(0, 40, 500)], bits + 1, rng)
    found = cluster(hashes, bits=bits)
    assert same(found, by_all_pairs(hashes, bits))
    assert len(set(found.tolist())) < 500 or bits < 2
    assert bits or len(set(found.tolist())) == 500


def test_no_hashes_and_equal_hashes() -> None:
    assert len(cluster(np.zeros((0, 32), np.uint8), bits=10)) == 0
    equal = np.full((700, 32), 7, np.uint8)
    assert len(set(cluster(equal, bits=1).tolist())) == 1
    assert len(set(cluster(equal, bits=0).tolist())) == 700


def test_many_copies_of_one_screen_cost_no_square() -> None:
    rng = np.random.default_rng(0)
    copies = flipped(np.repeat(rng.integers(0, 256, (1, 32), dtype=np.uint8), 20_000, axis=0), 6, rng)
    others = rng.integers(0, 256, (20_000, 32), dtype=np.uint8)
    started = time.process_time()
    found = cluster(np.concatenate([copies, others]), bits=10)
    # All pairs of the copies alone would be 2 * 10^8 comparisons in each of ten bands.
    assert time.process_time() - started < 20
    assert len(set(found[:20_000].tolist())) == 1 and len(set(found.tolist())) == 20_001
