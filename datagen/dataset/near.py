"""Perceptual hashes that differ in few bits, found among a million of them.

Two hashes that differ in fewer than n bits agree in at least one of n bands of bits (pigeonhole principle), so only
hashes that share a band are compared.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

NUM_BYTES = 32
"""Of a hash: 256 bits."""
_LONG = 256
"""Longer runs of hashes that share a band are walked from neighbour to neighbour: most are copies of one screen."""

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]


def cluster(hashes: NDArray[np.uint8], *, bits: int) -> Numbers:
    """Return (N,) cluster numbers of (N, 32) hashes: steps of fewer than `bits` bits lead from any to any of a cluster.

    `bits` is 0..64; 1 joins equal hashes only, 0 none.
    """
    if bits == 0 or not len(hashes):
        return np.arange(len(hashes), dtype=np.int64)
    distinct, inverse = np.unique(hashes, axis=0, return_inverse=True)
    words = np.ascontiguousarray(distinct).view(np.uint64)
    labels = np.arange(len(words), dtype=np.int64)
    unpacked = np.unpackbits(distinct, axis=1)
    edges: list[tuple[Numbers, Numbers]] = []
    for band in range(bits if bits > 1 else 0):
        # Every n-th bit: neighbouring bits of a DCT hash go together, so a band of neighbours would tell little apart.
        values = np.packbits(unpacked[:, band::bits], axis=1)
        edges += _near_pairs(words, values, labels, bits)
        if edges:
            first, second = (np.concatenate(ends) for ends in zip(*edges, strict=True))
            labels = components(len(words), first, second)
            edges = [(first, second)]
    return np.asarray(labels[inverse.reshape(-1)], dtype=np.int64)


def components(num_nodes: int, first: Numbers, second: Numbers) -> Numbers:
    """Return (num_nodes,) component numbers of the graph with an edge from each of `first` to its peer in `second`."""
    # Imported here: they take a fifth of a second, which those who draw need not wait for.
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    edges = coo_matrix((np.ones(len(first), dtype=np.uint8), (first, second)), shape=(num_nodes, num_nodes))
    _, labels = connected_components(edges, directed=False)
    return np.asarray(labels, dtype=np.int64)


def _near_pairs(
    words: Words, values: NDArray[np.uint8], labels: Numbers, bits: int
) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield the pairs of near hashes that agree in `values`, as far as `labels` does not join them already."""
    order = np.lexsort(values.T)
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)]))
    ends = np.append(starts[1:], len(order))
    long = ends - starts > _LONG
    for start, end in zip(starts[long], ends[long], strict=True):
        yield from _walk(words, order[start:end], bits)
    last = np.repeat(np.where(long, starts, ends), ends - starts)
    first_words = np.ascontiguousarray(words[order, 0])
    here = np.arange(len(order))
    for offset in range(1, _LONG):
        here = here[here + offset < last[here]]
        if not len(here):
            return
        # A quarter of the bits tells nearly all pairs apart, and is read in the order of memory.
        near = here[_ones(first_words[here] ^ first_words[here + offset]) < bits]
        first, second = order[near], order[near + offset]
        apart = labels[first] != labels[second]
        first, second = first[apart], second[apart]
        close = _distances(words[first], words[second]) < bits
        yield first[close], second[close]


def _walk(words: Words, run: Numbers, bits: int) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield pairs that join the clusters of `run`; each hash is compared with those not reached before it."""
    left = run
    frontier: list[int] = []
    while len(left):
        if frontier:
            here = frontier.pop()
        else:
            here, left = int(left[0]), left[1:]
        near = _distances(words[left], words[here]) < bits
        found, left = left[near], left[~near]
        frontier += found.tolist()
        yield np.full(len(found), here, dtype=np.int64), found


def _distances(first: Words, second: Words) -> NDArray[np.uint64]:
    """Return the number of bits in which each of (M, 4) words differ from their peers."""
    return np.asarray(_ones(first ^ second).sum(axis=-1), dtype=np.uint64)


def _ones(words: Words) -> Words:
    """Return the number of ones in each word, counted side by side (Warren, Hacker's Delight, section 5-1)."""
    pairs = words - ((words >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = (pairs & np.uint64(0x3333333333333333)) + ((pairs >> np.uint64(2)) & np.uint64(0x3333333333333333))
    bytes_ = (fours + (fours >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.asarray((bytes_ * np.uint64(0x0101010101010101)) >> np.uint64(56), dtype=np.uint64)
