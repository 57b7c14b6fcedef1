"""The kernels of one step: gather what pixels are predicted from; code them and put them on the canvas.

Shapes: P pixels of the step, top row first.
"""

from typing import Any

import numba.extending
import numpy as np

from pipeline.codecs.intervals import advance, peek
from pipeline.codecs.seec.logistic import cumulative, level_at, mean_level, set_choice, set_mixture
from pipeline.codecs.seec.neighbours import (
    NUM_DENSE,
    NUM_SOURCES,
    base_colour,
    copy_features,
    dense_features,
    neighbourhoods,
    propose,
    remember,
)
from pipeline.codecs.seec.refinement import learn, refine
from pipeline.codecs.seec.wavefront import TAPS

_ROW_OF = np.array([row for row, _ in TAPS], dtype=np.int32)
_COLUMN_OF = np.array([column for _, column in TAPS], dtype=np.int32)
MAX_INTERVALS = 4
"""Symbols a pixel: the choice among copies, then R, G, B."""


def gather_taps(colours: Any, places: Any, inputs: Any) -> None:
    """Write the levels of the 22 neighbours (P, 66), 0 outside the patch; places (2, P) are rows and columns."""
    for p in range(places.shape[1]):
        for tap in range(len(_ROW_OF)):
            colour = colours[places[0, p] + _ROW_OF[tap], places[1, p] + _COLUMN_OF[tap]]
            for channel in range(3):
                inputs[p, 3 * tap + channel] = (colour >> (16 - 8 * channel)) & 255 if colour >= 0 else 0


def gather(canvas: Any, places: Any, copies: Any, limits: Any, outs: Any) -> None:
    """Write inputs (P, NUM_DENSE + NUM_COPY_FEATURES), base colours, neighbourhoods and proposals."""
    inputs, base, keys, sources = outs
    colours = canvas[0]
    for p in range(places.shape[1]):
        row, column = places[0, p], places[1, p]
        colour = base_colour(colours, row, column)
        for channel in range(3):
            base[p, channel] = colour[channel]
        dense_features(colours, row, column, colour, inputs[p])
        if copies[p]:
            neighbourhoods(colours, row, column, keys[p])
            propose(canvas, row, column, keys[p], limits, sources[p])
            copy_features(canvas, row, column, keys[p], sources[p], inputs[p, NUM_DENSE:])


@numba.extending.register_jitable
def _is_near(left: Any, right: Any, reach: int) -> bool:
    """Return whether two colours differ by at most `reach` in each channel."""
    furthest = 0
    for shift in (16, 8, 0):
        furthest = max(furthest, abs(((left >> shift) & 255) - ((right >> shift) & 255)))
    return furthest <= reach


def encode_step(canvas: Any, places: Any, pixels: Any, model: Any, out: Any) -> Any:
    """Collect the intervals of a step's pixels; return how many. Inexact pixels are replaced by what decodes.

    `pixels`: (colours (P,), kinds (P,), base (P, 3), keys, sources), `model`: (outputs (P, O), layouts, tables,
    background step, adaptive maps), `out`: (intervals (4 P, 2), bits by class). A kind is 2 * class + (1 if the pixel
    is exact).
    """
    colours, kinds, base, keys, sources = pixels
    outputs, layouts, tables, background, maps = model
    intervals, bits = out
    choice = np.empty((3, NUM_SOURCES + 1), dtype=np.int64)
    looked_up = np.empty(4, dtype=np.int64)
    coded = np.zeros((2, 3), dtype=np.int64)
    mixture = np.empty((3, layouts[0, 1]), dtype=np.int64)
    count = 0
    for p in range(places.shape[1]):
        of_class, is_exact = kinds[p] >> 1, kinds[p] & 1
        first, num_mixtures, own_weights = layouts[of_class]
        layout = (first, num_mixtures, own_weights)
        began = count
        colour = np.int64(colours[p])
        # How far a pixel may be off: a copy within that counts as right.
        reach = 0 if is_exact else background >> 1
        is_done = False
        if first:
            num_colours = set_choice(tables[1], outputs[p], sources[p], choice)
            likeliest = refine(choice, num_colours, sources[p], keys[p, 1], maps, looked_up)
            if not is_exact and not background:
                best = _likeliest(choice, num_colours)
                if best < num_colours:
                    colour, is_done = choice[0, best], True
            elif num_colours:
                place = _best_copy(choice, num_colours, colour, reach)
                learn(maps, looked_up, place == likeliest)
                intervals[count, 0], intervals[count, 1] = choice[1, place], choice[2, place] - 1
                count += 1
                if place < num_colours:
                    colour, is_done = choice[0, place], True
        if not is_done:
            result = np.int64(0)
            for channel in range(3):
                coded[0, channel] = base[p, channel]
                set_mixture(tables, outputs[p], layout, channel, coded, mixture)
                level = (colour >> (16 - 8 * channel)) & 255
                if is_exact:
                    start = cumulative(tables[0], mixture, level)
                    end = cumulative(tables[0], mixture, level + 1)
                elif background:
                    level, low, high = _bin_of(mean_level(mixture), level, background)
                    start, end = cumulative(tables[0], mixture, low), cumulative(tables[0], mixture, high)
                else:
                    level, start, end = mean_level(mixture), np.int64(0), np.int64(0)
                # A bin that holds all levels says nothing.
                if 0 < end - start < 65536:
                    intervals[count, 0], intervals[count, 1] = start, end - start - 1
                    count += 1
                coded[1, channel] = level
                result = (result << 8) | level
            colour = result
        for i in range(began, count):
            bits[of_class] += 16.0 - np.log2(intervals[i, 1] + 1.0)
        if first:
            remember(canvas, places[0, p], places[1, p], keys[p], sources[p], np.int32(colour))
        else:
            canvas[0][places[0, p], places[1, p]] = colour
        colours[p] = colour
    return count


