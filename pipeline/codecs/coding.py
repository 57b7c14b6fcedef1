"""The one way between a picture and its bytes; commands, archives and evaluation all come through here."""

import functools
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.base.errors import (
    BitstreamError,
    CorruptBitstream,
    PictureError,
    ReconstructionMismatch,
    UnsupportedBitstream,
)
from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.threads import on_threads
from pipeline.formats.bitstream import SEGMENT_ALPHA, Bitstream, pack, unpack
from pipeline.formats.picture import MAX_PIXELS, MAX_SIDE, Pixels, to_rgb

_LIMIT = f"{MAX_PIXELS} pixels, {MAX_SIDE} a side"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A picture's bytes, and the picture they decode to."""

    data: bytes
    reconstruct: Callable[[], Pixels]
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def reconstruction(self) -> Pixels:
        """(H, W, C), the shape of the input; computed when it is first asked for."""
        return self.reconstruct()


def compress_picture(loaded: LoadedCodec, pixels: Pixels, side: SideInputs | None = None) -> Encoded:
    """Code a picture (H, W, C), C in 1..4, uint8. Alpha is kept losslessly beside the codec's colour.

    Raises: PictureError: reason `too_large`, more than MAX_PIXELS or MAX_SIDE.
    """
    height, width, num_channels = pixels.shape
    if height * width > MAX_PIXELS or max(height, width) > MAX_SIDE:
        raise PictureError("too_large", f"{width}x{height} is over the limit of {_LIMIT}")
    coded = loaded.codec.compress(to_rgb(pixels), side or SideInputs())
    segments = dict(coded.segments)
    alpha = pixels[:, :, -1] if num_channels in (2, 4) else None
    if alpha is not None:
        segments[SEGMENT_ALPHA] = zlib.compress(np.ascontiguousarray(alpha).tobytes(), 9)
    reconstruct = functools.cache(lambda: _join(coded.reconstruction, alpha, num_channels))
    data = pack(
        Bitstream(
            codec_wire_id=loaded.spec.wire_id,
            weights_digest=loaded.weights_digest,
            width=width,
            height=height,
            num_channels=num_channels,
            pixels_crc32=zlib.crc32(reconstruct().data) if loaded.codec.exact_pixels else 0,
            segments=segments,
        )
    )
    return Encoded(data=data, reconstruct=reconstruct, details=coded.details)


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
    num_pixels = parsed.width * parsed.height
    if num_pixels > MAX_PIXELS or max(parsed.width, parsed.height) > MAX_SIDE:
        # A few bytes can decode to any number of symbols, so memory must not be taken on a header's word.
        raise UnsupportedBitstream(f"{where}: {parsed.width}x{parsed.height} is over the limit of {_LIMIT}")
    has_alpha = parsed.num_channels in (2, 4)
    if has_alpha != (SEGMENT_ALPHA in parsed.segments):
        raise CorruptBitstream(f"{where}: {parsed.num_channels} channels do not go with its alpha plane, or its lack")
    segments = {tag: payload for tag, payload in parsed.segments.items() if tag != SEGMENT_ALPHA}
    try:
        rgb = loaded.codec.decompress(segments, height=parsed.height, width=parsed.width)
    except BitstreamError as error:
        raise type(error)(f"{where}: {error}") from error
    alpha = _alpha(parsed, where) if has_alpha else None
    pixels = _join(rgb, alpha, parsed.num_channels)
    if loaded.codec.exact_pixels and zlib.crc32(pixels.data) != parsed.pixels_crc32:
        raise ReconstructionMismatch(f"{where}: decodes to another picture than its encoder promised")
    return pixels


def verify_picture(loaded: LoadedCodec, encoded: Encoded, *, where: str = "bitstream") -> None:
    """Decode a picture's bytes and compare. Raises: ReconstructionMismatch; BitstreamError: as `decompress_picture`."""
    decoded = decompress_picture(loaded, encoded.data, where=where)
    if not np.array_equal(decoded, encoded.reconstruction):
        raise ReconstructionMismatch(f"{where}: decodes to another picture than its encoder promised")


def compress_pictures(loaded: LoadedCodec, pictures: Sequence[Pixels]) -> list[Encoded]:
    """Code several pictures at once, of any sizes; each gives the bytes that it gives alone.

    Raises: PictureError: as `compress_picture`, for the first picture that is refused.
    """
    return on_threads(lambda pixels: compress_picture(loaded, pixels), pictures)


def decompress_pictures(loaded: LoadedCodec, bitstreams: Sequence[bytes | memoryview]) -> list[Pixels]:
    """Decode several bitstreams at once; each gives the picture that it gives alone.

    Raises: BitstreamError: as `decompress_picture`, for the first bitstream that is refused.
    """
    numbered = list(enumerate(bitstreams))
    return on_threads(lambda one: decompress_picture(loaded, one[1], where=f"bitstream {one[0]}"), numbered)


def _join(rgb: Pixels, alpha: Pixels | None, num_channels: int) -> Pixels:
    # A grey picture was coded as R = G = B; what comes back is their rounded mean (sum is at most 765).
    colour = rgb if num_channels >= 3 else ((rgb.sum(axis=2, keepdims=True, dtype=np.uint16) + 1) // 3).astype(np.uint8)
    planes = colour if alpha is None else np.concatenate([colour, alpha[:, :, None]], axis=2)
    return np.ascontiguousarray(planes)


def _alpha(parsed: Bitstream, where: str) -> Pixels:
    size = parsed.width * parsed.height
    inflater = zlib.decompressobj()
    try:
        plane = inflater.decompress(parsed.segments[SEGMENT_ALPHA], size + 1)
    except zlib.error as error:
        raise CorruptBitstream(f"{where}: alpha plane: {error}") from error
    if len(plane) != size or not inflater.eof or inflater.unused_data:
        raise CorruptBitstream(f"{where}: alpha plane does not hold exactly {size} values")
    return np.frombuffer(plane, dtype=np.uint8).reshape(parsed.height, parsed.width)
