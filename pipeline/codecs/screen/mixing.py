"""Binary decisions: the range coder, counters, and mixers that learn how much each counter is worth.

Everything is int64. The coder's range lies in [2^32, 2^48) between decisions and is divided by 16-bit probabilities;
the stream is 16-bit words, most significant byte first, whose trailing zero bytes are left out.
"""

from typing import Any

import numba.extending
import numpy as np

from pipeline.codecs.screen.compiling import inlined
from pipeline.codecs.screen.tables import MAX_STRETCH

LOW, RANGE, CODE, PLACE, IS_DECODER, IS_OVER, ROW, COUNT, COST, IS_DRY, IS_FAST = range(11)
"""Places in the coder's state; `PLACE` is the next byte of the buffer."""
NUM_STATE = 11
_FULL = 1 << 48
_WORD = 1 << 32
SLACK = 6
"""Bytes behind its end that a decoder of a good stream may ask for."""
STRIDE = 16
"""Weights a set."""
LEARNING_SHIFT = 20
APM_STEPS = 48


@inlined
def code_bit(tools: Any, probability: Any, bit: Any) -> Any:
    """Code one decision whose probability to be 1 is `probability` of 65536; return it."""
    state, buffer = tools.state, tools.buffer
    if state[IS_DRY]:
        state[COST] += tools.cost[(probability if bit else 65536 - probability) >> 4]
        return bit
    bound = (state[RANGE] >> 16) * probability
    if state[IS_DECODER]:
        bit = np.int64(1) if state[CODE] < bound else np.int64(0)
    state[COST] += tools.cost[(probability if bit else 65536 - probability) >> 4]
    if bit:
        state[RANGE] = bound
    else:
        state[RANGE] -= bound
        if state[IS_DECODER]:
            state[CODE] -= bound
        else:
            state[LOW] += bound
    if state[RANGE] < _WORD:
        _renormalise(state, buffer)
    return bit


@numba.extending.register_jitable
def _renormalise(state: Any, buffer: Any) -> None:
    place = state[PLACE]
    if state[IS_DECODER]:
        word = np.int64(0)
        if place + 1 < len(buffer):
            word = (np.int64(buffer[place]) << 8) | np.int64(buffer[place + 1])
        elif place < len(buffer):
            word = np.int64(buffer[place]) << 8
        elif place >= len(buffer) + SLACK:
            state[IS_OVER] = 1
        state[CODE] = (state[CODE] << 16) | word
    else:
        low = state[LOW]
        if low >= _FULL:
            low -= _FULL
            at = place - 1
            while buffer[at] == 255:
                buffer[at] = 0
                at -= 1
            buffer[at] += 1
        buffer[place] = (low >> 40) & 255
        buffer[place + 1] = (low >> 32) & 255
        state[LOW] = (low & (_WORD - 1)) << 16
    state[RANGE] <<= 16
    state[PLACE] = place + 2


@inlined
def counter_probability(value: Any) -> Any:
    """Return a counter's 16-bit probability, 0..65535."""
    return np.int64(value) >> 16 & 65535


@inlined
def update(counters: Any, at: Any, bit: Any, reciprocal: Any, limit: Any) -> None:
    """Move a counter (22 bits of probability, 10 bits of count) towards a bit."""
    value = np.int64(counters[at]) & 0xFFFFFFFF
    count = value & 1023
    probability = value >> 10
    target = np.int64(4194303) if bit else np.int64(0)
    probability += ((target - probability) * reciprocal[count]) >> 16
    if count < limit:
        count += 1
    counters[at] = np.uint32((probability << 10) | count)


@inlined
def _dot(first: Any, second: Any, inputs: Any) -> Any:
    total = np.int64(0)
    for i in range(len(inputs)):
        total += (np.int64(first[i]) + np.int64(second[i])) * np.int64(inputs[i])
    return total


@inlined
def _train(first: Any, second: Any, inputs: Any, error: Any) -> None:
    for i in range(len(inputs)):
        change = (np.int64(inputs[i]) * error + (1 << (LEARNING_SHIFT - 1))) >> LEARNING_SHIFT
        first[i] = np.int32(first[i] + change)
        second[i] = np.int32(second[i] + change)


@inlined
def mixed_bit(tools: Any, inputs: Any, mixer: Any, sets: Any, bit: Any) -> Any:
    """Mix 16 stretched inputs with the sum of two weight sets, code the decision, and learn from it.

    `sets` is (first set, second set, place in the refining map, rate).
    """
    first_set, second_set, apm_at, rate = sets
    weights, apms = mixer
    first, second, apm = weights[first_set], weights[second_set], apms[apm_at]
    total = _dot(first, second, inputs)
    total = min(max(total >> 16, -MAX_STRETCH), MAX_STRETCH)
    mixed = np.int64(tools.squash[total + MAX_STRETCH])
    # Refining map: interpolated between the two nearest of 49 stretched values.
    shifted = total + 3072
    cell = shifted >> 7
    part = shifted & 127
    refined = (np.int64(apm[cell]) * (128 - part) + np.int64(apm[cell + 1]) * part) >> 7
    probability = min(max((mixed + refined + 1) >> 1, 1), 65535)
    bit = code_bit(tools, probability, bit)
    target = (bit << 16) - bit
    _train(first, second, inputs, (target - mixed) * rate)
    if part >= 64:
        cell += 1
    apm[cell] += (target - apm[cell]) >> 6
    return bit
