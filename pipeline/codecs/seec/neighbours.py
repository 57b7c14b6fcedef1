"""What a pixel of a screen sees: differences to its neighbours, colours that it may be a copy of, and how those did.

Drawn pixels repeat colours exactly: a neighbour's, the one that last followed the same neighbourhood, the one at the
same distance as the neighbours' copies. Each such *source* proposes a colour; the network says how likely each is.

All kernels are integers only. A colour is R << 16 | G << 8 | B in int32; -1 is none (outside the picture, no proposal).
Canvases are pictures with REACH more rows above and columns on either side.
"""

from typing import Any

import numba.extending
import numpy as np

from pipeline.codecs.seec.wavefront import REACH, TAPS

NUM_SOURCES = 14
W, N, NW, NE, WW, NN, GRADIENT, AFTER_W, AFTER_TWO, AFTER_TWO_BEFORE = range(10)
AFTER_SIX, AFTER_SIX_BEFORE, SAME_PLACE, SAME_DISTANCE = range(10, NUM_SOURCES)
NUM_KEYS = 4
"""Neighbourhoods that are looked up."""
NUM_DENSE = 2 * 3 * len(TAPS) + 3
"""Differences to the taps (three channels each), their logarithms, the base colour."""
NUM_STEPS_OF_COUNT = 5
NUM_COPY_FEATURES = NUM_SOURCES * (NUM_SOURCES - 1) // 2 + NUM_SOURCES + 4 * NUM_SOURCES + 4 * NUM_STEPS_OF_COUNT
"""Which sources agree, which propose at all, which were right at W, N, NW and NE, and how often lately."""
DIFFERENCE_UNIT, LOGARITHM_UNIT, COLOUR_UNIT, FLAG_UNIT = 1.0 / 64, 1.0 / 32, 1.0 / 128, 1.0
"""What a feature's integer is worth to the network."""

_TABLE_BITS = (12, 16, 18, 18)
_MAX_COUNT = 31
_MAX_DISTANCE = (1 << 15) - 1
_MIX = 0x9E3779B97F4A7C15
_ROW_OF = np.array([row for row, _ in TAPS], dtype=np.int32)
_COLUMN_OF = np.array([column for _, column in TAPS], dtype=np.int32)
# 16 x log2(1 + |d|) of a difference d, rounded; integers so that no library's logarithm decides.
_LOGARITHM = np.array([round(16 * np.log2(1 + d)) for d in range(256)], dtype=np.int32)


class Canvas:
    """A picture being coded, and what is remembered of the part that is done."""

    def __init__(self, height: int, width: int, *, copies: bool = True) -> None:
        shape = (height + REACH, width + 2 * REACH)
        self.colours = np.full(shape, -1, dtype=np.int32)
        remembered, table_bits = (shape, _TABLE_BITS) if copies else ((0, 0), (0, 0, 0, 0))
        self.hits = np.zeros(remembered, dtype=np.int16)
        """Bit s: source s was right."""
        self.vectors = np.zeros((*remembered, 3), dtype=np.int16)
        """Rows and columns back to the pixel that this one repeats, and for how many pixels so far; 0, 0, 0 if none."""
        self.tables = tuple(np.full((1 << bits, 4), -1, dtype=np.int32) for bits in table_bits)
        """By neighbourhood (1, 2, 6, 14 pixels): its check, the colour that last followed (after 1: one that differs;
        after 14: its place), the one before, and how often the same one followed."""

    @property
    def arrays(self) -> Any:
        """What the kernels take."""
        return self.colours, self.hits, self.vectors, *self.tables


@numba.extending.register_jitable
def clamp(value: Any, low: int, high: int) -> Any:
    """Return value within low..high."""
    return low if value < low else (high if value > high else value)


@numba.extending.register_jitable
def median_edge(w: Any, n: Any, nw: Any) -> Any:
    """Return LOCO-I's predictor: the median of W, N and W + N - NW (Weinberger et al. 2000)."""
    low, high = min(w, n), max(w, n)
    return clamp(w + n - nw, low, high)


@numba.extending.register_jitable
def base_colour(colours: Any, row: int, column: int) -> Any:
    """Return (R, G, B) that a pixel's differences and means are counted from; row and column are of the canvas."""
    w, n, nw = colours[row, column - 1], colours[row - 1, column], colours[row - 1, column - 1]
    if w < 0:
        w = n
    if n < 0:
        n = w
    if w < 0:
        return np.int32(128), np.int32(128), np.int32(128)
    if nw < 0:
        nw = n
    return (
        median_edge(w >> 16, n >> 16, nw >> 16),
        median_edge((w >> 8) & 255, (n >> 8) & 255, (nw >> 8) & 255),
        median_edge(w & 255, n & 255, nw & 255),
    )


