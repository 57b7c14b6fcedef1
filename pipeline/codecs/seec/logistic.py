"""Integer distributions of one pixel: the mixture of logistics of a channel, and the choice among copies.

Everything here is int64 and the same on every machine. A cumulative distribution runs from 0 to 2^16 over the 256
levels and rises with every level: F is the mixture's, scaled to 2^16 - 256, and each level adds one.

    F(v) = (sum_k w_k S((v + 1/2 - m_k) / s_k)) (2^16 - 256) / 2^32,  S and w_k of 16 bits
    C(v) = F(v - 1) + v for v = 1..255,  C(0) = 0,  C(256) = 2^16

S is interpolated between stored values and never falls, so neither does F.
"""

from typing import Any

import numba.extending
import numpy as np

from pipeline.codecs.seec.frozen_pixels import OUTPUT_FRACTION, SIGMOID_RANGE, SIGMOID_STEPS_LOG2
from pipeline.codecs.seec.mixture import MAX_MEAN, MIN_MEAN

_ONE = 1 << 16
_NUM_LEVELS = 256
_SHARED = _ONE - _NUM_LEVELS
_HALF_LEVEL = 1 << (OUTPUT_FRACTION - 1)
_LOW_MEAN, _HIGH_MEAN = int(MIN_MEAN) << OUTPUT_FRACTION, int(MAX_MEAN) << OUTPUT_FRACTION
# Logarithms to the base 2, OUTPUT_FRACTION bits, of inverse scales: 1/16 level to about 150 levels, as in training.
_LOW_INVERSE, _HIGH_INVERSE = -(7 << OUTPUT_FRACTION) - 54, 4 << OUTPUT_FRACTION
_INVERSE_FRACTION = 12
# A distance has OUTPUT_FRACTION bits and its product with an inverse 20; 16 are kept, 10 of them between two steps.
_DROPPED = OUTPUT_FRACTION + _INVERSE_FRACTION - 16
_RANGE_LOG2 = SIGMOID_RANGE.bit_length() - 1
_BETWEEN = 16 + _RANGE_LOG2 - SIGMOID_STEPS_LOG2
_LIMIT = (SIGMOID_RANGE << 16) - 1


@numba.extending.register_jitable
def power_of_2(power: Any, exponent: Any, fraction: int) -> Any:
    """Return 2^exponent with `fraction` bits; the exponent has OUTPUT_FRACTION bits and the result is below 2^47."""
    whole = exponent >> OUTPUT_FRACTION
    value = power[exponent & ((1 << OUTPUT_FRACTION) - 1)]
    shift = whole + fraction - 16
    return value << shift if shift >= 0 else value >> min(-shift, 62)


@numba.extending.register_jitable
def logistic(sigmoid: Any, x: Any) -> Any:
    """Return the logistic function of x, 16 bits both."""
    magnitude = min(abs(x), _LIMIT)
    step = magnitude >> _BETWEEN
    low = sigmoid[step]
    value = low + (((sigmoid[step + 1] - low) * (magnitude & ((1 << _BETWEEN) - 1))) >> _BETWEEN)
    return _ONE - value if x < 0 else value


@numba.extending.register_jitable
def half_open_tanh(sigmoid: Any, x: Any) -> Any:
    """Return tanh of x (OUTPUT_FRACTION bits) with 16 bits."""
    return 2 * logistic(sigmoid, x << (17 - OUTPUT_FRACTION)) - _ONE


