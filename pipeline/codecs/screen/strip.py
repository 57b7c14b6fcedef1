"""One strip's pixels, first to last: the same walk for encoder and decoder."""

from typing import Any

import numpy as np

from pipeline.codecs.screen.compiling import inlined
from pipeline.codecs.screen.flat import code_flat, is_flat
from pipeline.codecs.screen.mixing import COST, COUNT, IS_DECODER, IS_DRY, IS_FAST, IS_OVER, PLACE, ROW
from pipeline.codecs.screen.model import LEFT, RIGHT, TOP
from pipeline.codecs.screen.neighbourhoods import find_matches, follow_matches, neighbourhood_hashes
from pipeline.codecs.screen.residuals import code_residuals
from pipeline.codecs.screen.ways import BY_COPIES, BY_RESIDUALS, NUM_WAYS, code_by_copies, record, surroundings

MAX_PIXEL_BYTES = 320
"""More than any pixel's decisions can take."""
_OFTEN, _RARELY, _FAST_RARELY = 7, 31, 127
"""One more than these are the pixels of which one is coded both ways: among the first ones, later, with `fast`."""
_EARLY = 8192


@inlined
def _border(canvas: Any, row: Any) -> None:
    """Set what lies left of a row and right of the row above."""
    colours = canvas.colours
    width, stride = canvas.shape[1], canvas.shape[2]
    first = (row + TOP) * stride
    left = colours[first - stride + LEFT]
    for i in range(LEFT):
        colours[first + i] = left
    right = colours[first - stride + LEFT + width - 1]
    for i in range(RIGHT):
        colours[first - stride + LEFT + width + i] = right


def code_rows(model: Any) -> None:
    """Code rows from the state's on, until all are done, the buffer is too full for another, or the stream is over."""
    canvas, tools = model.canvas, model.tools
    colours, is_new = canvas.colours, canvas.is_new
    height, width, stride = canvas.shape[0], canvas.shape[1], canvas.shape[2]
    state, hashes = tools.state, model.scratch.hashes
    arms = model.fresh.arms
    rarely = _FAST_RARELY if state[IS_FAST] else _RARELY
    is_decoder = state[IS_DECODER] != 0
    while state[ROW] < height:
        if state[IS_OVER]:
            return
        if not is_decoder and state[PLACE] + (width + 1) * MAX_PIXEL_BYTES > len(tools.buffer):
            return
        row = state[ROW]
        _border(canvas, row)
        run = np.int64(0)
        for column in range(width):
            at = (row + TOP) * stride + LEFT + column
            colour = np.int64(-2) if is_decoder else np.int64(colours[at])
            first = 0
            if is_flat(colours, at, stride):
                west = np.int64(colours[at - 1])
                if code_flat(model, at, run, colour):
                    colours[at] = west
                    follow_matches(model, west)
                    run += 1
                    continue
                first = 1
            run = np.int64(0)
            arm = NUM_WAYS * surroundings(model, at)
            state[COUNT] += 1
            is_sampled = (state[COUNT] & (_OFTEN if state[COUNT] < _EARLY else rarely)) == 0
            by_copies = first != 0 or arms[arm + BY_COPIES] <= arms[arm + BY_RESIDUALS]
            if by_copies or is_sampled or not state[IS_FAST]:
                neighbourhood_hashes(colours, at, stride, hashes)
                find_matches(model, at, hashes)
            before = state[COST]
            if by_copies:
                colour = code_by_copies(model, at, first, arm, is_sampled, colour)
                if not first:
                    record(arms, arm + BY_COPIES, state[COST] - before)
                    if is_sampled:
                        state[IS_DRY] = 1
                        before = state[COST]
                        code_residuals(model, at, colour)
                        state[IS_DRY] = 0
                        record(arms, arm + BY_RESIDUALS, state[COST] - before)
                        state[COST] = before
                        if not is_new[at]:
                            for channel in range(3):
                                canvas.errors[channel, at] = 0
            else:
                is_new[at] = 1
                colour = code_residuals(model, at, colour)
                record(arms, arm + BY_RESIDUALS, state[COST] - before)
                if is_sampled:
                    state[IS_DRY] = 1
                    before = state[COST]
                    code_by_copies(model, at, first, arm, False, colour)
                    state[IS_DRY] = 0
                    record(arms, arm + BY_COPIES, state[COST] - before)
                    state[COST] = before
            colours[at] = np.int32(colour)
            follow_matches(model, colour)
        state[ROW] += 1
