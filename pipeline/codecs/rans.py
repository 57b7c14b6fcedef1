"""Interleaved rANS over integer CDF tables: the one entropy coder of all codecs.

Integers only, so the same bytes give the same symbols everywhere. Every read is checked; any bytes at all end in
symbols or in a typed error. The layout of a stream:

    byte 0            bits 4-5: log2 of the number of lanes (1, 2 or 4); bits 0-3: size of the state if there is one
                      lane, else 0; bits 6-7: 0
    states            one lane: its state less 2^16 in 0 to 8 bytes, shortest form; more lanes: 8 bytes each;
                      little endian
    words             32 bits each, little endian, in the order in which the decoder takes them

Symbol i belongs to lane i mod lanes. A lane's state lies in [2^31, 2^63) and starts at 2^31. A single lane starts at
2^16 instead, and takes words only while there are any: together with the short form of its last state this halves
what starting and flushing cost, which counts for small pictures, whose streams are some hundred bytes long.

A symbol outside its table is coded as the table's last symbol (the escape), then as 5 uniform bits n and n uniform
bits (Exp-Golomb of the distance from the table's range, both sides interleaved).
"""

from typing import Any

import numba.extending
import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import CorruptBitstream, TruncatedBitstream
from pipeline.codecs.cdf_tables import PRECISION, CdfTables, Int32s
from pipeline.codecs.compiled import compile_kernel

MAX_SYMBOL = 1 << 30
"""Largest magnitude of a symbol."""

_LOWER = 1 << 31
# From here on a state holds a symbol of any frequency without waste.
SINGLE_LOWER = 1 << PRECISION
WORD_MASK = (1 << 32) - 1
_SLOT_MASK = (1 << PRECISION) - 1
_BUCKET_SHIFT = 8
_NUM_BUCKETS = 1 << (PRECISION - _BUCKET_SHIFT)
_LENGTH_BITS = 5
# Below these sizes, in bytes, the flush of more lanes would cost over 0.03 %.
_MIN_BYTES = ((4, 1 << 16), (2, 1 << 15))

_OK, _OUT_OF_WORDS, _BAD_INDEX, _BAD_SYMBOL = 0, 1, 2, 3


def encode(symbols: NDArray[np.integer[Any]], indexes: NDArray[np.integer[Any]], tables: CdfTables) -> bytes:
    """Code `symbols` with the tables that `indexes` names; both are flattened in C order.

    Raises: ValueError: shapes differ, an index is no table's, a symbol is beyond +-MAX_SYMBOL.
    """
    if symbols.shape != indexes.shape:
        raise ValueError(f"{symbols.shape} symbols, {indexes.shape} indexes")
    flat = np.ascontiguousarray(symbols, dtype=np.int64).ravel()
    table_of = _as_int32(indexes)
    for lanes, min_bytes in _MIN_BYTES:
        if flat.size * 8 >= min_bytes:  # an upper bound of the size, escapes apart
            data = _encode_with(flat, table_of, tables, lanes)
            if len(data) >= min_bytes:
                return data
    return _encode_with(flat, table_of, tables, 1)


def decode(data: bytes | memoryview, indexes: NDArray[np.integer[Any]], tables: CdfTables) -> Int32s:
    """Return the symbols, int32, in the shape of `indexes`.

    Raises: TruncatedBitstream, CorruptBitstream: `data` is not what `encode` gives for some symbols and these indexes.
    ValueError: an index is no table's.
    """
    decoder = RansDecoder(data)
    symbols = decoder.take(indexes, tables)
    decoder.finish()
    return symbols


class RansDecoder:
    """A stream read piece by piece: for symbols whose tables depend on symbols before them.

    Raises: TruncatedBitstream, CorruptBitstream: `data` cannot be what `encode` gives.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        self._size = len(data)
        self._lanes, self._states, self._words = parse(memoryview(data).cast("B"))
        self._position = 0
        self._count = 0

    def take(self, indexes: NDArray[np.integer[Any]], tables: CdfTables) -> Int32s:
        """Return the next symbols, int32, in the shape of `indexes`; after an error the stream is of no more use.

        Raises: as `decode`.
        """
        table_of = _as_int32(indexes)
        out = np.empty(table_of.size, dtype=np.int32)
        place = (self._position, self._count)
        status, self._position = compile_kernel(_decode_lanes)(
            self._words, self._states, place, table_of, (_arrays(tables), _buckets(tables)), out
        )
        self._count = (self._count + table_of.size) % self._lanes
        if status == _BAD_INDEX:
            raise ValueError(f"an index is not within the {len(tables.lengths)} tables")
        if status == _OUT_OF_WORDS:
            raise TruncatedBitstream(f"entropy-coded stream of {self._size} bytes ends before its last symbol")
        if status != _OK:
            raise self._corrupt()
        return out.reshape(indexes.shape)

    def finish(self) -> None:
        """Check that all was read. Raises: CorruptBitstream: the stream goes on behind its last symbol."""
        if self._position != self._words.size or not bool((self._states == _lower(self._lanes)).all()):
            raise self._corrupt()

    def _corrupt(self) -> CorruptBitstream:
        return CorruptBitstream(f"entropy-coded stream of {self._size} bytes does not end where its symbols end")


def _lower(lanes: int) -> int:
    """Return a lane's start state, below which no state lies."""
    return SINGLE_LOWER if lanes == 1 else _LOWER


