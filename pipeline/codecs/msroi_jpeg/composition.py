"""The encoder `paper`: pixels composed from plain JPEGs of several qualities, then coded once more at the asked size.

Source: Prakash et al., Semantic Perceptual Image Compression Using Deep Convolutional Networks (DCC 2017), and its
released code, whose levels are per pixel; here they are the same all over a block (or MCU), as the paper says.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.codecs.msroi_jpeg.jpeg_file import STANDARD_CHROMA, STANDARD_LUMA
from pipeline.codecs.msroi_jpeg.saliency_levels import of_units, qualities

SUBSAMPLINGS = {1: "4:4:4", 2: "4:2:0"}


def compose(
    picture: NDArray[np.uint8], saliency: NDArray[np.float32], *, policy: int, chroma_scale: int
) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3), each unit of it decoded from the quality that its saliency asks for.

    If that is one quality all over, the picture itself: there is nothing to compose, and plain JPEG is what is left.
    """
    side = 8 * chroma_scale
    of_unit = qualities(of_units(saliency, side), policy)
    levels = np.unique(of_unit)
    if len(levels) == 1:
        return picture
    height, width = saliency.shape
    of_pixel = np.repeat(np.repeat(of_unit, side, axis=0), side, axis=1)[:height, :width]
    composed = picture.copy()
    for quality in levels:
        data = plain_jpeg(picture, jpeg_scale(int(quality)), chroma_scale=chroma_scale)
        where = of_pixel == quality
        composed[where] = decode(data)[where]
    return composed


def plain_jpeg(picture: NDArray[np.uint8], scale: float, *, chroma_scale: int) -> bytes:
    """Return a baseline JPEG by libjpeg-turbo: the standard's tables times `scale`; grey if the picture is."""
    tables = [
        np.clip(np.floor(table * scale + 0.5 + 1e-9), 1, 255).astype(int).reshape(-1).tolist()
        for table in (STANDARD_LUMA, STANDARD_CHROMA)
    ]
    is_grey = bool((picture[:, :, 1:] == picture[:, :, :1]).all())
    buffer = io.BytesIO()
    if is_grey:
        Image.fromarray(picture[:, :, 0]).save(buffer, format="JPEG", qtables=tables[:1])
    else:
        Image.fromarray(picture).save(buffer, format="JPEG", qtables=tables, subsampling=SUBSAMPLINGS[chroma_scale])
    return buffer.getvalue()


def jpeg_scale(quality: int) -> float:
    """Return what libjpeg multiplies the standard's tables by at a quality of 1..100."""
    return (5000 // quality if quality < 50 else 200 - 2 * quality) / 100


def decode(data: bytes) -> NDArray[np.uint8]:
    """Return a JPEG's pixels (H, W, 3)."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return np.array(image.convert("RGB"), dtype=np.uint8)
