"""One strip's bytes: the walk over its pixels, begun, ended and checked.

A stream is the words of the range coder; it ends in the shortest number that the coder's last interval holds.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import CorruptBitstream, TruncatedBitstream
from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.screen import mixing
from pipeline.codecs.screen.model import new_model
from pipeline.codecs.screen.strip import MAX_PIXEL_BYTES, code_rows

Colours = NDArray[np.int32]

_START = (1 << 48) - 1
_TAIL = 6
_MIN_BUFFER = 1 << 12


def encode_strip(colours: Colours, effort: int) -> bytes:
    """Return the stream of packed colours (H, W), red in the highest of their 24 bits."""
    height, width = colours.shape
    row_bytes = (width + 1) * MAX_PIXEL_BYTES
    buffer = np.zeros(_MIN_BUFFER + row_bytes, dtype=np.uint8)
    state = _new_state(effort)
    model = new_model(height, width, state, buffer)
    model.canvas.pixels()[:] = colours
    walk = compile_kernel(code_rows, makes_arrays=False)
    while True:
        walk(model)
        if state[mixing.ROW] == height:
            return _ended(buffer, state)
        # Rows left, at what rows took so far, and one of the worst kind.
        place, row = int(state[mixing.PLACE]), int(state[mixing.ROW])
        more = place * (height - row) // max(row, 1) + row_bytes
        buffer = np.concatenate([buffer[:place], np.zeros(more + _MIN_BUFFER, dtype=np.uint8)])
        model = model._replace(tools=model.tools._replace(buffer=buffer))


def decode_strip(data: bytes | memoryview, height: int, width: int, effort: int) -> Colours:
    """Return the colours (H, W) of a stream.

    Raises: TruncatedBitstream: it ends before its pixels; CorruptBitstream: it goes on behind them.
    """
    buffer = np.array(np.frombuffer(data, dtype=np.uint8))
    state = _new_state(effort)
    state[mixing.IS_DECODER] = 1
    state[mixing.CODE] = int.from_bytes(bytes(data[:_TAIL]).ljust(_TAIL, b"\0"), "big")
    state[mixing.PLACE] = _TAIL
    model = new_model(height, width, state, buffer)
    compile_kernel(code_rows, makes_arrays=False)(model)
    size = len(buffer)
    if state[mixing.IS_OVER] or state[mixing.ROW] < height or state[mixing.PLACE] > size + _TAIL:
        raise TruncatedBitstream(f"stream of {size} bytes ends before row {height} of its strip")
    first = int(state[mixing.PLACE]) - _TAIL
    tail = bytes(data[first : first + _TAIL])
    low = (int.from_bytes(tail.ljust(_TAIL, b"\0"), "big") - int(state[mixing.CODE])) & _START
    if size < first or bytes(data[first:]) != _shortest(low, int(state[mixing.RANGE]))[1]:
        raise CorruptBitstream(f"stream of {size} bytes does not end where its pixels end")
    return np.ascontiguousarray(model.canvas.pixels())


def _new_state(effort: int) -> NDArray[np.int64]:
    state = np.zeros(mixing.NUM_STATE, dtype=np.int64)
    state[mixing.RANGE] = _START
    state[mixing.IS_FAST] = effort
    return state


def _shortest(low: int, size: int) -> tuple[bool, bytes]:
    """Return the number in [low, low + size) that has the most trailing zeros: whether it carries, and its bytes."""
    zeros = next(z for z in range(48, -1, -1) if -(-low >> z) << z < low + size)
    value = -(-low >> zeros) << zeros
    return value > _START, (value & _START).to_bytes(_TAIL, "big").rstrip(b"\0")


def _ended(buffer: NDArray[np.uint8], state: NDArray[np.int64]) -> bytes:
    """Return the buffer's bytes, ended by a number in the last interval."""
    carries, tail = _shortest(int(state[mixing.LOW]), int(state[mixing.RANGE]))
    words = bytearray(buffer[: state[mixing.PLACE]].tobytes())
    if carries:
        at = len(words) - 1
        while words[at] == 255:
            words[at] = 0
            at -= 1
        words[at] += 1
    return bytes(words) + tail
