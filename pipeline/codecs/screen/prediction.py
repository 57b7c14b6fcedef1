"""What a channel's level will be, from the neighbours' channels and the ones of this pixel that are known.

Channels go in the order G, R, B. Levels are predicted in eighths. Three simple predictors are among the inputs of two
that learn: normalised least mean squares of 24 taps, and least squares of 16 taps over what was seen lately, by exact
steps in a few coordinates a pixel. Their mean is weighted by how far each was off.
"""

from typing import Any

import numpy as np

from pipeline.codecs.screen.compiling import inlined

NUM_NEAR = 10
"""W, N, NW, NE, WW, NN, NEE, NNE, NWW, NNW."""
CHANNEL = 16
"""Places of one channel among the neighbours' levels."""
HIGHEST = 255 << 3
_LMS_FRACTION = 16
_LMS_RATE = 24
_FORGETTING = 9
_STEPS = 2
_RIDGE = 1 << 12
_LARGEST = 1 << 19


@inlined
def channel_of(colour: Any, channel: Any) -> Any:
    """Return channel 0 (G), 1 (R) or 2 (B) of a colour."""
    shift = 8 if channel == 0 else 16 if channel == 1 else 0
    return (np.int64(colour) >> shift) & 255


@inlined
def gather_near(model: Any, at: Any) -> None:
    """Write the neighbours' channels."""
    colours, near = model.canvas.colours, model.scratch.near
    stride = model.canvas.shape[2]
    above = at - stride
    top = above - stride
    near_places = (at - 1, above, above - 1, above + 1, at - 2, top, above + 2, top + 1, above - 2, top - 1)
    for i in range(NUM_NEAR):
        colour = np.int64(colours[near_places[i]])
        near[i] = (colour >> 8) & 255
        near[CHANNEL + i] = colour >> 16
        near[2 * CHANNEL + i] = colour & 255


@inlined
def _median(west: Any, north: Any, north_west: Any) -> Any:
    """Return the middle of W, N and W + N - NW."""
    low, high = min(west, north), max(west, north)
    return min(max(west + north - north_west, low), high)


@inlined
def clip(value: Any) -> Any:
    """Return the nearest level."""
    return min(max(value, 0), 255)


@inlined
def simple_guesses(near: Any, done: Any, channel: Any) -> Any:
    """Return three predictions of a channel, in levels; those of R and B take differences to G, the last of B to R."""
    own = CHANNEL * channel
    west, north, north_west, north_east = near[own], near[own + 1], near[own + 2], near[own + 3]
    if channel == 0:
        plain = _median(west, north, north_west)
        return plain, clip(west + north_east - north), clip(2 * north - near[own + 5])
    plain = clip(_median(west - near[0], north - near[1], north_west - near[2]) + done[0])
    other = clip(west + done[0] - near[0])
    third = clip(north + done[0] - near[1])
    if channel == 2:
        red = CHANNEL
        third = clip(_median(west - near[red], north - near[red + 1], north_west - near[red + 2]) + done[1])
    return plain, other, third


@inlined
def learnt_guesses(model: Any, channel: Any, base: Any, guesses: Any) -> Any:
    """Return the predictions of the least mean squares and of the least squares, and their mean, in eighths."""
    fresh, scratch = model.fresh, model.scratch
    near, taps, done, basis = scratch.near, scratch.taps, scratch.channel, scratch.basis
    own = CHANNEL * channel
    for i in range(NUM_NEAR):
        taps[i] = near[own + i] - base
    count = NUM_NEAR
    for step in range(1, 3):
        other = channel + step - (3 if channel + step > 2 else 0)
        its = CHANNEL * other
        its_base = (near[its] + near[its + 1] + 1) >> 1
        for i in range(4):
            taps[count + i] = near[its + i] - its_base
        count += 4
        taps[18 + step] = done[other] - its_base if other < channel else np.int64(0)
    taps[18], taps[21], taps[22] = guesses[0] - base, guesses[1] - base, guesses[2] - base
    weights = fresh.lms[channel]
    total = np.int64(0)
    for i in range(len(taps)):
        total += np.int64(weights[i]) * np.int64(taps[i])
    one = min(max((base << 3) + (total >> (_LMS_FRACTION - 3)), 0), HIGHEST)
    for i in range(8):
        basis[i] = taps[i]
    for i in range(3):
        basis[8 + i] = taps[10 + i]
        basis[11 + i] = taps[14 + i]
    basis[14], basis[15] = taps[19], taps[20]
    solution = fresh.solutions[channel]
    total = np.int64(0)
    for i in range(len(basis)):
        total += solution[i] * basis[i]
    two = min(max((base << 3) + (total >> (_LMS_FRACTION - 3)), 0), HIGHEST)
    misses = fresh.misses[channel]
    of_one, of_two = misses[0] + 16, misses[1] + 16
    of_one *= of_one
    of_two *= of_two
    return one, two, (one * of_two + two * of_one) // (of_one + of_two)


@inlined
def learn_guesses(model: Any, channel: Any, base: Any, guesses: Any, level: Any) -> None:
    """Move both predictors towards a level; `guesses` are theirs."""
    fresh, taps, basis = model.fresh, model.scratch.taps, model.scratch.basis
    miss = (level << 3) - guesses[0]
    misses = fresh.misses[channel]
    misses[0] += ((abs(miss) << 8) - misses[0]) >> 5
    misses[1] += ((abs((level << 3) - guesses[1]) << 8) - misses[1]) >> 5
    power = np.int64(0)
    for i in range(len(taps)):
        power += np.int64(taps[i]) * np.int64(taps[i])
    scale = (miss << _LMS_RATE) // ((power + 32) << 6)
    weights = fresh.lms[channel]
    for i in range(len(taps)):
        weights[i] = np.int32(weights[i] + ((scale * np.int64(taps[i])) >> 10))
    solution, products = fresh.solutions[channel], fresh.products[channel]
    target = level - base
    for i in range(len(basis)):
        products[i] += ((basis[i] * target) << 8) - (products[i] >> _FORGETTING)
    for i in range(len(basis)):
        x = basis[i] << 8
        row = fresh.squares[channel, i]
        for j in range(len(basis)):
            row[j] += x * basis[j] - (row[j] >> _FORGETTING)
    turn = fresh.turns[channel]
    for _ in range(_STEPS):
        row = fresh.squares[channel, turn]
        total = products[turn] << _LMS_FRACTION
        for j in range(len(basis)):
            total -= row[j] * solution[j]
        # Bounds keep the next sums within 64 bits whatever the pixels are.
        solution[turn] = min(max(solution[turn] + total // (row[turn] + _RIDGE), -_LARGEST), _LARGEST)
        turn = (turn + 1) & (len(basis) - 1)
    fresh.turns[channel] = turn
