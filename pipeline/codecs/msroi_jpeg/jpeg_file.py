"""JPEG files from quantised coefficients, by libjpeg (jpeglib), then entropy-coded as small as mozjpeg makes it."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_COMPONENTS = ("Y", "Cb", "Cr")
STANDARD_LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    dtype=np.float64,
)
"""Luma table of ITU-T T.81, annex K, natural order."""
STANDARD_CHROMA = np.full((8, 8), 99.0)
"""Chroma table of annex K."""
STANDARD_CHROMA[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]


def write_coefficients(
    blocks: Sequence[NDArray[np.int16]], tables: Sequence[NDArray[np.uint16]], *, height: int, width: int
) -> bytes:
    """Return a progressive JPEG of Y, or Y, Cb and Cr: blocks (R, C, 8, 8) and tables (8, 8) in natural order."""
    import jpeglib
    import mozjpeg_lossless_optimization

    numbers = [0, 1, 2][: len(blocks)]
    distinct = list(tables)
    if len(blocks) == len(_COMPONENTS) and np.array_equal(tables[1], tables[2]):
        numbers, distinct = [0, 1, 1], list(tables[:2])
    jpeg = jpeglib.from_dct(**dict(zip(_COMPONENTS, blocks, strict=False)), qt=np.stack(distinct), quant_tbl_no=numbers)
    jpeg.height, jpeg.width = height, width
    with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
        # The library writes to paths only.
        path = Path(folder) / "picture.jpg"
        jpeg.write_dct(str(path))
        plain = path.read_bytes()
    smaller: bytes = mozjpeg_lossless_optimization.optimize(plain)
    return smaller
