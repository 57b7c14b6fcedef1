"""A rANS stream of symbols whose distributions are computed one by one, as integers, on both sides.

The encoder collects each symbol's interval [start, start + size) of 2^16 and writes at the end; the decoder's state is
an array that kernels advance. The bytes are those of a stream of one lane (rans.py).
"""

from typing import Any

import numba.extending
import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import CorruptBitstream
from pipeline.codecs.cdf_tables import PRECISION
from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.rans import SINGLE_LOWER, parse, put

_FULL = 1 << PRECISION
# A state below this takes a word, if there is one.
_LOWER = 1 << 31


class IntervalWriter:
    """Collects intervals in the order in which they will be decoded."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.uint16]] = []

    def add(self, intervals: NDArray[np.uint16]) -> None:
        """Append a copy of intervals (n, 2): start, size - 1; the whole of 2^16 says nothing and is no interval.

        Raises: ValueError: an interval of size 2^16.
        """
        if len(intervals) and int(intervals[:, 1].max()) == _FULL - 1:
            raise ValueError("an interval of size 2^16 says nothing; leave it out")
        self._parts.append(intervals.copy())

    def data(self) -> bytes:
        """Return the stream."""
        intervals = np.concatenate([np.empty((0, 2), dtype=np.uint16), *self._parts])
        words = np.empty(len(intervals), dtype=np.uint32)
        state, first = compile_kernel(_encode)(intervals, words)
        short = int(state) - SINGLE_LOWER
        size = (short.bit_length() + 7) // 8
        return bytes([size]) + short.to_bytes(size, "little") + words[first:].astype("<u4").tobytes()


class IntervalReader:
    """A stream being read; kernels take `words` and `place` and decode with `peek` and `advance`.

    Raises: TruncatedBitstream, CorruptBitstream: the bytes cannot be what `IntervalWriter` gives.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        lanes, states, self.words = parse(memoryview(data).cast("B"))
        if lanes != 1:
            raise CorruptBitstream(f"entropy-coded stream has {lanes} lanes, expected one")
        self.place = np.array([states[0], 0, 0], dtype=np.int64)
        """State, next word, and 1 once words have run out before their symbols."""

    def finish(self) -> None:
        """Check that all was read and nothing is missing. Raises: CorruptBitstream."""
        if self.place[2] or self.place[0] != SINGLE_LOWER or self.place[1] != len(self.words):
            raise CorruptBitstream("entropy-coded stream does not end where its symbols end")

    @property
    def is_exhausted(self) -> bool:
        """Whether a symbol was read behind the end: what was decoded since is worthless."""
        return bool(self.place[2])


@numba.extending.register_jitable
def peek(place: Any) -> Any:
    """Return the slot, 0..65535, in which the next symbol's interval lies."""
    return place[0] & (_FULL - 1)


@numba.extending.register_jitable
def advance(words: Any, place: Any, start: Any, size: Any) -> None:
    """Take the symbol of interval [start, start + size), which holds the slot."""
    state = size * (place[0] >> PRECISION) + (place[0] & (_FULL - 1)) - start
    if state < _LOWER:
        if place[1] < len(words):
            state = (state << 32) | np.int64(words[place[1]])
            place[1] += 1
        elif state < SINGLE_LOWER:
            place[2] = 1
            state = np.int64(SINGLE_LOWER)
    place[0] = state


def _encode(intervals: Any, words: Any) -> tuple[Any, int]:
    state = np.int64(SINGLE_LOWER)
    position = len(words)
    for i in range(len(intervals) - 1, -1, -1):
        state, position = put(state, np.int64(intervals[i, 0]), np.int64(intervals[i, 1]) + 1, words, position)
    return state, position