@numba.extending.register_jitable
def dense_features(colours: Any, row: int, column: int, base: Any, out: Any) -> None:
    """Write NUM_DENSE integers."""
    num_taps = len(_ROW_OF)
    for tap in range(num_taps):
        colour = colours[row + _ROW_OF[tap], column + _COLUMN_OF[tap]]
        for channel in range(3):
            difference = 0
            if colour >= 0:
                difference = ((colour >> (16 - 8 * channel)) & 255) - base[channel]
            logarithm = _LOGARITHM[abs(difference)]
            out[3 * tap + channel] = difference
            out[3 * num_taps + 3 * tap + channel] = -logarithm if difference < 0 else logarithm
    for channel in range(3):
        out[6 * num_taps + channel] = base[channel] - 128


@numba.extending.register_jitable
def _hash(previous: Any, colour: Any) -> Any:
    mixed = (previous ^ np.uint64(np.int64(colour) + 1)) * np.uint64(_MIX)
    return mixed ^ (mixed >> np.uint64(29))


@numba.extending.register_jitable
def neighbourhoods(colours: Any, row: int, column: int, out: Any) -> None:
    """Write the hashes of the 1, 2, 6 and 14 nearest neighbours, uint64."""
    h = _hash(np.uint64(0), colours[row, column - 1])
    out[0] = h
    h = _hash(h, colours[row - 1, column])
    out[1] = h
    h = _hash(h, colours[row - 1, column - 1])
    h = _hash(h, colours[row - 1, column + 1])
    h = _hash(h, colours[row, column - 2])
    h = _hash(h, colours[row - 2, column])
    out[2] = h
    for dx in range(-2, 3):
        if dx:
            h = _hash(h, colours[row - 2, column + dx])
    h = _hash(h, colours[row, column - 3])
    h = _hash(h, colours[row - 1, column - 2])
    h = _hash(h, colours[row - 3, column])
    h = _hash(h, colours[row - 2, column + 3])
    out[3] = h


@numba.extending.register_jitable
def _entry(table: Any, key: Any) -> tuple[Any, Any]:
    slot = np.int64(key >> np.uint64(20)) & (len(table) - 1)
    return slot, np.int32(key & np.uint64(0x7FFFFFFF))


