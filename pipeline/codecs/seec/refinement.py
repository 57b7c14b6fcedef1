"""Adaptive maps that correct, on the picture itself, how sure the network is of its likeliest copy.

A network learns from crops; on a whole picture, whose past is longer and whose interface is one, it is too careful here
and too bold there. What it says of its likeliest proposal is looked up, with what is known at the pixel, in maps that
hold how often that came true (adaptive probability maps, as context-mixing coders end in), and the mean is coded.

Integers only. A map's entry is a probability of 22 bits and the number of its pixels so far; -1 where there were none.
"""

from typing import Any

import numba.extending
import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.seec.neighbours import NUM_SOURCES, N, W

NUM_BUCKETS = 64
"""Probabilities told apart: half octaves of p or of 1 - p, whichever is smaller."""
_BITS = 12
_NUM_AGREEING = (NUM_SOURCES + 1) * 16
_FRACTION = 6
"""Bits beyond 16."""
_LIMIT = 255
"""Counts stop here: an entry is then moved by a 256th."""
# Moves of an entry by 1 / (count + 1.5), 16 bits.
_RATE = np.array([(2 << 16) // (2 * count + 3) for count in range(_LIMIT + 1)], dtype=np.int64)


def fresh_maps() -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the maps at a picture's start: by which sources agree, and by the two nearest colours."""
    agreeing = np.full((_NUM_AGREEING, NUM_BUCKETS, 2), -1, dtype=np.int32)
    nearest = np.full((1 << _BITS, NUM_BUCKETS, 2), -1, dtype=np.int32)
    return agreeing, nearest


@numba.extending.register_jitable
def _bucket(p: Any) -> Any:
    """Return the bucket of a probability of 16 bits, 1..65535."""
    small = min(p, 65536 - p)
    bits = 0
    while small >> (bits + 1):
        bits += 1
    half = (small >> (bits - 1)) & 1 if bits else 0
    step = 2 * bits + half
    return step if 2 * p < 65536 else NUM_BUCKETS - 1 - step


@numba.extending.register_jitable
def refine(choice: Any, num_colours: int, sources: Any, key: Any, maps: Any, at: Any) -> int:
    """Correct the intervals of a choice of `num_colours` proposals and none; return the likeliest proposal's place.

    `at` (4,) is what `learn` needs: the bucket, the maps' rows, and what the network said. -1: there is no proposal.
    """
    if num_colours == 0:
        return -1
    best = 0
    for place in range(1, num_colours):
        if choice[2, place] > choice[2, best]:
            best = place
    colour = choice[0, best]
    agreeing = 0
    for source in range(len(sources)):
        if sources[source] == colour:
            agreeing += 1
    nearest = (1 if sources[W] == colour else 0) + (2 if sources[N] == colour else 0)
    at[0] = _bucket(choice[2, best])
    at[1] = (agreeing * 4 + min(num_colours, 4) - 1) * 4 + nearest
    at[2] = np.int64(key >> np.uint64(40)) & ((1 << _BITS) - 1)
    before = choice[2, best]
    at[3] = before
    total = before << _FRACTION
    parts = 1
    for number in range(2):
        entry = maps[number][at[1 + number], at[0], 0]
        weight = 1 + number
        total += weight * (entry if entry >= 0 else before << _FRACTION)
        parts += weight
    after = (total // parts) >> _FRACTION
    after = min(max(after, 1), 65536 - num_colours)
    _share(choice, num_colours, best, before, after)
    return best


@numba.extending.register_jitable
def _share(choice: Any, num_colours: int, best: int, before: Any, after: Any) -> None:
    """Give `best` the size `after`, and the others what is left, as before; each keeps one slot at least."""
    others, left = 65536 - before, 65536 - after
    rest = left
    largest = -1
    for place in range(num_colours + 1):
        if place != best:
            choice[2, place] = 1 + (choice[2, place] * (left - num_colours)) // others
            rest -= choice[2, place]
            if largest < 0 or choice[2, place] > choice[2, largest]:
                largest = place
    choice[2, best] = after
    choice[2, largest] += rest
    start = np.int64(0)
    for place in range(num_colours + 1):
        choice[1, place] = start
        start += choice[2, place]


@numba.extending.register_jitable
def learn(maps: Any, at: Any, hit: bool) -> None:
    """Move the entries that `refine` looked up: the likeliest proposal was right, or not."""
    wanted = np.int64((65535 << _FRACTION) if hit else 0)
    for number in range(2):
        entry = maps[number][at[1 + number], at[0]]
        if entry[0] < 0:
            entry[0], entry[1] = at[3] << _FRACTION, 0
        count = entry[1]
        entry[0] += np.int32(((wanted - entry[0]) * _RATE[count]) >> 16)
        entry[1] = min(count + 1, _LIMIT)
