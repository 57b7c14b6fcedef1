"""Where a pixel's surroundings stood before: hashed neighbourhoods, and matches that are followed pixel by pixel."""

from typing import Any

import numpy as np

from pipeline.codecs.screen.compiling import inlined
from pipeline.codecs.screen.model import NUM_MATCHES

_M1, _M2, _M3, _M4 = 0x2C1B3C6D9E3779B1, 0x297A2D39AC4F1BCB, 0x165667B19E3779F9, 0x1B873593CC9E2D51
POINTER, LENGTH, MISSES = 0, 1, 2
"""Places of a match, four words each: what it proposes, hits in a row, misses since the last 16 of them."""
_GIVEN_UP = 8


@inlined
def spread(x: Any) -> Any:
    """Return a hash of a sum of products."""
    x ^= (x >> 29) & 0x7FFFFFFFF
    x *= _M1
    x ^= (x >> 32) & 0xFFFFFFFF
    return x


@inlined
def neighbourhood_hashes(colours: Any, at: Any, stride: Any, hashes: Any) -> None:
    """Write the hashes of the contexts' pixels."""
    above = at - stride
    west, north = np.int64(colours[at - 1]), np.int64(colours[above])
    north_west, north_east = np.int64(colours[above - 1]), np.int64(colours[above + 1])
    west2, north2 = np.int64(colours[at - 2]), np.int64(colours[above - stride])
    two = west * _M1 + north * _M2
    four = two + north_west * _M3 + north_east * _M4
    six = four + west2 * 0x3C6EF372FE94F82B + north2 * 0x1F83D9ABFB41BD6B
    twelve = (
        six
        + np.int64(colours[at - 3]) * 0x5BE0CD19137E2179
        + np.int64(colours[above + 2]) * 0x510E527FADE682D1
        + np.int64(colours[above - 2]) * 0x2A5A8FA3B1C7D4E5
        + np.int64(colours[above - stride + 1]) * 0x428A2F98D728AE23
        + np.int64(colours[above - stride - 1]) * 0x7137449123EF65CD
        + np.int64(colours[above + 3]) * 0x3956C25BF348B539
    )
    row = west * _M2 + west2 * _M3
    for i in range(3, 7):
        row = row * _M4 + np.int64(colours[at - i])
    column = (
        north * _M3
        + north_east * _M1
        + np.int64(colours[above + 2]) * _M4
        + north2 * _M2
        + np.int64(colours[above - stride + 1]) * 0x59F111F1B605D019
    )
    hashes[0] = spread(twelve)
    hashes[1] = spread(six)
    hashes[2] = spread(four)
    hashes[3] = spread(two)
    hashes[4] = spread(row)
    hashes[5] = spread(column)


@inlined
def follow_matches(model: Any, colour: Any) -> None:
    """Move the matches on by one pixel of the given colour."""
    match, colours = model.copies.match, model.canvas.colours
    for i in range(NUM_MATCHES):
        pointer = match[4 * i + POINTER]
        if pointer > 0:
            if colours[pointer] == colour:
                match[4 * i + LENGTH] += 1
                if match[4 * i + LENGTH] > 16:
                    match[4 * i + MISSES] = 0
            else:
                match[4 * i + LENGTH] = 0
                match[4 * i + MISSES] += 1
            match[4 * i + POINTER] = pointer + 1


@inlined
def find_matches(model: Any, at: Any, hashes: Any) -> None:
    """Look for matches where there are none or they have failed; remember this place."""
    copies = model.copies
    match = copies.match
    mask = (1 << copies.match_bits) - 1
    here = hashes[0] & mask
    other = copies.matches[here]
    copies.matches[here] = at
    if other > 0:
        # The first goes wherever the neighbourhood stood last, the second stays true to its place for some misses.
        if match[LENGTH] == 0 and match[POINTER] != other:
            match[POINTER], match[LENGTH], match[MISSES] = other, 0, 0
        if (match[4] == 0 or match[4 + MISSES] > _GIVEN_UP) and match[4] != other:
            match[4], match[4 + LENGTH], match[4 + MISSES] = other, 0, 0
