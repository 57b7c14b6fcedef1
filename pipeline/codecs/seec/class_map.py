"""The map that says of which class each pixel is (0 drawn, 1 photographed; 2 to 16 classes), without loss.

    byte 0    the way, one of METHODS
    constant  one byte: the class of every pixel
    contexts  a stream of class_map_coder.py, not empty: that would be the map of zeros, which is constant
    packed    every pixel in 1 to 4 bits, as many as the largest class needs; rows follow each other without a gap,
              the highest bit is first, the last byte is filled with zeros

The encoder takes the shortest that there is. `packed` bounds a map's size and the encoder's memory; noise alone needs
it. PNG, WebP, CCITT G4 and JPEG XL take 1.2 to 10 times the bytes of `contexts` on maps of screens and of objects
(benchmarks/class_maps.py), so the format does without them and their decoders.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import CorruptBitstream, TruncatedBitstream
from pipeline.codecs.seec.class_map_coder import OK, OUT_OF_DATA, decode_contexts, encode_contexts
from pipeline.formats.picture import MAX_PIXELS, MAX_SIDE

Classes = NDArray[np.uint8]

METHODS = {"constant": 0, "contexts": 1, "packed": 2}
"""The ways by name: the first byte of a map. A number is never given to another way."""

MAX_CLASSES = 16
"""Most classes of a map; the least are 2."""


def encode_class_map(classes: Classes, num_classes: int) -> bytes:
    """Return (H, W) uint8, each below `num_classes` (2..16), in the fewest bytes; same map, same bytes.

    Raises: ValueError: another shape or type, a class or number of classes out of range, more pixels than MAX_PIXELS
    or MAX_SIDE of pipeline.formats.picture.
    """
    if classes.ndim != 2 or classes.dtype != np.uint8:
        raise ValueError(f"a class map is (H, W) uint8, not {classes.shape} {classes.dtype}")
    height, width = classes.shape
    if not _fits(height, width, num_classes):
        raise ValueError(f"{width}x{height} pixels of {num_classes} classes: {_LIMITS}")
    if int(classes.max()) >= num_classes:
        raise ValueError(f"class {int(classes.max())} in a map of {num_classes} classes")
    # The kernels are compiled for arrays that can be written to.
    classes = np.require(classes, requirements=("C", "W"))
    if bool((classes == classes[0, 0]).all()):
        return bytes([METHODS["constant"], classes[0, 0]])
    stream = encode_contexts(classes, num_classes, max_size=_packed_size(height, width, num_classes))
    if stream is None:
        return bytes([METHODS["packed"]]) + _pack(classes, num_classes)
    return bytes([METHODS["contexts"]]) + stream


def decode_class_map(data: bytes | memoryview, *, height: int, width: int, num_classes: int) -> Classes:
    """Return the map, (height, width), each class below `num_classes`; takes at most some five times its memory.

    Raises: TruncatedBitstream, CorruptBitstream: `data` is not a map of this size and number of classes, or these are
    beyond what a map can have.
    """
    where = f"class map of {len(data)} bytes"
    if not _fits(height, width, num_classes):
        raise CorruptBitstream(f"{where}: {width}x{height} pixels of {num_classes} classes: {_LIMITS}")
    if not len(data):
        raise TruncatedBitstream("class map is empty")
    method, body = data[0], memoryview(data).cast("B")[1:]
    if method == METHODS["constant"]:
        if not len(body):
            raise TruncatedBitstream(f"{where} ends before its class")
        if len(body) > 1 or body[0] >= num_classes:
            raise CorruptBitstream(f"{where} is not one class below {num_classes}")
        return np.full((height, width), body[0], dtype=np.uint8)
    if method == METHODS["contexts"]:
        if not len(body):
            raise TruncatedBitstream(f"{where} ends before its stream")
        classes = np.empty((height, width), dtype=np.uint8)
        status = decode_contexts(body, classes, num_classes)
        if status == OUT_OF_DATA:
            raise TruncatedBitstream(f"{where} ends before its last pixel of {width}x{height}")
        if status != OK:
            raise CorruptBitstream(f"{where} does not end where its {width}x{height} pixels end")
        return classes
    if method == METHODS["packed"]:
        return _unpack(body, height, width, num_classes)
    raise CorruptBitstream(f"{where} is coded in way {method}, which is not known")


_LIMITS = f"from 1 to {MAX_PIXELS} pixels, {MAX_SIDE} a side, and 2 to {MAX_CLASSES} classes are possible"


def _fits(height: int, width: int, num_classes: int) -> bool:
    sides_fit = 1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE
    return sides_fit and height * width <= MAX_PIXELS and 2 <= num_classes <= MAX_CLASSES


def _packed_size(height: int, width: int, num_classes: int) -> int:
    return (height * width * _num_bits(num_classes) + 7) // 8


def _num_bits(num_classes: int) -> int:
    return (num_classes - 1).bit_length()


def _pack(classes: Classes, num_classes: int) -> bytes:
    shifts = np.arange(_num_bits(num_classes) - 1, -1, -1, dtype=np.uint8)
    return np.packbits((classes.reshape(-1, 1) >> shifts) & 1).tobytes()


def _unpack(body: memoryview, height: int, width: int, num_classes: int) -> Classes:
    size = _packed_size(height, width, num_classes)
    if len(body) < size:
        raise TruncatedBitstream(f"packed class map has {len(body)} bytes, {width}x{height} pixels take {size}")
    num_bits = _num_bits(num_classes)
    num_used = height * width * num_bits
    bits = np.unpackbits(np.frombuffer(body, dtype=np.uint8, count=size))
    if len(body) > size or bool(bits[num_used:].any()):
        raise CorruptBitstream(f"packed class map of {len(body)} bytes goes on behind its {width}x{height} pixels")
    classes = np.zeros(height * width, dtype=np.uint8)
    for plane in bits[:num_used].reshape(-1, num_bits).T:
        classes <<= 1
        classes |= plane
    if int(classes.max()) >= num_classes:
        raise CorruptBitstream(f"packed class map has class {int(classes.max())} of {num_classes}")
    return classes.reshape(height, width)
