"""Which way a pixel goes: by what each way took lately in such surroundings.

One pixel in some is coded a second time, the other way, without writing: that costs no bits, teaches the other way,
and tells both sides what it would have taken.
"""

from typing import Any

import numba.extending
import numpy as np

from pipeline.codecs.screen.compiling import inlined
from pipeline.codecs.screen.copies import code_copy, gather_sources, learn
from pipeline.codecs.screen.mixing import COST, IS_DRY
from pipeline.codecs.screen.neighbourhoods import LENGTH
from pipeline.codecs.screen.residuals import code_residuals
from pipeline.codecs.screen.tree import code_tree

BY_COPIES, BY_RESIDUALS, BY_TREE, NEW_BY_RESIDUALS = range(4)
"""Running means of one context, in 1/256 bit."""
NUM_WAYS = 4


@inlined
def surroundings(model: Any, at: Any) -> Any:
    """Return the context, 0..1023, in which ways to code a pixel are compared."""
    canvas = model.canvas
    colours, is_new = canvas.colours, canvas.is_new
    stride = canvas.shape[2]
    above = at - stride
    west, north = np.int64(colours[at - 1]), np.int64(colours[above])
    north_west, north_east = np.int64(colours[above - 1]), np.int64(colours[above + 1])
    fresh = np.int64(is_new[at - 1]) + np.int64(is_new[at - 2]) + np.int64(is_new[above - stride])
    for i in range(-2, 3):
        fresh += np.int64(is_new[above + i])
    equal = np.int64(west == north_west) + np.int64(north == north_west) + np.int64(north == north_east)
    equal += np.int64(west == north) + np.int64(west == colours[at - 2]) + np.int64(north == colours[above - stride])
    g0, g1, g2, g3 = (west >> 8) & 255, (north >> 8) & 255, (north_west >> 8) & 255, (north_east >> 8) & 255
    reach = max(g0, g1, g2, g3) - min(g0, g1, g2, g3)
    level = 0 if reach == 0 else 1 if reach < 3 else 2 if reach < 9 else 3 if reach < 25 else 4
    length = max(model.copies.match[LENGTH], model.copies.match[4 + LENGTH])
    matched = 0 if length == 0 else 1 if length < 16 else 2
    same: Any = min(equal, 3)
    return ((fresh * 4 + same) * 5 + level) * 3 + matched


@inlined
def record(arms: Any, at: Any, cost: Any) -> None:
    """Take a cost into a running mean."""
    arms[at] += (cost - arms[at]) >> 4


@numba.extending.register_jitable
def _code_new(model: Any, at: Any, arm: Any, is_sampled: Any, colour: Any) -> Any:
    """Code a colour that no candidate is."""
    arms, state = model.fresh.arms, model.tools.state
    before = state[COST]
    likely = model.scratch.candidates[0]
    # The bits are let win by a narrow margin: they pay off later, when the same colours come again.
    if 4 * arms[arm + BY_TREE] <= 5 * arms[arm + NEW_BY_RESIDUALS]:
        colour = code_tree(model, at, colour, likely)
        record(arms, arm + BY_TREE, state[COST] - before)
        if is_sampled and not state[IS_DRY]:
            state[IS_DRY] = 1
            before = state[COST]
            code_residuals(model, at, colour)
            state[IS_DRY] = 0
            record(arms, arm + NEW_BY_RESIDUALS, state[COST] - before)
            state[COST] = before
    else:
        colour = code_residuals(model, at, colour)
        record(arms, arm + NEW_BY_RESIDUALS, state[COST] - before)
        if is_sampled and not state[IS_DRY]:
            state[IS_DRY] = 1
            before = state[COST]
            code_tree(model, at, colour, likely)
            state[IS_DRY] = 0
            record(arms, arm + BY_TREE, state[COST] - before)
            state[COST] = before
    return colour


@inlined
def code_by_copies(model: Any, at: Any, first: Any, arm: Any, is_sampled: Any, colour: Any) -> Any:
    """Ask for the candidates, code a new colour if it is none, and learn."""
    hashes = model.scratch.hashes
    gather_sources(model, at, hashes, np.int64(model.canvas.colours[at - 1]) if first else np.int64(-1))
    found = code_copy(model, at, hashes, first, colour)
    if found >= 0:
        colour = found
    else:
        if not model.tools.state[IS_DRY]:
            model.canvas.is_new[at] = 1
        colour = _code_new(model, at, arm, is_sampled, colour)
    learn(model, hashes, colour)
    return colour