def decode_step(canvas: Any, places: Any, pixels: Any, model: Any, stream: Any) -> None:
    """The inverse: read a step's colours, with the same arguments but for `stream`: (words, place) of a reader."""
    colours, kinds, base, keys, sources = pixels
    outputs, layouts, tables, background, maps = model
    words, place_in_words = stream
    choice = np.empty((3, NUM_SOURCES + 1), dtype=np.int64)
    looked_up = np.empty(4, dtype=np.int64)
    coded = np.zeros((2, 3), dtype=np.int64)
    mixture = np.empty((3, layouts[0, 1]), dtype=np.int64)
    for p in range(places.shape[1]):
        of_class, is_exact = kinds[p] >> 1, kinds[p] & 1
        first, num_mixtures, own_weights = layouts[of_class]
        layout = (first, num_mixtures, own_weights)
        colour = np.int64(-1)
        if first:
            num_colours = set_choice(tables[1], outputs[p], sources[p], choice)
            likeliest = refine(choice, num_colours, sources[p], keys[p, 1], maps, looked_up)
            if not is_exact and not background:
                colour = choice[0, _likeliest(choice, num_colours)]
            elif num_colours:
                slot = peek(place_in_words)
                place = 0
                while slot >= choice[1, place] + choice[2, place]:
                    place += 1
                advance(words, place_in_words, choice[1, place], choice[2, place])
                learn(maps, looked_up, place == likeliest)
                colour = choice[0, place]
        if colour < 0:
            result = np.int64(0)
            for channel in range(3):
                coded[0, channel] = base[p, channel]
                set_mixture(tables, outputs[p], layout, channel, coded, mixture)
                low = high = np.int64(0)
                level = np.int64(0)
                if is_exact:
                    level = np.int64(level_at(tables[0], mixture, peek(place_in_words)))
                    low, high = level, level + 1
                elif background:
                    level = np.int64(level_at(tables[0], mixture, peek(place_in_words)))
                    level, low, high = _bin_of(mean_level(mixture), level, background)
                else:
                    level = mean_level(mixture)
                if low < high:
                    start, end = cumulative(tables[0], mixture, low), cumulative(tables[0], mixture, high)
                    if end - start < 65536:
                        advance(words, place_in_words, start, end - start)
                coded[1, channel] = level
                result = (result << 8) | level
            colour = result
        if first:
            remember(canvas, places[0, p], places[1, p], keys[p], sources[p], np.int32(colour))
        else:
            canvas[0][places[0, p], places[1, p]] = colour
        colours[p] = colour


@numba.extending.register_jitable
def _likeliest(choice: Any, num_colours: int) -> int:
    """Return the place of the largest interval, none's included."""
    best = 0
    for place in range(1, num_colours + 1):
        if choice[2, place] > choice[2, best]:
            best = place
    return best


@numba.extending.register_jitable
def _best_copy(choice: Any, num_colours: int, colour: Any, reach: int) -> int:
    """Return the cheapest proposed colour that is near enough; num_colours if there is none."""
    best = num_colours
    for place in range(num_colours):
        if _is_near(choice[0, place], colour, reach) and (best == num_colours or choice[2, place] > choice[2, best]):
            best = place
    return best


@numba.extending.register_jitable
def _bin_of(centre: Any, level: Any, step: int) -> Any:
    """Return (what a level is rounded to, first level of its bin, end of its bin).

    Bins of `step` levels are counted from the one whose middle is `centre`; at most step // 2 from what they stand for.
    """
    half = step >> 1
    number = (level - centre + half) // step
    low = centre + number * step - half
    value = min(max(centre + number * step, 0), 255)
    return np.int64(value), max(low, 0), min(low + step, 256)
