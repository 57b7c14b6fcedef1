"""The region of interest: what is exact, what is not, and how the background is rounded.

A payload is: background step (u8), way (u8); way 0: the exact classes as bits (u16, little-endian); way 1: a map of the
exact pixels (class_map.py, 1 = exact).
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import CorruptBitstream
from pipeline.codecs.seec.class_map import decode_class_map, encode_class_map
from pipeline.codecs.seec.config import MAX_CLASSES

_BY_CLASS, _BY_MAP = 0, 1
MAX_STEP = 255


def write_background(exact: NDArray[np.bool_], classes: NDArray[np.uint8], step: int) -> bytes:
    """Return the payload. Raises: ValueError: the step is not 0..255."""
    if not 0 <= step <= MAX_STEP:
        raise ValueError(f"the background's step must be 0..{MAX_STEP}, got {step}")
    present = np.unique(classes)
    of_class = {int(each): exact[classes == each] for each in present}
    if all(inside.all() or not inside.any() for inside in of_class.values()):
        bits = sum(1 << each for each, inside in of_class.items() if inside.all())
        return bytes([step, _BY_CLASS]) + bits.to_bytes(2, "little")
    return bytes([step, _BY_MAP]) + encode_class_map(exact.astype(np.uint8), 2)


def parse_background(data: bytes, classes: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], int]:
    """Return which pixels (H, W) are exact, and the step. Raises: CorruptBitstream, TruncatedBitstream."""
    if len(data) < 2 or data[1] not in (_BY_CLASS, _BY_MAP):
        raise CorruptBitstream("seec: the background's header is neither by class nor by map")
    height, width = classes.shape
    if data[1] == _BY_MAP:
        exact = decode_class_map(data[2:], height=height, width=width, num_classes=2) == 1
    elif len(data) == 4:
        bits = int.from_bytes(data[2:4], "little")
        exact = np.array([bits >> each & 1 for each in range(MAX_CLASSES)], dtype=np.bool_)[classes]
    else:
        raise CorruptBitstream(f"seec: a background by class takes 4 bytes, got {len(data)}")
    if exact.all():
        raise CorruptBitstream("seec: a background without pixels")
    return exact, data[0]
