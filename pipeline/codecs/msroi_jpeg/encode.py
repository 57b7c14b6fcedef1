"""Picture and saliency map to an ordinary JPEG, and back."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import CorruptBitstream, PictureError
from pipeline.codecs.msroi_jpeg import composition, rdo
from pipeline.codecs.msroi_jpeg.blocks import chroma_detail, components
from pipeline.codecs.msroi_jpeg.saliency_levels import POLICIES
from pipeline.codecs.msroi_jpeg.search import within_budget
from pipeline.formats.picture import PILLOW_ERRORS

MAX_JPEG_SIDE = 65500
"""libjpeg's limit."""
_STEP_BOUNDS = (0.25, 4000.0)
_SCALE_BOUNDS = (0.005, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """How large or how good a JPEG is to be, and by which encoder.

    Raises: ValueError: not exactly one of quality, num_bytes and like_quality, or one is out of range.
    """

    encoder: Literal["rdo", "paper"] = "rdo"
    quality: int | None = None
    """1..100, on libjpeg's scale of steps: what salient regions get."""
    num_bytes: int | None = None
    """The file's size: at most this, and at most 1 % less where there is such a file."""
    like_quality: int | None = None
    """As many bytes as plain JPEG at this quality (libjpeg-turbo, 4:2:0, as it comes)."""
    subsampling: Literal["auto", "4:4:4", "4:2:0"] = "auto"
    """`auto`: chroma at half resolution where that loses less than coding it does."""
    policy: int = 3
    """Which of the released rules makes qualities of saliency; encoder `paper` only."""
    depth: float = rdo.DEPTH
    """Octaves between what squared error counts for at saliency 1 and at 0; encoder `rdo` only."""

    def __post_init__(self) -> None:
        given = [name for name in ("quality", "num_bytes", "like_quality") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"expected one of quality, num_bytes and like_quality, got {', '.join(given) or 'none'}")
        for name in ("quality", "like_quality"):
            if getattr(self, name) is not None and not 1 <= getattr(self, name) <= 100:
                raise ValueError(f"{name} must be 1..100, got {getattr(self, name)}")
        if self.num_bytes is not None and self.num_bytes < 1:
            raise ValueError(f"num_bytes must be positive, got {self.num_bytes}")
        if self.policy not in POLICIES:
            raise ValueError(f"policy must be one of {POLICIES}, got {self.policy}")
        if not 0 <= self.depth <= 8:
            raise ValueError(f"depth must be 0..8 octaves, got {self.depth}")


def encode_jpeg(picture: NDArray[np.uint8], saliency: NDArray[np.float32], request: Request) -> bytes:
    """Return RGB (H, W, 3) as a JPEG; `saliency` (H, W) is 0..1. Same input, same bytes.

    Raises: PictureError: a side is over MAX_JPEG_SIDE (`too_large`), or the budget cannot be met (`over_budget`).
    ValueError: the map has another size than the picture.
    """
    height, width = picture.shape[:2]
    if saliency.shape != (height, width):
        raise ValueError(f"saliency map is {saliency.shape[1]}x{saliency.shape[0]}, picture {width}x{height}")
    if max(height, width) > MAX_JPEG_SIDE:
        raise PictureError("too_large", f"{width}x{height}: JPEG holds at most {MAX_JPEG_SIDE} pixels a side")
    budget = request.num_bytes
    if request.like_quality is not None:
        budget = len(composition.plain_jpeg(picture, composition.jpeg_scale(request.like_quality), chroma_scale=2))
    quality = request.quality or request.like_quality or 75
    step = 16 * max(composition.jpeg_scale(quality), 1 / 16)
    chroma_scale = _chroma_scale(picture, request, step)
    if request.encoder == "paper":
        composed = composition.compose(picture, saliency, policy=request.policy, chroma_scale=chroma_scale)

        def at_scale(scale: float) -> bytes:
            return composition.plain_jpeg(composed, scale, chroma_scale=chroma_scale)

        if budget is None:
            return at_scale(composition.jpeg_scale(quality))
        return within_budget(at_scale, budget, first=step / 16, bounds=_SCALE_BOUNDS)
    source = rdo.source_of(components(picture, chroma_scale=chroma_scale), saliency, depth=request.depth)
    if budget is None:
        return rdo.encode(source, step)
    return within_budget(lambda trial: rdo.encode(source, trial), budget, first=step, bounds=_STEP_BOUNDS)


def _chroma_scale(picture: NDArray[np.uint8], request: Request, step: float) -> int:
    """Return 2 where chroma at half resolution loses less than quantising it would."""
    if request.subsampling != "auto":
        return {scale: number for number, scale in composition.SUBSAMPLINGS.items()}[request.subsampling]
    return 2 if rdo.CHROMA_WEIGHT * chroma_detail(picture) < step**2 / 12 else 1


def decode_jpeg(data: bytes, *, height: int, width: int) -> NDArray[np.uint8]:
    """Return a JPEG's pixels (H, W, 3). Raises: CorruptBitstream: it is damaged, or of another size."""
    try:
        picture = composition.decode(data)
    except PILLOW_ERRORS as error:
        raise CorruptBitstream(f"JPEG: damaged ({error})") from error
    if picture.shape[:2] != (height, width):
        raise CorruptBitstream(f"JPEG: {picture.shape[1]}x{picture.shape[0]}, expected {width}x{height}")
    return picture
