"""The one way between a picture and its bytes; commands, archives and evaluation all come through here."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.base.errors import CorruptBitstream, ReconstructionMismatch, UnsupportedBitstream
from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.interface import SideInputs
from pipeline.formats.bitstream import SEGMENT_ALPHA, Bitstream, pack, unpack
from pipeline.formats.picture import Pixels, to_rgb


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A picture's bytes, and the picture they decode to."""

    data: bytes
    reconstruction: Pixels
    """(H, W, C), the shape of the input."""
    details: Mapping[str, float] = field(default_factory=dict)


def compress_picture(loaded: LoadedCodec, pixels: Pixels, side: SideInputs | None = None) -> Encoded:
    """Code a picture (H, W, C), C in 1..4, uint8. Alpha is kept losslessly beside the codec's colour."""
    height, width, num_channels = pixels.shape
    coded = loaded.codec.compress(to_rgb(pixels), side or SideInputs())
    segments = dict(coded.segments)
    alpha = pixels[:, :, -1] if num_channels in (2, 4) else None
    if alpha is not None:
        segments[SEGMENT_ALPHA] = zlib.compress(np.ascontiguousarray(alpha).tobytes(), 9)
    reconstruction = _join(coded.reconstruction, alpha, num_channels)
    data = pack(
        Bitstream(
            codec_wire_id=loaded.spec.wire_id,
            weights_digest=loaded.weights_digest,
            width=width,
            height=height,
            num_channels=num_channels,
            pixels_crc32=zlib.crc32(reconstruction.data),
            segments=segments,
        )
    )
    return Encoded(data=data, reconstruction=reconstruction, details=coded.details)


def decompress_picture(loaded: LoadedCodec, data: bytes | memoryview, *, where: str = "bitstream") -> Pixels:
    """Return the picture (H, W, C) that `compress_picture` promised.

    Raises: BitstreamError: damaged, written with other weights, or decoded to another picture than promised.
    """
    parsed = unpack(data, where=where)
    if parsed.codec_wire_id != loaded.spec.wire_id or parsed.weights_digest != loaded.weights_digest:
        raise UnsupportedBitstream(
            f"{where}: needs codec {parsed.codec_wire_id} with weights {parsed.weights_digest.hex()}..., "
            f"got codec {loaded.spec.wire_id} with {loaded.weights_digest.hex()}..."
        )
    segments = {tag: payload for tag, payload in parsed.segments.items() if tag != SEGMENT_ALPHA}
    rgb = loaded.codec.decompress(segments, height=parsed.height, width=parsed.width)
    alpha = None
    if parsed.num_channels in (2, 4):
        alpha = _alpha(parsed, where)
    pixels = _join(rgb, alpha, parsed.num_channels)
    if zlib.crc32(pixels.data) != parsed.pixels_crc32:
        raise ReconstructionMismatch(f"{where}: decodes to another picture than its encoder promised")
    return pixels


def _join(rgb: Pixels, alpha: Pixels | None, num_channels: int) -> Pixels:
    # A grey picture was coded as R = G = B; what comes back is their rounded mean (sum is at most 765).
    colour = rgb if num_channels >= 3 else ((rgb.sum(axis=2, keepdims=True, dtype=np.uint16) + 1) // 3).astype(np.uint8)
    planes = colour if alpha is None else np.concatenate([colour, alpha[:, :, None]], axis=2)
    return np.ascontiguousarray(planes)


def _alpha(parsed: Bitstream, where: str) -> Pixels:
    size = parsed.width * parsed.height
    inflater = zlib.decompressobj()
    try:
        plane = inflater.decompress(parsed.segments.get(SEGMENT_ALPHA, b""), size)
    except zlib.error as error:
        raise CorruptBitstream(f"{where}: alpha plane: {error}") from error
    if len(plane) != size or inflater.unconsumed_tail:
        raise CorruptBitstream(f"{where}: alpha plane holds {len(plane)} values, expected {size}")
    return np.frombuffer(plane, dtype=np.uint8).reshape(parsed.height, parsed.width)
