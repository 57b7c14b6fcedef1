"""New colours in photographed surroundings: a prediction a channel, and its residual in mixed binary decisions."""

from typing import Any

import numba.extending
import numpy as np

from pipeline.codecs.screen.compiling import inlined
from pipeline.codecs.screen.mixing import IS_FAST, code_bit, counter_probability, mixed_bit, update
from pipeline.codecs.screen.model import FRESH_CONTEXTS, NUM_ENERGIES, NUM_FRESH, NUM_NODES
from pipeline.codecs.screen.prediction import (
    CHANNEL,
    HIGHEST,
    channel_of,
    gather_near,
    learn_guesses,
    learnt_guesses,
    simple_guesses,
)

_MAX_UNARY = 12
_LIMIT, _PLAIN_LIMIT = 255, 1000
_RATE = 9
_ZERO, _SIGN, _UNARY, _LOW = 0, 1, 2, 28
"""Nodes of the decisions about a residual; a coarse one's quotient has nodes of its own."""
_FINEST = 9
_WIDTH = FRESH_CONTEXTS * NUM_NODES
_M1, _M2, _M3, _M4 = 0x2C1B3C6D9E3779B1, 0x297A2D39AC4F1BCB, 0x165667B19E3779F9, 0x1B873593CC9E2D51
_DONE = 4
"""Where the residuals of this pixel stand behind its levels."""


@inlined
def code_residuals(model: Any, at: Any, colour: Any) -> Any:
    """Code a colour channel by channel; return it."""
    gather_near(model, at)
    done = model.scratch.channel
    for channel in range(3):
        done[channel] = _code_channel(model, at, channel, channel_of(colour, channel))
    return (done[1] << 16) | (done[0] << 8) | done[2]


@inlined
def _signed(model: Any, value: Any) -> Any:
    return model.fresh.signed[value + 512]


@inlined
def _level_of(model: Any, total: Any) -> Any:
    """Return the level, 0..23, of a sum of errors."""
    return model.fresh.energy[min(total, 4095)]


@inlined
def _code_channel(model: Any, at: Any, channel: Any, level: Any) -> Any:
    fresh, scratch = model.fresh, model.scratch
    near, done = scratch.near, scratch.channel
    is_fast = model.tools.state[IS_FAST] != 0
    own = CHANNEL * channel
    base = (near[own] + near[own + 1] + 1) >> 1
    simple = simple_guesses(near, done, channel)
    if is_fast:
        one = two = predicted = simple[0] << 3
    else:
        one, two, predicted = learnt_guesses(model, channel, base, simple)
    errors = model.canvas.errors[channel]
    above = at - model.canvas.shape[2]
    e_west, e_north = np.int64(errors[at - 1]), np.int64(errors[above])
    around = 2 * (abs(e_west) + abs(e_north)) + abs(np.int64(errors[above - 1])) + abs(np.int64(errors[above + 1]))
    around += abs(np.int64(errors[above - 2])) + abs(np.int64(errors[above + 2])) + abs(np.int64(errors[at - 2]))
    around += abs(np.int64(errors[above - model.canvas.shape[2]]))
    around += around >> 1 if channel == 0 else 4 * abs(done[_DONE + channel - 1])
    energy = _level_of(model, around)
    # The prediction's bias in two contexts: which neighbours are above it, and which way it was off.
    texture = np.int64(0)
    for i in range(8):
        texture |= np.int64((near[own + i] << 3) > predicted) << i
    signs = (_signed(model, e_west) * 9 + _signed(model, e_north)) * 9
    signs += _signed(model, done[_DONE] if channel else np.int64(0))
    bias1, bias2 = fresh.bias[channel], fresh.bias[channel + 3]
    at_bias1 = (energy >> 2) * 256 + texture
    corrected = min(max(predicted + ((bias1[at_bias1] + bias2[signs]) >> 9), 0), HIGHEST)
    guess, fraction = (corrected + 4) >> 3, (corrected + 4) & 7
    places = scratch.places
    places[0] = (energy * 8 + fraction) * NUM_NODES
    places[1] = (texture * 6 + (energy >> 2)) * NUM_NODES
    places[2] = signs * NUM_NODES
    if not is_fast:
        _more_contexts(model, at, (channel, guess, fraction, energy), simple, two - one)
    coded = _code_difference(model, channel, energy, guess, level)
    level = guess + coded
    done[_DONE + channel] = coded
    errors[at] = coded
    miss = ((level << 3) - predicted) << 8
    bias1[at_bias1] += (miss - bias1[at_bias1]) >> 5
    bias2[signs] += (miss - bias2[signs]) >> 5
    if not is_fast:
        learn_guesses(model, channel, base, (one, two), level)
    return level


