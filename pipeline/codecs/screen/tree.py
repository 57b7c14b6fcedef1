"""New colours in drawn surroundings: each channel bit by bit, from what such colours were before."""

from typing import Any

import numba.extending
import numpy as np

from pipeline.codecs.screen.mixing import counter_probability, mixed_bit, update
from pipeline.codecs.screen.model import NUM_TREE
from pipeline.codecs.screen.neighbourhoods import spread
from pipeline.codecs.screen.prediction import channel_of

_LIMIT = 127
_MASK = (1 << 18) - 1
_M1, _M2, _M3 = 0x2C1B3C6D9E3779B1, 0x297A2D39AC4F1BCB, 0x165667B19E3779F9


@numba.extending.register_jitable
def code_tree(model: Any, at: Any, colour: Any, likely: Any) -> Any:
    """Code a colour; `likely` is the first of the colours that it is not. Return it."""
    fresh, tools, scratch, colours = model.fresh, model.tools, model.scratch, model.canvas.colours
    inputs, places = scratch.inputs, scratch.places
    stride = model.canvas.shape[2]
    west, north = np.int64(colours[at - 1]), np.int64(colours[at - stride])
    north_west = np.int64(colours[at - stride - 1])
    done = np.int64(0)
    # Two colours on whose line this one may lie: the furthest apart in green around it.
    low = high = west
    for i in range(6):
        other = np.int64(
            colours[at - stride - 1 + i]
            if i < 3
            else colours[at - 2]
            if i == 3
            else colours[at - 2 * stride]
            if i == 4
            else scratch.channel[20]
        )
        if i == 5 and channel_of(high, 0) - channel_of(low, 0) > 12:
            break
        if channel_of(other, 0) < channel_of(low, 0):
            low = other
        elif channel_of(other, 0) > channel_of(high, 0):
            high = other
    contrast = channel_of(high, 0) - channel_of(low, 0)
    for channel in range(3):
        target = channel_of(colour, channel)
        node = np.int64(1)
        w, n, nw = channel_of(west, channel), channel_of(north, channel), channel_of(north_west, channel)
        gradient = min(max(w + n - nw, 0), 255)
        last = done & 255
        shift = gradient
        if channel > 0:
            shift = min(max(gradient + last - channel_of(north, channel - 1), 0), 255)
        line = np.int64(0)
        if channel > 0 and contrast > 0:
            green = done if channel == 1 else done >> 8
            numerator = (
                2 * (green - channel_of(low, 0)) * (channel_of(high, channel) - channel_of(low, channel)) + contrast
            )
            line = channel_of(low, channel) + numerator // (2 * contrast)
            line = min(max(line, 0), 255) + 1
        hash7 = ((line * 3 + channel) * 2 + (contrast > 40)) * _M2 + _M3
        hash0 = done * _M1 + channel
        hash1 = done * _M1 + west * _M2 + channel + 3
        hash2 = done * _M1 + north * _M2 + channel + 6
        hash3 = done * _M1 + (west * _M2 + north) * _M3 + channel + 9
        hash4 = ((w * 256 + n) * _M1 + last) * _M2 + channel + 12
        hash5 = (last * 3 + channel) * _M3 + (likely & 0xFFFFFF) * _M2
        hash6 = (shift * 3 + channel) * _M2 + _M1
        for step in range(8):
            places[0] = spread(hash0 + node * _M3) & _MASK
            places[1] = (1 << 18) + (spread(hash1 + node * _M1) & _MASK)
            places[2] = (2 << 18) + (spread(hash2 + node * _M1) & _MASK)
            places[3] = (3 << 18) + (spread(hash3 + node * _M2) & _MASK)
            places[4] = (4 << 18) + (spread(hash4 + node * _M3) & _MASK)
            places[5] = (5 << 18) + (spread(hash5 + node * _M1) & _MASK)
            places[6] = (6 << 18) + (spread(hash6 + node * _M1) & _MASK)
            places[7] = (7 << 18) + (spread(hash7 + node * _M3) & _MASK)
            for i in range(NUM_TREE):
                inputs[i] = tools.stretch[counter_probability(fresh.tree[places[i]])]
            inputs[NUM_TREE] = 256
            for i in range(NUM_TREE + 1, 16):
                inputs[i] = 0
            sets = (channel * 256 + node, 768 + channel * 8 + step, channel * 256 + node, 12)
            bit = mixed_bit(tools, inputs, (fresh.tree_weights, fresh.tree_apm), sets, (target >> (7 - step)) & 1)
            for i in range(NUM_TREE):
                update(fresh.tree, places[i], bit, tools.reciprocal, _LIMIT)
            node = (node << 1) | bit
        done = (done << 8) | (node & 255)
    scratch.channel[20] = ((done >> 8) & 255) << 16 | (done >> 16) << 8 | (done & 255)
    return ((done >> 8) & 255) << 16 | (done >> 16) << 8 | (done & 255)