def _as_int32(indexes: NDArray[np.integer[Any]]) -> Int32s:
    if indexes.size and (int(indexes.max()) >= 1 << 31 or int(indexes.min()) < 0):
        raise ValueError("indexes must be small and not negative")
    return np.ascontiguousarray(indexes, dtype=np.int32).ravel()


def _arrays(tables: CdfTables) -> tuple[Int32s, Int32s, Int32s]:
    """Return what the kernels index, in C order and writable, so that each kernel is compiled for one kind of array."""
    cdfs, lengths, offsets = (
        np.require(a, requirements=("C", "W")) for a in (tables.cdfs, tables.lengths, tables.offsets)
    )
    return cdfs, lengths, offsets


def _encode_with(symbols: NDArray[np.int64], indexes: Int32s, tables: CdfTables, lanes: int) -> bytes:
    states = np.full(lanes, _lower(lanes), dtype=np.int64)
    # Every step writes at most one word; a symbol takes one step, an escaped one four.
    status, num_escapes = compile_kernel(_count_escapes)(symbols, indexes, tables.lengths, tables.offsets)
    if status != _OK:
        what = "an index" if status == _BAD_INDEX else "a symbol"
        raise ValueError(f"{what} is out of range ({len(tables.lengths)} tables, symbols within +-{MAX_SYMBOL})")
    words = np.empty(symbols.size + 3 * num_escapes, dtype=np.uint32)
    first = compile_kernel(_encode_lanes)(symbols, indexes, _arrays(tables), states, words)
    if lanes == 1:
        state = int(states[0]) - SINGLE_LOWER
        size = (state.bit_length() + 7) // 8
        head = bytes([size]) + state.to_bytes(size, "little")
    else:
        head = bytes([(lanes.bit_length() - 1) << 4]) + states.astype("<i8").tobytes()
    return head + words[first:].astype("<u4").tobytes()


def parse(data: memoryview) -> tuple[int, NDArray[np.int64], NDArray[np.uint32]]:
    """Split a stream into its number of lanes, their states and the words."""
    if not len(data):
        raise TruncatedBitstream("entropy-coded stream is empty")
    log2_lanes, size = data[0] >> 4, data[0] & 15
    if log2_lanes > 2 or size > 8 or (log2_lanes and size):
        raise CorruptBitstream(f"entropy-coded stream starts with {data[0]:#04x}, which is no lane count")
    lanes = 1 << log2_lanes
    end = 1 + (size if lanes == 1 else 8 * lanes)
    if len(data) < end or (len(data) - end) % 4:
        raise TruncatedBitstream(f"entropy-coded stream of {len(data)} bytes ends within a state or word")
    if lanes == 1:
        values = [SINGLE_LOWER + int.from_bytes(data[1:end], "little")]
    else:
        values = [int.from_bytes(data[at : at + 8], "little") for at in range(1, end, 8)]
    low = _LOWER if len(data) > end else _lower(lanes)
    shortest = lanes > 1 or size == 0 or data[size] != 0
    if not shortest or any(not low <= value < 1 << 63 for value in values):
        raise CorruptBitstream("entropy-coded stream has an impossible state")
    return lanes, np.array(values, dtype=np.int64), np.array(np.frombuffer(data[end:], dtype="<u4"), dtype=np.uint32)


def _buckets(tables: CdfTables) -> Int32s:
    """Return (T, 256): the symbol that holds the first slot of each 256 slots, where a search begins."""
    out = np.empty((len(tables.lengths), _NUM_BUCKETS), dtype=np.int32)
    compile_kernel(_fill_buckets)(tables.cdfs, out)
    return out


# --- kernels: int64 throughout; a state is below 2^63, so nothing here can overflow or become a float --------------


