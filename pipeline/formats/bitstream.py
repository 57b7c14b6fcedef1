"""One picture's bytes. The byte table is in docs/bitstream.md; this module is its only writer and reader.

A bitstream is self-delimiting (several can stand one after another), names its codec and the exact weights that decode
it, and ends with a CRC-32 over everything before it, header included. A CRC-32 finds every change confined to 32
consecutive bits, hence every single-byte change. It also carries the CRC-32 of the picture that the encoder saw its
own decoder produce: a decoder that arrives at another picture says so.
"""

import zlib
from dataclasses import dataclass

from pipeline.base.errors import CorruptBitstream, TruncatedBitstream, UnsupportedBitstream

MAGIC = b"\x8fDPT"
VERSION = 1
MAX_SIDE = 1 << 24
"""Largest width or height that a bitstream may state, in pixels."""
MAX_SEGMENTS = 32
_CRC_SIZE = 4
_DIGEST_SIZE = 8
_FIXED_SIZE = len(MAGIC) + 1 + 1 + 2 + _DIGEST_SIZE + 4

SEGMENT_ALPHA = 0x80
"""Tag of the losslessly coded alpha plane; tags below 0x80 belong to the codec, tags from 0x80 to all codecs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitstream:
    """The parsed header and payload of one picture's bytes."""

    codec_wire_id: int
    """Which codec wrote it, 1..65535 (pipeline/codecs/table.py)."""
    weights_digest: bytes
    """First 8 bytes of the SHA-256 of the weights file that decodes it; zeros if the codec has no weights."""
    width: int
    height: int
    num_channels: int
    """Of the picture: 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha."""
    pixels_crc32: int
    """CRC-32 of the decoded pixels, uint8, row order, channels interleaved."""
    segments: dict[int, bytes]
    """Payload by tag, in the order of writing."""


def pack(bitstream: Bitstream) -> bytes:
    """Return the bytes of one picture.

    Raises: ValueError: a field is out of range (a caller's mistake, never a property of outside data).
    """
    if not 1 <= bitstream.codec_wire_id <= 0xFFFF or len(bitstream.weights_digest) != _DIGEST_SIZE:
        raise ValueError("codec_wire_id must be 1..65535 and weights_digest 8 bytes")
    if not (1 <= bitstream.width <= MAX_SIDE and 1 <= bitstream.height <= MAX_SIDE):
        raise ValueError(f"{bitstream.width}x{bitstream.height}: sides must be 1..{MAX_SIDE}")
    if bitstream.num_channels not in (1, 2, 3, 4) or len(bitstream.segments) > MAX_SEGMENTS:
        raise ValueError(f"num_channels must be 1..4, at most {MAX_SEGMENTS} segments")
    parts = [
        MAGIC,
        bytes([VERSION, bitstream.num_channels]),
        bitstream.codec_wire_id.to_bytes(2, "little"),
        bitstream.weights_digest,
        bitstream.pixels_crc32.to_bytes(4, "little"),
        _varint(bitstream.width),
        _varint(bitstream.height),
        _varint(len(bitstream.segments)),
    ]
    for tag, payload in bitstream.segments.items():
        parts += [bytes([tag]), _varint(len(payload))]
    parts += bitstream.segments.values()
    body = b"".join(parts)
    return body + zlib.crc32(body).to_bytes(_CRC_SIZE, "little")


def unpack(data: bytes | memoryview, *, where: str = "bitstream") -> Bitstream:
    """Parse exactly one bitstream that fills `data`.

    Raises: TruncatedBitstream, CorruptBitstream, UnsupportedBitstream: never returns a wrong header or payload.
    """
    bitstream, size = unpack_first(data, where=where)
    if size != len(data):
        raise CorruptBitstream(f"{where}: {len(data) - size} bytes follow the end of the bitstream")
    return bitstream


def unpack_first(data: bytes | memoryview, *, where: str = "bitstream") -> tuple[Bitstream, int]:
    """Parse the bitstream at the start of `data`; return it and its size in bytes, CRC included.

    Raises: TruncatedBitstream, CorruptBitstream, UnsupportedBitstream.
    """
    view = memoryview(data)
    if bytes(view[: len(MAGIC)]) != MAGIC[: len(view)]:
        raise CorruptBitstream(f"{where}: starts with {bytes(view[:4])!r}, not with a Diptych bitstream's magic")
    if len(view) < _FIXED_SIZE:
        raise TruncatedBitstream(f"{where}: {len(view)} bytes are fewer than a header's {_FIXED_SIZE}")
    if view[4] != VERSION:
        raise UnsupportedBitstream(f"{where}: version {view[4]}, this release reads version {VERSION}")
    cursor = _Cursor(view, _FIXED_SIZE, where)
    width, height, num_segments = cursor.varint(), cursor.varint(), cursor.varint()
    if num_segments > MAX_SEGMENTS:
        raise CorruptBitstream(f"{where}: {num_segments} segments, at most {MAX_SEGMENTS} are allowed")
    table = [(cursor.byte(), cursor.varint()) for _ in range(num_segments)]
    segments: dict[int, bytes] = {tag: cursor.take(size) for tag, size in table}
    end = cursor.position
    stored = int.from_bytes(cursor.take(_CRC_SIZE), "little")
    if zlib.crc32(view[:end]) != stored:
        raise CorruptBitstream(f"{where}: checksum differs; the bytes were changed after writing")
    parsed = Bitstream(
        codec_wire_id=int.from_bytes(view[6:8], "little"),
        weights_digest=bytes(view[8:16]),
        width=width,
        height=height,
        num_channels=view[5],
        pixels_crc32=int.from_bytes(view[16:20], "little"),
        segments=segments,
    )
    # The checksum held, so what follows can only be a writer's mistake or a forgery.
    sides_fit = 1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE
    if not sides_fit or parsed.num_channels not in (1, 2, 3, 4) or len(segments) != num_segments:
        raise CorruptBitstream(f"{where}: {width}x{height}x{parsed.num_channels} or its segment table is impossible")
    return parsed, cursor.position


class _Cursor:
    """Reads forward through bytes and refuses to pass their end."""

    def __init__(self, view: memoryview, position: int, where: str) -> None:
        self._view = view
        self._where = where
        self.position = position

    def take(self, size: int) -> bytes:
        end = self.position + size
        if end > len(self._view):
            raise TruncatedBitstream(f"{self._where}: needs {end} bytes, got {len(self._view)}")
        data = bytes(self._view[self.position : end])
        self.position = end
        return data

    def byte(self) -> int:
        return self.take(1)[0]

    def varint(self) -> int:
        value = 0
        for shift in range(0, 35, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if byte == 0 and shift:
                    raise CorruptBitstream(f"{self._where}: a number is not in its shortest form")
                return value
        raise CorruptBitstream(f"{self._where}: a number is longer than 5 bytes")


def _varint(value: int) -> bytes:
    """Return `value` as LEB128: 7 bits a byte, low bits first, the high bit set on all but the last."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