@inlined
def _more_contexts(model: Any, at: Any, chosen: Any, simple: Any, apart: Any) -> None:
    """Write the places that only the default effort looks at; `apart` is how far the learnt predictions are."""
    channel, guess, fraction, energy = chosen
    places, near, done = model.scratch.places, model.scratch.near, model.scratch.channel
    errors = model.canvas.errors[channel]
    above = at - model.canvas.shape[2]
    own = CHANNEL * channel
    west, north, north_west, north_east = near[own], near[own + 1], near[own + 2], near[own + 3]
    coarse = energy >> 2
    spread = _signed(model, simple[0] - guess)
    first = done[_DONE] if channel else np.int64(errors[above - 1])
    last = done[_DONE + 1] if channel == 2 else np.int64(errors[above + 1])
    activity = _level_of(model, 3 * (abs(west - north_west) + abs(north - north_east) + abs(north - north_west)))
    known = done[0] * _M3 if channel else np.int64(0)
    known += done[1] * _M4 if channel == 2 else np.int64(0)
    exact = west * _M1 + north * _M2 + known
    exact ^= (exact >> 31) & 0x1FFFFFFFF
    exact *= _M1
    places[3] = (spread * NUM_ENERGIES + energy) * NUM_NODES
    places[4] = ((_signed(model, simple[1] - guess) * 9 + _signed(model, simple[2] - guess)) * 6 + coarse) * NUM_NODES
    places[5] = ((min(max(first, -12), 12) + 12) * 81 + _signed(model, last) * 9 + spread) * NUM_NODES
    places[6] = (guess * 8 + min(abs(west - north), 7)) * NUM_NODES
    places[7] = (activity * NUM_ENERGIES + energy) * NUM_NODES
    places[8] = (((min(max((apart + 4) >> 3, -8), 8) + 8) * 8 + fraction) * 6 + coarse) * NUM_NODES
    places[9] = ((exact >> 40) & (FRESH_CONTEXTS - 1)) * NUM_NODES
    places[10] = ((min(max(west + north - north_west, -1), 256) + 1) * 6 + coarse) * NUM_NODES


@inlined
def _decide(model: Any, channel: Any, energy: Any, node: Any, bit: Any) -> Any:
    """Code one decision about a residual."""
    fresh, tools, places = model.fresh, model.tools, model.scratch.places
    start = channel * NUM_FRESH * _WIDTH + node
    if tools.state[IS_FAST]:
        here, there = start + places[0], start + _WIDTH + places[1]
        probability = (counter_probability(fresh.counters[here]) + counter_probability(fresh.counters[there])) >> 1
        bit = code_bit(tools, min(max(probability, 32), 65535 - 32), bit)
        update(fresh.counters, here, bit, tools.reciprocal, _LIMIT)
        update(fresh.counters, there, bit, tools.reciprocal, _LIMIT)
        return bit
    inputs = model.scratch.inputs
    for i in range(NUM_FRESH):
        inputs[i] = tools.stretch[counter_probability(fresh.counters[start + i * _WIDTH + places[i]])]
    inputs[NUM_FRESH] = 256
    for i in range(NUM_FRESH + 1, 16):
        inputs[i] = 0
    of_energy = channel * NUM_ENERGIES + energy
    sets = (
        channel * NUM_NODES + node,
        3 * NUM_NODES + of_energy * 4 + min(node, 3),
        of_energy * NUM_NODES + node,
        _RATE,
    )
    bit = mixed_bit(tools, inputs, (fresh.weights, fresh.apm), sets, bit)
    for i in range(NUM_FRESH):
        update(fresh.counters, start + i * _WIDTH + places[i], bit, tools.reciprocal, _LIMIT)
    return bit