@numba.extending.register_jitable
def propose(canvas: Any, row: int, column: int, keys: Any, limits: Any, sources: Any) -> None:
    """Write each source's colour or -1; `keys` are the neighbourhoods, `limits` the band (first row, rows end)."""
    colours, _, vectors, one, two, six, many = canvas
    w, n, nw = colours[row, column - 1], colours[row - 1, column], colours[row - 1, column - 1]
    sources[:] = -1
    sources[W], sources[N], sources[NW], sources[NE] = w, n, nw, colours[row - 1, column + 1]
    sources[WW], sources[NN] = colours[row, column - 2], colours[row - 2, column]
    if w >= 0 and n >= 0 and nw >= 0:
        gradient = 0
        for shift in (16, 8, 0):
            value = ((w >> shift) & 255) + ((n >> shift) & 255) - ((nw >> shift) & 255)
            gradient |= clamp(value, 0, 255) << shift
        sources[GRADIENT] = gradient
    slot, check = _entry(one, keys[0])
    if one[slot, 0] == check:
        sources[AFTER_W] = one[slot, 1]
    slot, check = _entry(two, keys[1])
    if two[slot, 0] == check:
        sources[AFTER_TWO] = two[slot, 1]
        sources[AFTER_TWO_BEFORE] = two[slot, 2]
    slot, check = _entry(six, keys[2])
    if six[slot, 0] == check:
        sources[AFTER_SIX] = six[slot, 1]
        sources[AFTER_SIX_BEFORE] = six[slot, 2]
    slot, check = _entry(many, keys[3])
    if many[slot, 0] == check:
        place = many[slot, 1]
        sources[SAME_PLACE] = colours[place // colours.shape[1], place % colours.shape[1]]
    back_rows, back_columns, _ = _vector(vectors, row, column)
    if back_rows or back_columns:
        from_row, from_column = row - back_rows, column - back_columns
        first_row, end_row = limits
        is_inside = from_row >= 0 and 0 <= from_column < colours.shape[1]
        # Coded already: in an earlier band, or in this one in an earlier step, which the vector's own step ensures.
        if is_inside and (from_row < first_row or (from_row < end_row and 2 * back_rows + back_columns > 0)):
            sources[SAME_DISTANCE] = colours[from_row, from_column]


@numba.extending.register_jitable
def _vector(vectors: Any, row: int, column: int) -> Any:
    """Return the neighbours' way back to what they repeat: that of W, else N, else NE."""
    for place in range(3):
        at_row = row if place == 0 else row - 1
        at_column = column - 1 if place == 0 else column + place - 1
        if vectors[at_row, at_column, 2] > 0:
            vector = vectors[at_row, at_column]
            return np.int64(vector[0]), np.int64(vector[1]), np.int64(vector[2])
    return np.int64(0), np.int64(0), np.int64(0)


@numba.extending.register_jitable
def _steps_of(count: Any, out: Any, at: int) -> int:
    """Write which of 1, 2, 4, 8, 16 a count reaches."""
    for bit in range(NUM_STEPS_OF_COUNT):
        out[at + bit] = 1 if count >= (1 << bit) else 0
    return at + NUM_STEPS_OF_COUNT


@numba.extending.register_jitable
def copy_features(canvas: Any, row: int, column: int, keys: Any, sources: Any, out: Any) -> None:
    """Write NUM_COPY_FEATURES flags."""
    _, hits, vectors, _, two, six, many = canvas
    at = 0
    for left in range(NUM_SOURCES):
        for right in range(left):
            out[at] = 1 if sources[left] >= 0 and sources[left] == sources[right] else 0
            at += 1
    for source in range(NUM_SOURCES):
        out[at] = 1 if sources[source] >= 0 else 0
        at += 1
    for place in range(4):
        at_row = row if place == 0 else row - 1
        at_column = column - 1 if place == 0 else column + place - 2
        mask = hits[at_row, at_column]
        for source in range(NUM_SOURCES):
            out[at] = (mask >> source) & 1
            at += 1
    slot, check = _entry(two, keys[1])
    at = _steps_of(two[slot, 3] if two[slot, 0] == check else 0, out, at)
    slot, check = _entry(six, keys[2])
    at = _steps_of(six[slot, 3] if six[slot, 0] == check else 0, out, at)
    slot, check = _entry(many, keys[3])
    at = _steps_of(many[slot, 3] if many[slot, 0] == check else 0, out, at)
    _, _, run = _vector(vectors, row, column)
    _steps_of(run, out, at)


@numba.extending.register_jitable
def remember(canvas: Any, row: int, column: int, keys: Any, sources: Any, colour: Any) -> None:
    """Put a coded pixel on the canvas and into the tables."""
    colours, hits, vectors, one, two, six, many = canvas
    colours[row, column] = colour
    mask = 0
    for source in range(NUM_SOURCES):
        if sources[source] == colour:
            mask |= 1 << source
    hits[row, column] = mask
    if colour != colours[row, column - 1]:
        _count(one, keys[0], colour)
    _count(two, keys[1], colour)
    _count(six, keys[2], colour)
    slot, check = _entry(many, keys[3])
    is_known = many[slot, 0] == check
    back_rows, back_columns, run = _vector(vectors, row, column)
    if mask >> SAME_DISTANCE & 1:
        vectors[row, column, 0], vectors[row, column, 1] = back_rows, back_columns
        vectors[row, column, 2] = min(run + 1, _MAX_COUNT)
    elif mask >> SAME_PLACE & 1:
        place = many[slot, 1]
        back_rows, back_columns = row - place // colours.shape[1], column - place % colours.shape[1]
        if abs(back_rows) <= _MAX_DISTANCE and abs(back_columns) <= _MAX_DISTANCE:
            vectors[row, column, 0], vectors[row, column, 1] = back_rows, back_columns
            vectors[row, column, 2] = 1
    if is_known and mask >> SAME_PLACE & 1:
        many[slot, 3] = min(many[slot, 3] + 1, _MAX_COUNT)
    else:
        many[slot, 3] = 0
    many[slot, 0] = check
    many[slot, 1] = row * colours.shape[1] + column


@numba.extending.register_jitable
def _count(table: Any, key: Any, colour: Any) -> None:
    slot, check = _entry(table, key)
    if table[slot, 0] != check:
        table[slot, 0], table[slot, 1], table[slot, 2], table[slot, 3] = check, colour, -1, 0
    elif table[slot, 1] == colour:
        table[slot, 3] = min(table[slot, 3] + 1, _MAX_COUNT)
    else:
        table[slot, 2], table[slot, 1], table[slot, 3] = table[slot, 1], colour, 0
