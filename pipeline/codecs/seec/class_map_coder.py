"""The class map's own entropy coder: adaptive binary context mixing into a range coder, integers only.

The model follows JBIG (ITU-T T.82: causal template, typical prediction of lines) and PAQ (Mahoney, 2005: what several
contexts expect is mixed in the logistic domain); the range coder is Martin's (1979), carries put right in the output.

Every line starts with one bit: is it equal to the line above (all 0 above the first)? If not, each pixel is found by
yes-or-no questions: is it the class to the left, above, above left, above right, two above; then each class left, in
order. A class that was asked for is not asked for again, nor is the last one left, so any answers make a map. Whether
a pixel is of a neighbour's class is predicted from which of 30 pixels before it are of that class (not from which
class it is, so all borders learn from each other), by three tables that look at 6, 14 and 30 of them.

A stream has a byte for each shift of the coder's interval and at most one more. No other stream decodes to its map.
"""

import functools
from bisect import bisect_right
from typing import Any, NamedTuple

import numba.extending
import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.compiled import compile_kernel

Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

OK, OUT_OF_DATA, NOT_CANONICAL = 0, 1, 2
"""What a decoding came to: a map; the stream is too short for one; the stream is not what the encoder writes."""

_TOP = 1 << 32
_SHIFT_BELOW = 1 << 24
_WINDOW_BYTES = 4
# Where the coder keeps its numbers; the position counts the bytes written, or taken with zeros behind the end.
_LOW, _RANGE, _CODE, _POSITION, _DECODING = 0, 1, 2, 3, 4

# A state is p << 8 | count: the probability of a yes in 22 bits, and how often it was adapted, up to 255.
_COUNT_BITS, _MAX_COUNT, _P_BITS = 8, 255, 22
_UNKNOWN = 1 << (_P_BITS - 1) << _COUNT_BITS

_UNIT = 256
_MAX_LOGIT = 11 * _UNIT - 1
"""Logits are held in 1/256; e^-11 is 1.1 / 2^16, the least probability that the coder knows."""

# The template, one bit a pixel, by rows: dx from the first to the last, which has the low bit. dx = -1 of this row is
# missing: its class is the one asked for.
#   4 above: -1..1 | 3 above: -2..3 | 2 above: -3..4 | 1 above: -3..5 | this row: -5..-2
_FIRST_DX = (-1, -2, -3, -3, -5)
_LAST_DX = (1, 3, 4, 5, -2)
_NUM_ROWS = 5
_MARGIN = 8
_NEAREST = 0b000_000000_00010000_001111000_0001
_NEAR = 0b000_001000_01111100_011111100_0011
_ALL = 0b111_111111_11111111_111111111_1111
_NOT_NEW = 0b110_111110_11111110_111111110_1110

_NUM_TABLES = 3
_TABLE_SIZE = 1 << 16
_HASH, _HASH_SHIFT = 0x4F1BBCD9, 28
_NUM_RANKS = 4
_NUM_WEIGHT_SETS = 16
_FIRST_WEIGHT, _MAX_WEIGHT = 30_000, 1 << 20  # 2^16 is 1
_NUM_FLAG_CONTEXTS = 8
_MAX_CLASSES = 16


class _Model(NamedTuple):
    """What is learned, and three tables that never change."""

    lines: Int32s  # (8,) states: is the line as the one above, by the last three answers
    inside: Int32s  # (1,) state: is the pixel as all of the template is
    tables: Int32s  # (3, 65536) states, by hash of part of the template and the question's rank
    weights: Int64s  # (4, 16, 3) of the tables, by rank and by how well two of them know the place
    others: Int32s  # (16, 16) states: is it this class, by number of classes left behind it, and class
    squash: Int32s  # 2^16 times the probability, by logit + _MAX_LOGIT
    stretch: Int32s  # (4096,) the logit of (i + 1/2) / 4096
    rates: Int32s  # (256,) 2^16 times the share of the way to the answer that a state moves, by count


def encode_contexts(classes: NDArray[np.uint8], num_classes: int, *, max_size: int) -> bytes | None:
    """Return (H, W) classes, C order, each below `num_classes` (2..16), as a stream; None if over `max_size` bytes."""
    data = np.empty(max_size, dtype=np.uint8)
    coder = np.array([0, _TOP, 0, 0, 0], dtype=np.int64)
    _run(classes, num_classes, coder, data)
    size = int(coder[_POSITION])
    return data[:size].tobytes() if size <= max_size else None