@inlined
def _plain_bit(tools: Any, counters: Any, place: Any, bit: Any) -> Any:
    """Code a decision by one counter alone."""
    bit = code_bit(tools, min(max(counter_probability(counters[place]), 64), 65535 - 64), bit)
    update(counters, place, bit, tools.reciprocal, _PLAIN_LIMIT)
    return bit


@numba.extending.register_jitable
def _code_excess(tools: Any, counters: Any, channel: Any, value: Any) -> Any:
    """Code 0..254 by the length of value + 1, then its bits; return it."""
    wanted = value + 1
    length = np.int64(0)
    first = channel * 256
    while length < 7:
        if not _plain_bit(tools, counters, first + length, np.int64(wanted >> (length + 1) > 0)):
            break
        length += 1
    done = np.int64(1)
    for i in range(length - 1, -1, -1):
        depth: Any = min(length - 1 - i, 3)
        place = first + 8 + length * 8 + depth * 2 + (done & 1)
        done = (done << 1) | _plain_bit(tools, counters, place, (wanted >> i) & 1)
    return done - 1


@inlined
def _code_difference(model: Any, channel: Any, energy: Any, guess: Any, level: Any) -> Any:
    """Code level - guess, within -guess..255 - guess; return it."""
    tools, low = model.tools, model.fresh.low
    difference = level - guess
    k = max(0, (energy - _FINEST) // 3)
    if k == 0:
        if _decide(model, channel, energy, _ZERO, np.int64(difference == 0)):
            return np.int64(0)
        if 0 < guess < 255:
            negative = _decide(model, channel, energy, _SIGN, np.int64(difference < 0))
        else:
            negative = np.int64(guess == 255)
        magnitude = abs(difference) - 1
    else:
        negative = np.int64(0)
        if guess > 0:
            negative = _decide(model, channel, energy, _SIGN, np.int64(difference < 0))
        magnitude = -difference - 1 if negative else difference
    if negative:
        limit = guess - 1
    elif k == 0:
        limit = 254 - guess
    else:
        limit = 255 - guess
    quotient = np.int64(0)
    wanted = magnitude >> k
    highest = limit >> k
    node = _UNARY + 13 * (k > 0)
    while quotient < min(highest, _MAX_UNARY):
        if not _decide(model, channel, energy, node + quotient, np.int64(wanted > quotient)):
            break
        quotient += 1
    if quotient == _MAX_UNARY and highest > _MAX_UNARY:
        quotient += _code_excess(tools, model.fresh.excess, channel, max(wanted - _MAX_UNARY, 0))
        quotient = min(quotient, highest)
    rest = quotient
    few: Any = min(quotient, 3)
    # The bits below: the first is learnt by its neighbourhood, the others by little.
    for i in range(k - 1, -1, -1):
        bit = (magnitude >> i) & 1
        if i == k - 1:
            bit = _decide(model, channel, energy, _LOW + few, bit)
        else:
            place = ((channel * 8 + k) * 8 + i) * 4 + few
            bit = _plain_bit(tools, low, place, bit)
        rest = (rest << 1) | bit
    value = min(rest, limit)
    if k == 0:
        return -value - 1 if negative else value + 1
    return -value - 1 if negative else value
