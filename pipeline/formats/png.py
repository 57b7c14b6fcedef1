"""PNG (ISO/IEC 15948): every row minus the row above, deflated by the fastest library that is installed.

Writing: with imagecodecs (extra `datagen`) colour goes through libdeflate and single planes through zlib-ng; without it
Pillow writes the file. What was measured: docs/adr/0004-png-encoder.md.

Reading: files whose rows are all of the filters None and Up, as those written here are, are inflated in one go and
summed row by row, in a fifth of Pillow's time for a screen. Pillow reads all others.
"""

import io
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Deflate = Callable[[NDArray[np.uint8], int], bytes]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""By number of channels: grey, grey + alpha, RGB, RGB + alpha."""
_MAX_SCRATCH = 1 << 25
"""Bytes that a thread keeps from picture to picture; a screen of 3840x2160 takes 25 million."""
_thread = threading.local()
_MAX_PIXELS = 1 << 27
"""Of pipeline.formats.picture, which imports this module."""
_NONE, _UP = 0, 2
"""Filters. Up subtracts the row above: screens repeat from row to row, and one filter for all needs no choosing."""


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


def decode_png(data: bytes) -> NDArray[Any]:
    """Return a PNG's samples in its own depth and channels: (H, W) or (H, W, C), uint8 or uint16.

    Raises: ValueError, OSError, SyntaxError: it is damaged, also where Pillow alone would not have noticed.
    """
    header, stream = _parse(data)
    planes = None if header is None else _unfiltered(header, stream)
    if planes is None:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            return np.array(image)
    return planes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    width: int
    height: int
    depth: int
    """8 or 16 bits a sample."""
    num_channels: int

    @property
    def row_bytes(self) -> int:
        """Without the filter's number."""
        return self.width * self.num_channels * self.depth // 8


def _parse(data: bytes) -> tuple[_Header | None, bytes]:
    """Return the header and the zlib stream; no header if the file is of a kind that is left to Pillow."""
    header: _Header | None = None
    streams: list[bytes] = []
    place = len(_SIGNATURE)
    while place + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        content = data[place + 8 : place + 8 + size]
        if kind in (b"IHDR", b"IDAT"):
            if zlib.crc32(content, zlib.crc32(kind)).to_bytes(4, "big") != data[place + 8 + size : place + 12 + size]:
                raise ValueError(f"PNG chunk {kind.decode()} at byte {place} is damaged (checksum)")
            if kind == b"IDAT":
                streams.append(content)
            elif (header := _read_header(content)) is None:
                return None, b""
        elif kind in (b"PLTE", b"tRNS"):
            # Pillow gives these pictures another mode.
            return None, b""
        place += 12 + size
    return header, streams[0] if len(streams) == 1 else b"".join(streams)


def _read_header(content: bytes) -> _Header | None:
    if len(content) != 13:
        return None
    width, height, depth, colour, compression, method, interlace = struct.unpack(">IIBBBBB", content)
    num_channels = {colour: count for count, colour in _COLOUR_TYPES.items()}.get(colour)
    known = num_channels is not None and (depth == 8 or (depth == 16 and num_channels == 1))
    # Pillow refuses larger pictures, as bombs.
    if not known or compression or method or interlace or not 0 < width * height <= _MAX_PIXELS:
        return None
    assert num_channels is not None
    return _Header(width=width, height=height, depth=depth, num_channels=num_channels)


def _unfiltered(header: _Header, stream: bytes) -> NDArray[Any] | None:
    """Return the samples, or None if a row has another filter than None and Up."""
    raw = _inflate(stream, header.height * (1 + header.row_bytes))
    rows = np.frombuffer(raw, dtype=np.uint8).reshape(header.height, 1 + header.row_bytes)
    filters = rows[:, 0].tobytes()
    if filters.count(_NONE) + filters.count(_UP) < header.height:
        return None
    summed = np.empty((header.height, header.row_bytes), dtype=np.uint8)
    summed[0] = rows[0, 1:]
    # A loop over rows, as numpy's own running sum takes four times as long along this axis.
    above = summed[0]
    for one_filter, stored, row in zip(filters[1:], rows[1:, 1:], summed[1:], strict=True):
        if one_filter == _UP:
            np.add(above, stored, out=row)
        else:
            row[:] = stored
        above = row
    samples = summed if header.depth == 8 else summed.view(">u2").astype(np.uint16)
    return samples.reshape(header.height, header.width, *([header.num_channels] if header.num_channels > 1 else []))


def _inflate(stream: bytes, num_bytes: int) -> Any:
    """Return exactly `num_bytes` of a zlib stream, its checksum verified; valid until the thread's next call.

    Raises: ValueError: it holds more or fewer.
    """
    try:
        import imagecodecs

        fast = imagecodecs.DEFLATE.available
    except ImportError:
        fast = False
    try:
        if fast:
            # It takes any buffer; its annotations know three.
            inflate: Any = imagecodecs.deflate_decode
            raw = inflate(stream, out=_scratch(num_bytes))
        else:
            inflater = zlib.decompressobj()
            raw = inflater.decompress(stream, num_bytes)
            # One byte more than fits is a sign of a damaged header; none at all lets zlib reach its checksum.
            raw += inflater.decompress(inflater.unconsumed_tail, 1)
            if not inflater.eof:
                raise ValueError("the zlib stream does not end with the picture")
    except (RuntimeError, zlib.error) as error:
        raise ValueError(f"PNG pixels are damaged ({error})") from error
    if len(raw) != num_bytes:
        raise ValueError(f"PNG holds {len(raw)} bytes of pixels, expected {num_bytes}")
    return raw


def _scratch(num_bytes: int) -> NDArray[np.uint8]:
    """Return (num_bytes,) of this thread: fresh memory for every picture costs as much time as inflating it."""
    held: NDArray[np.uint8] | None = getattr(_thread, "scratch", None)
    if held is None or len(held) < num_bytes:
        held = np.empty(num_bytes, dtype=np.uint8)
        if num_bytes <= _MAX_SCRATCH:
            _thread.scratch = held
    return held[:num_bytes]


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