def decode_contexts(data: bytes | memoryview, out: NDArray[np.uint8], num_classes: int) -> int:
    """Fill `out` (H, W), C order, with classes below `num_classes`; return OK, OUT_OF_DATA or NOT_CANONICAL."""
    window = int.from_bytes(bytes(data[:_WINDOW_BYTES]).ljust(_WINDOW_BYTES, b"\0"), "big")
    coder = np.array([0, _TOP, window, _WINDOW_BYTES, 1], dtype=np.int64)
    # A copy can be written to: both directions are one kernel, compiled for one kind of array.
    return _run(out, num_classes, coder, np.array(np.frombuffer(data, dtype=np.uint8)))


def _run(classes: NDArray[np.uint8], num_classes: int, coder: Int64s, data: NDArray[np.uint8]) -> int:
    rows = np.zeros((_NUM_ROWS, classes.shape[1] + 2 * _MARGIN), dtype=np.uint8)
    one_of = 1 + np.arange(_MAX_CLASSES, dtype=np.int32)[:, None].repeat(_MAX_CLASSES, axis=1)
    model = _Model(
        np.full(_NUM_FLAG_CONTEXTS, _UNKNOWN, dtype=np.int32),
        np.full(1, _UNKNOWN, dtype=np.int32),
        np.full((_NUM_TABLES, _TABLE_SIZE), _UNKNOWN, dtype=np.int32),
        np.full((_NUM_RANKS, _NUM_WEIGHT_SETS, _NUM_TABLES), _FIRST_WEIGHT, dtype=np.int64),
        (1 << _P_BITS) // one_of << _COUNT_BITS,
        *_constants(),
    )
    status: int = compile_kernel(_code_map)(classes, num_classes, (coder, data), rows, model)
    return status


