"""Writing PNG (ISO/IEC 15948): every row minus the row above, deflated by the fastest library that is installed.

With imagecodecs (extra `datagen`) colour goes through libdeflate and single planes through zlib-ng; without it Pillow
writes the file. What was measured: docs/adr/0004-png-encoder.md.
"""

import io
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Deflate = Callable[[NDArray[np.uint8], int], bytes]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""By number of channels: grey, grey + alpha, RGB, RGB + alpha."""
_UP = 2
"""The filter that subtracts the row above: screens repeat from row to row, and one filter for all needs no choosing."""


def encode_png(array: NDArray[np.uint8] | NDArray[np.uint16], *, compress_level: int) -> bytes:
    """Return (H, W) uint8 or uint16, or (H, W, C) uint8 with C in 2..4, as PNG; same array, same bytes.

    `compress_level` is 0..9; the bytes also depend on the installed libraries and their versions.
    """
    deflate = _deflate(colour=array.ndim == 3)
    if deflate is None:
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, format="PNG", compress_level=compress_level)
        return buffer.getvalue()
    height, width = array.shape[:2]
    num_channels = array.shape[2] if array.ndim == 3 else 1
    header = struct.pack(">IIBBBBB", width, height, 8 * array.itemsize, _COLOUR_TYPES[num_channels], 0, 0, 0)
    data = deflate(_filtered(array), compress_level)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _filtered(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the rows (H, 1 + bytes a row), each after the number of its filter, samples big-endian."""
    samples = array.astype(">u2") if array.itemsize == 2 else np.ascontiguousarray(array)
    rows = samples.view(np.uint8).reshape(array.shape[0], -1)
    filtered = np.empty((rows.shape[0], rows.shape[1] + 1), dtype=np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))


@lru_cache(maxsize=2)
def _deflate(*, colour: bool) -> Deflate | None:
    """Return a function (bytes, level) -> zlib stream, or None where imagecodecs is missing or was built without it."""
    try:
        import imagecodecs
    except ImportError:
        return None
    if not (imagecodecs.DEFLATE.available and imagecodecs.ZLIBNG.available):
        return None
    # libdeflate packs detail tighter and faster; zlib-ng passes over the long runs of a label map five times as fast.
    # It takes any buffer; its annotations know three.
    encode: Any = imagecodecs.deflate_encode if colour else imagecodecs.zlibng_encode
    return lambda data, level: bytes(encode(data, level=level))