@numba.extending.register_jitable
def set_mixture(tables: Any, outputs: Any, layout: Any, channel: int, coded: Any, mixture: Any) -> None:
    """Write the components (means, inverse scales, weights: (3, K)) of one channel.

    `outputs` are the head's for this pixel, `coded` (2, 3) the base and the channels so far; `layout` is (place of the
    first mean, K, whether channels have their own weights).
    """
    sigmoid, power = tables
    first, k, own_weights = layout
    weights_at = first + 9 * k + (channel * k if own_weights else 0)
    highest = outputs[weights_at]
    for i in range(1, k):
        highest = max(highest, outputs[weights_at + i])
    total = np.int64(0)
    for i in range(k):
        mean = (np.int64(coded[0, channel]) << OUTPUT_FRACTION) + outputs[first + channel * k + i]
        for earlier in range(channel):
            coefficient = np.int64(outputs[first + 6 * k + (earlier + channel - 1) * k + i])
            distance = np.int64(coded[1, earlier]) - np.int64(coded[0, earlier])
            mean += (half_open_tanh(sigmoid, coefficient) * (distance << OUTPUT_FRACTION)) >> 16
        mixture[0, i] = min(max(mean, _LOW_MEAN), _HIGH_MEAN)
        inverse = min(max(np.int64(outputs[first + 3 * k + channel * k + i]), _LOW_INVERSE), _HIGH_INVERSE)
        mixture[1, i] = power_of_2(power, inverse, _INVERSE_FRACTION)
        mixture[2, i] = power_of_2(power, np.int64(outputs[weights_at + i]) - highest, 16)
        total += mixture[2, i]
    rest = np.int64(_ONE)
    largest = 0
    for i in range(k):
        mixture[2, i] = (mixture[2, i] << 16) // total
        rest -= mixture[2, i]
        if mixture[2, i] > mixture[2, largest]:
            largest = i
    mixture[2, largest] += rest


@numba.extending.register_jitable
def cumulative(sigmoid: Any, mixture: Any, level: Any) -> Any:
    """Return C(level), level 0..256."""
    if level <= 0:
        return np.int64(0)
    if level >= _NUM_LEVELS:
        return np.int64(_ONE)
    total = np.int64(0)
    edge = (np.int64(level) << OUTPUT_FRACTION) - _HALF_LEVEL
    for i in range(mixture.shape[1]):
        x = ((edge - mixture[0, i]) * mixture[1, i]) >> _DROPPED
        total += mixture[2, i] * logistic(sigmoid, x)
    return ((total * _SHARED) >> 32) + level


@numba.extending.register_jitable
def level_at(sigmoid: Any, mixture: Any, slot: Any) -> Any:
    """Return the level in whose interval a slot lies."""
    low, high = 0, _NUM_LEVELS - 1
    while low < high:
        middle = (low + high + 1) >> 1
        if cumulative(sigmoid, mixture, middle) <= slot:
            low = middle
        else:
            high = middle - 1
    return low


@numba.extending.register_jitable
def mean_level(mixture: Any) -> Any:
    """Return the mixture's mean, rounded, 0..255."""
    total = np.int64(0)
    for i in range(mixture.shape[1]):
        total += mixture[2, i] * mixture[0, i]
    level = (total + (np.int64(1) << (15 + OUTPUT_FRACTION))) >> (16 + OUTPUT_FRACTION)
    return min(max(level, 0), _NUM_LEVELS - 1)


@numba.extending.register_jitable
def set_choice(power: Any, outputs: Any, sources: Any, choice: Any) -> int:
    """Write the distinct proposed colours and their intervals; return their number D.

    `choice` is (3, S + 1): colours (the last one, at D, is none of them: -1), starts, sizes. Sources that propose the
    same colour add their shares, colours come in the order of their first source.
    """
    num_sources = len(sources)
    highest = outputs[num_sources]
    for source in range(num_sources):
        if sources[source] >= 0:
            highest = max(highest, outputs[source])
    count = 0
    total = np.int64(0)
    for source in range(num_sources + 1):
        is_none = source == num_sources
        if not is_none and sources[source] < 0:
            continue
        share = power_of_2(power, np.int64(outputs[source]) - highest, 16)
        total += share
        colour = np.int64(-1) if is_none else np.int64(sources[source])
        place = 0
        while place < count and choice[0, place] != colour:
            place += 1
        if place == count:
            choice[0, place], choice[2, place] = colour, 0
            count += 1
        choice[2, place] += share
    shared = _ONE - count
    rest = np.int64(shared)
    largest = 0
    for place in range(count):
        choice[2, place] = choice[2, place] * shared // total
        rest -= choice[2, place]
        if choice[2, place] > choice[2, largest]:
            largest = place
    choice[2, largest] += rest
    start = np.int64(0)
    for place in range(count):
        choice[2, place] += 1
        choice[1, place] = start
        start += choice[2, place]
    return count - 1
