"""Pixels whose surroundings have one colour: one decision, whether they go on like that."""

from typing import Any

import numpy as np

from pipeline.codecs.screen.compiling import inlined
from pipeline.codecs.screen.mixing import counter_probability, mixed_bit, update
from pipeline.codecs.screen.neighbourhoods import LENGTH, POINTER, spread

_LIMIT = 1000
_M1, _M2 = 0x2C1B3C6D9E3779B1, 0x297A2D39AC4F1BCB


@inlined
def is_flat(colours: Any, at: Any, stride: Any) -> Any:
    """Return whether W, N, NW, NE, WW and NN are the same."""
    west = colours[at - 1]
    above = at - stride
    return (
        colours[above] == west
        and colours[above - 1] == west
        and colours[above + 1] == west
        and colours[at - 2] == west
        and colours[above - stride] == west
    )


@inlined
def code_flat(model: Any, at: Any, run: Any, colour: Any) -> Any:
    """Ask whether a pixel in flat surroundings goes on like them."""
    copies, tools, inputs, places = model.copies, model.tools, model.scratch.inputs, model.scratch.places
    colours, stride = model.canvas.colours, model.canvas.shape[2]
    above = at - stride
    west = np.int64(colours[at - 1])
    pattern = np.int64(0)
    if colours[above + 2] == west:
        pattern |= 1
    if colours[above + 3] == west:
        pattern |= 2
    if colours[above - 2] == west:
        pattern |= 4
    if colours[at - 3] == west:
        pattern |= 8
    if colours[above - stride + 1] == west:
        pattern |= 16
    if colours[above - stride - 1] == west:
        pattern |= 32
    if colours[above - 2 * stride] == west:
        pattern |= 64
    far = np.int64(0)
    for i in range(4, 8):
        if colours[above + i] == west:
            far += 1
    match = np.int64(0)
    level = np.int64(0)
    for i in range(2):
        pointer = copies.match[4 * i + POINTER]
        if pointer > 0:
            match += (1 if colours[pointer] == west else 2) * (1 + 2 * i)
            level = max(level, copies.run_levels[min(copies.match[4 * i + LENGTH] >> 1, 63)])
    length = copies.run_levels[min(run, 63)]
    places[0] = (pattern << 4) | (match << 0)
    places[1] = (1 << 16) + ((match << 4) | level)
    places[2] = (2 << 16) + (spread(west * _M1 + pattern) & 65535)
    places[3] = (3 << 16) + ((length << 3) | far)
    places[4] = (4 << 16) + (
        spread(np.int64(colours[above + 2]) * _M1 + np.int64(colours[above + 3]) * _M2 + match) & 65535
    )
    for i in range(5):
        inputs[i] = tools.stretch[counter_probability(copies.flat[places[i]])]
    inputs[5] = 256
    for i in range(6, 16):
        inputs[i] = 0
    sets = (match, 64 + (length if match < 3 else 16 + length), pattern * 8 + far, 4)
    bit = mixed_bit(tools, inputs, (copies.flat_weights, copies.flat_apm), sets, np.int64(colour == west))
    for i in range(5):
        update(copies.flat, places[i], bit, tools.reciprocal, _LIMIT)
    return bit