@numba.extending.register_jitable
def put(state: Any, start: Any, freq: Any, words: Any, position: int) -> tuple[Any, int]:
    """Push [start, start + freq) of 2^16 on a state; a word goes out first if the state would pass 2^63."""
    if state >= freq << 47:
        position -= 1
        words[position] = state & WORD_MASK
        state >>= 32
    quotient = np.int64(np.uint64(state) // np.uint64(freq))
    return (quotient << PRECISION) + (state - quotient * freq) + start, position


@numba.extending.register_jitable
def _put_bits(state: Any, value: Any, num_bits: Any, words: Any, position: int) -> tuple[Any, int]:
    """Push `num_bits` (0 to 32) uniform bits."""
    low = min(num_bits, 16)
    if low > 0:
        state, position = put(state, (value & ((1 << low) - 1)) << (16 - low), 1 << (16 - low), words, position)
    high = num_bits - low
    if high > 0:
        state, position = put(state, (value >> low) << (16 - high), 1 << (16 - high), words, position)
    return state, position


def _count_escapes(symbols: Any, indexes: Any, lengths: Any, offsets: Any) -> tuple[int, int]:
    """Check every index and symbol; return the status and the number of symbols that need the escape."""
    count = 0
    for i in range(symbols.size):
        table = indexes[i]
        if table < 0 or table >= lengths.size:
            return _BAD_INDEX, count
        if symbols[i] > MAX_SYMBOL or symbols[i] < -MAX_SYMBOL:
            return _BAD_SYMBOL, count
        value = symbols[i] - np.int64(offsets[table])
        if value < 0 or value >= lengths[table] - 2:
            count += 1
    return _OK, count


def _encode_lanes(symbols: Any, indexes: Any, tables: Any, states: Any, words: Any) -> int:
    """Code all symbols, last one first, filling `words` from its end; return the position of the first word."""
    cdfs, lengths, offsets = tables
    position: int = words.size
    lane_mask = states.size - 1
    for i in range(symbols.size - 1, -1, -1):
        table = indexes[i]
        escape = np.int64(lengths[table]) - 2
        value = symbols[i] - np.int64(offsets[table])
        state = states[i & lane_mask]
        if value < 0 or value >= escape:
            distance = (-2 * value if value < 0 else 2 * (value - escape) + 1) + np.int64(0)
            num_bits = np.int64(0)
            while distance >> (num_bits + 1):
                num_bits += 1
            state, position = _put_bits(state, distance - (np.int64(1) << num_bits), num_bits, words, position)
            state, position = _put_bits(state, num_bits, _LENGTH_BITS, words, position)
            value = escape
        start = np.int64(cdfs[table, value])
        state, position = put(state, start, np.int64(cdfs[table, value + 1]) - start, words, position)
        states[i & lane_mask] = state
    return position


def _fill_buckets(cdfs: Any, buckets: Any) -> None:
    for table in range(buckets.shape[0]):
        symbol = 0
        for bucket in range(buckets.shape[1]):
            while cdfs[table, symbol + 1] <= bucket << _BUCKET_SHIFT:
                symbol += 1
            buckets[table, bucket] = symbol


@numba.extending.register_jitable
def _take_bits(state: Any, num_bits: Any, words: Any, position: int) -> tuple[Any, Any, int]:
    """Pop `num_bits` (0 to 16) uniform bits; return them, the state and the position. Reads as `_decode_lanes` does."""
    slot = state & _SLOT_MASK
    shift = PRECISION - num_bits
    state = ((state >> PRECISION) << shift) + (slot & ((1 << shift) - 1))
    if state < _LOWER and position < words.size:
        state = (state << 32) | np.int64(words[position])
        position += 1
    return slot >> shift, state, position


def _decode_lanes(words: Any, states: Any, place: Any, indexes: Any, tables: Any, out: Any) -> tuple[int, int]:
    """Fill `out`; return a status and the position in `words`. `states` holds the lanes' last states afterwards.

    `place` is the position to begin at, and the lane of the first symbol.
    """
    (cdfs, lengths, offsets), buckets = tables
    position, first_lane = place
    lane_mask = states.size - 1
    lower = _LOWER if lane_mask else SINGLE_LOWER
    for i in range(indexes.size):
        table = indexes[i]
        if table < 0 or table >= lengths.size:
            return _BAD_INDEX, position
        lane = (i + first_lane) & lane_mask
        state = states[lane]
        slot = state & _SLOT_MASK
        value = np.int64(buckets[table, slot >> _BUCKET_SHIFT])
        # Ends within the table: its last value is 65536, above every slot.
        while cdfs[table, value + 1] <= slot:
            value += 1
        start = np.int64(cdfs[table, value])
        freq = np.int64(cdfs[table, value + 1]) - start
        state = freq * (state >> PRECISION) + slot - start
        if state < _LOWER:
            if position < words.size:
                state = (state << 32) | np.int64(words[position])
                position += 1
            elif state < lower:
                return _OUT_OF_WORDS, position
        escape = np.int64(lengths[table]) - 2
        if value == escape:
            num_bits, state, position = _take_bits(state, _LENGTH_BITS, words, position)
            low = min(num_bits, 16)
            high, state, position = _take_bits(state, num_bits - low, words, position)
            rest, state, position = _take_bits(state, low, words, position)
            distance = (np.int64(1) << num_bits) + (high << low) + rest
            value = -(distance >> 1) if distance & 1 == 0 else escape + (distance >> 1)
        value += np.int64(offsets[table])
        if value > MAX_SYMBOL or value < -MAX_SYMBOL:
            return _BAD_SYMBOL, position
        out[i] = value
        states[lane] = state
    return _OK, position