@functools.cache
def _constants() -> tuple[Int32s, Int32s, Int32s]:
    """Return `squash`, `stretch` and `rates`, from whole numbers alone: no machine's exp rounds them another way."""
    one = 1 << 96
    root, term, n = one, one, 0  # e^(1/512) by its series
    while term:
        n += 1
        term //= 2 * _UNIT * n
        root += term
    powers = [one]
    for _ in range(2 * _MAX_LOGIT + 1):
        powers.append(powers[-1] * root // one)
    upper = [min((2 * 65536 * odds + odds + one) // (2 * (odds + one)), 65535) for odds in powers[::2]]
    squash = [65536 - p for p in upper[:0:-1]] + upper
    # The nearest logit: the number of half steps below.
    logits = [bisect_right(powers[1::2], (2 * i + 1) * one // (8191 - 2 * i)) for i in range(2048, 4096)]
    stretch = [-logit for logit in reversed(logits)] + logits
    rates = [65536 * 10 // (10 * count + 14) for count in range(_MAX_COUNT + 1)]
    return np.array(squash, dtype=np.int32), np.array(stretch, dtype=np.int32), np.array(rates, dtype=np.int32)


# --- kernels: int64 throughout; every number stays below 2^63. Small ones are put into their callers, as passing arrays
# --- to a function that is not costs more than what most of them do.


@numba.extending.register_jitable(forceinline=True)
def _code_bit(bit: Any, p: Any, coder: Any, data: Any) -> Any:
    """Code a bit that is 1 with probability `p` / 2^16, p in 1..65535; return it."""
    decoding = coder[_DECODING]
    span = coder[_RANGE]
    bound = (span >> 16) * p
    if decoding:
        bit = np.int64(coder[_CODE] < bound)
    if bit:
        span = bound
    else:
        span -= bound
        coder[_CODE] -= bound
        coder[_LOW] += bound
        if coder[_LOW] >= _TOP:
            coder[_LOW] -= _TOP
            if not decoding:
                _carry(coder, data)
    while span < _SHIFT_BELOW:
        position = coder[_POSITION]
        if decoding:
            taken = np.int64(data[position]) if position < data.size else np.int64(0)
            coder[_CODE] = coder[_CODE] << 8 | taken
        elif position < data.size:
            data[position] = coder[_LOW] >> 24
        coder[_POSITION] = position + 1
        coder[_LOW] = (coder[_LOW] << 8) & (_TOP - 1)
        span <<= 8
    coder[_RANGE] = span
    return bit


@numba.extending.register_jitable
def _carry(coder: Any, data: Any) -> None:
    """Add one to what was written: a fraction whose sum stays below 1, so the carry ends before the first byte."""
    position = coder[_POSITION] - 1
    if position < data.size:
        while data[position] == 255:
            data[position] = 0
            position -= 1
        data[position] += 1


@numba.extending.register_jitable
def _finish(coder: Any, data: Any) -> int:
    """End the stream in the interval, zeros following in thought: with no byte, or one, as the interval has 2^24."""
    low = coder[_LOW]
    wraps = low + coder[_RANGE] > _TOP
    num_bytes = 0 if low == 0 or wraps else 1
    end = _TOP if wraps and low > 0 else (low + _SHIFT_BELOW - 1) >> 24 << 24
    if coder[_DECODING]:
        size = coder[_POSITION] - _WINDOW_BYTES + num_bytes
        if size > data.size:
            return OUT_OF_DATA
        return OK if size == data.size and coder[_CODE] == end - low else NOT_CANONICAL
    if end == _TOP:
        _carry(coder, data)
    if num_bytes and coder[_POSITION] < data.size:
        data[coder[_POSITION]] = end >> 24
    coder[_POSITION] += num_bytes
    return OK


@numba.extending.register_jitable(forceinline=True)
def _adapted(state: Any, bit: Any, rates: Any) -> Any:
    """Return a state after `bit`: the first answers move it far, from the 255th on all move it equally."""
    p, count = state >> _COUNT_BITS, state & _MAX_COUNT
    p += (((bit << _P_BITS) - p) * np.int64(rates[count])) >> 16
    return p << _COUNT_BITS | min(count + 1, _MAX_COUNT)


@numba.extending.register_jitable(forceinline=True)
def _code_simple(bit: Any, states: Any, place: Any, stream: Any, rates: Any) -> Any:
    """Code a bit as one state expects it; return it."""
    state = np.int64(states[place])
    p = min(max(state >> (_COUNT_BITS + _P_BITS - 16), 1), 65535)
    bit = _code_bit(bit, p, stream[0], stream[1])
    states[place] = _adapted(state, bit, rates)
    return bit


@numba.extending.register_jitable(forceinline=True)
def _place(context: Any, mask: Any, rank: Any) -> Any:
    return (((context & mask) << 2 | rank) * _HASH) >> _HASH_SHIFT & (_TABLE_SIZE - 1)


@numba.extending.register_jitable(forceinline=True)
def _how_known(state: Any) -> Any:
    count = state & _MAX_COUNT
    return min(count, 2) if count < 4 else 3


@numba.extending.register_jitable(forceinline=True)
def _code_mixed(bit: Any, context: Any, rank: Any, stream: Any, model: Any) -> Any:
    """Code a bit as three tables expect it in `context`, weighted by how well each did; return it."""
    tables, weights = model.tables, model.weights
    place0, place1 = _place(context, _NEAREST, rank), _place(context, _NEAR, rank)
    place2 = _place(context, _ALL, rank)
    state0, state1, state2 = np.int64(tables[0, place0]), np.int64(tables[1, place1]), np.int64(tables[2, place2])
    down = _COUNT_BITS + _P_BITS - 12
    logit0, logit1 = np.int64(model.stretch[state0 >> down]), np.int64(model.stretch[state1 >> down])
    logit2 = np.int64(model.stretch[state2 >> down])
    # A table that has hardly met a place deserves another weight than one that knows it.
    known = _how_known(state2) * 4 + _how_known(state1)
    weight0, weight1, weight2 = weights[rank, known, 0], weights[rank, known, 1], weights[rank, known, 2]
    logit = (weight0 * logit0 + weight1 * logit1 + weight2 * logit2) >> 16
    p = np.int64(model.squash[min(max(logit, -_MAX_LOGIT), _MAX_LOGIT) + _MAX_LOGIT])
    bit = _code_bit(bit, p, stream[0], stream[1])
    error = ((bit << 16) - p) << 1
    weights[rank, known, 0] = min(max(weight0 + ((logit0 * error + 32768) >> 16), -_MAX_WEIGHT), _MAX_WEIGHT)
    weights[rank, known, 1] = min(max(weight1 + ((logit1 * error + 32768) >> 16), -_MAX_WEIGHT), _MAX_WEIGHT)
    weights[rank, known, 2] = min(max(weight2 + ((logit2 * error + 32768) >> 16), -_MAX_WEIGHT), _MAX_WEIGHT)
    tables[0, place0] = _adapted(state0, bit, model.rates)
    tables[1, place1] = _adapted(state1, bit, model.rates)
    tables[2, place2] = _adapted(state2, bit, model.rates)
    return bit


@numba.extending.register_jitable(forceinline=True)
def _context(rows: Any, y: Any, at: Any, asked: Any) -> Any:
    """Return the template of the pixel at `at` (margin included): which pixels are of the class `asked`."""
    context = np.int64(0)
    for k in range(_NUM_ROWS):
        for dx in range(_FIRST_DX[k], _LAST_DX[k] + 1):
            context = context << 1 | np.int64(rows[(y + 1 + k) % _NUM_ROWS, at + dx] == asked)
    return context


@numba.extending.register_jitable(forceinline=True)
def _moved(context: Any, rows: Any, y: Any, at: Any, asked: Any) -> Any:
    """Return the template at `at` from the one before: every row loses its first pixel and takes one in."""
    context = context << 1 & _NOT_NEW
    context |= np.int64(rows[y % _NUM_ROWS, at - 2] == asked)
    context |= np.int64(rows[(y + 4) % _NUM_ROWS, at + 5] == asked) << 4
    context |= np.int64(rows[(y + 3) % _NUM_ROWS, at + 4] == asked) << 13
    context |= np.int64(rows[(y + 2) % _NUM_ROWS, at + 3] == asked) << 21
    return context | np.int64(rows[(y + 1) % _NUM_ROWS, at + 1] == asked) << 27


@numba.extending.register_jitable
def _code_other(value: Any, site: Any, num_classes: Any, stream: Any, model: Any) -> Any:
    """Code a class that is not the one to the left, of three or more; return it."""
    rows, y, at = site
    above, left = (y + 4) % _NUM_ROWS, num_classes - 1
    asked = np.int64(1) << np.int64(rows[y % _NUM_ROWS, at - 1])
    for k in range(4):
        row = above if k < 3 else (y + 3) % _NUM_ROWS
        near = np.int64(rows[row, at - 1 if k == 1 else at + 1 if k == 2 else at])
        if asked >> near & 1 or left == 1:
            continue
        rank = min(num_classes - left, _NUM_RANKS - 1)
        if _code_mixed(np.int64(value == near), _context(rows, y, at, near), rank, stream, model):
            return near
        asked |= np.int64(1) << near
        left -= 1
    for each in range(num_classes):
        if asked >> each & 1:
            continue
        left -= 1
        if left == 0 or _code_simple(np.int64(value == each), model.others[left], each, stream, model.rates):
            return np.int64(each)
    return np.int64(0)  # never: the last class left was returned


@numba.extending.register_jitable(forceinline=True)
def _is_as(line: Any, rows: Any, row: Any) -> Any:
    x = 0
    while x < line.size and line[x] == rows[row, _MARGIN + x]:
        x += 1
    return x == line.size


def _code_map(classes: Any, num_classes: Any, stream: Any, rows: Any, model: Any) -> int:
    """Code, or decode, the map; one kernel for both, so that they cannot come apart.

    rows[y % 5] is row y within margins: to the left the first pixel of the row above, to the right the row's last one.
    """
    coder, data = stream
    height, width = classes.shape
    decoding = coder[_DECODING] == 1
    limit = data.size + (_WINDOW_BYTES if decoding else 0)
    answers = np.int64(0)
    for y in range(height):
        row, above = y % _NUM_ROWS, (y + 4) % _NUM_ROWS
        equal = np.int64(not decoding and _is_as(classes[y], rows, above))
        equal = _code_simple(equal, model.lines, answers, stream, model.rates)
        answers = (answers << 1 | equal) & (_NUM_FLAG_CONTEXTS - 1)
        if equal:
            rows[row] = rows[above]
            if decoding:
                classes[y] = rows[row, _MARGIN : _MARGIN + width]
            continue
        rows[row, :_MARGIN] = rows[above, _MARGIN]
        near = np.int64(rows[row, _MARGIN - 1])
        context = _context(rows, y, _MARGIN, near)
        for x in range(width):
            at = _MARGIN + x
            value = np.int64(classes[y, x])
            same = np.int64(value == near)
            if context == _ALL:
                same = _code_simple(same, model.inside, 0, stream, model.rates)
            else:
                same = _code_mixed(same, context, 0, stream, model)
            if same:
                value = near
            elif num_classes == 2:
                value = 1 - near
            else:
                value = _code_other(value, (rows, y, at), num_classes, stream, model)
            rows[row, at] = value
            if decoding:
                classes[y, x] = value
            context = _moved(context, rows, y, at + 1, near)
            if not same:
                near = value
                # Of two classes, what is not the one is the other.
                context = context ^ _ALL if num_classes == 2 else _context(rows, y, at + 1, near)
        rows[row, _MARGIN + width :] = rows[row, _MARGIN + width - 1]
        if coder[_POSITION] > limit:
            return OUT_OF_DATA
        if decoding and _is_as(classes[y], rows, above):
            return NOT_CANONICAL
    return _finish(coder, data)
