"""Which sample is read when, and by whom: a pure function of the seed and of one integer, samples seen.

Samples are read in an endless stream of epochs; position p is sample permutation(seed, p // n)[p % n] of n. A batch
is the next `samples_per_batch` positions. Whoever knows how many positions are behind knows everything, so a run goes
on in mid-epoch on any number of workers.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.base.seeds import derive_seed

_NUM_ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One reading of one sample."""

    position: int
    epoch: int
    index: int
    """The sample's number in its split."""
    repeat: bool = False
    """Whether another rank reads this position too, so that all ranks have the same number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleOrder:
    """The endless order of a split's samples."""

    num_samples: int
    seed: int

    def visit(self, position: int, *, repeat: bool = False) -> Visit:
        """Return what is read at `position` (from 0)."""
        epoch, offset = divmod(position, self.num_samples)
        key = derive_seed(self.seed, "order", epoch)
        return Visit(position=position, epoch=epoch, index=permute(offset, self.num_samples, key), repeat=repeat)


def permute(index: int, size: int, key: int) -> int:
    """Return where a pseudo-random permutation of 0..size-1, chosen by `key`, sends `index`.

    A Feistel network with cycle walking (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", CT-RSA 2002):
    constant memory and time at any position, where a shuffled list of 10^9 numbers takes 8 GB and a replay.
    """
    half_bits = max(1, ((size - 1).bit_length() + 1) // 2)
    while True:
        index = _feistel(index, half_bits, key)
        # The network permutes 0..4^half_bits-1; following it until it is back below `size` permutes 0..size-1.
        if index < size:
            return index


def _feistel(index: int, half_bits: int, key: int) -> int:
    mask = (1 << half_bits) - 1
    left, right = index >> half_bits, index & mask
    key_bytes = key.to_bytes(8, "little")
    for turn in range(_NUM_ROUNDS):
        digest = hashlib.blake2b(right.to_bytes(8, "little") + bytes([turn]), key=key_bytes, digest_size=8).digest()
        left, right = right, left ^ (int.from_bytes(digest, "little") & mask)
    return (left << half_bits) | right


def rank_positions(start: int, samples_per_batch: int, *, rank: int, num_ranks: int) -> list[tuple[int, bool]]:
    """Return the (position, repeat) pairs that `rank` reads of the batch starting at position `start`.

    Ranks take every `num_ranks`-th position. Where the batch does not divide evenly, the ranks that would come short
    repeat positions from the batch's beginning: every rank reads equally many, no position is left out.
    """
    per_rank = -(-samples_per_batch // num_ranks)
    offsets = [rank + turn * num_ranks for turn in range(per_rank)]
    return [(start + offset % samples_per_batch, offset >= samples_per_batch) for offset in offsets]


def rank_visits(
    order: SampleOrder, samples_per_batch: int, *, start: int, rank: int, num_ranks: int
) -> Iterator[Visit]:
    """Yield the endless visits of one rank, batch by batch, from position `start` on."""
    while True:
        for position, repeat in rank_positions(start, samples_per_batch, rank=rank, num_ranks=num_ranks):
            yield order.visit(position, repeat=repeat)
        start += samples_per_batch


def repeats_per_batch(samples_per_batch: int, num_ranks: int) -> int:
    """Return how many positions of a batch are read twice, over all ranks."""
    return -samples_per_batch % num_ranks
