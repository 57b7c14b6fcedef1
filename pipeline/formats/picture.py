"""Reading and writing the pictures people have: PNG, JPEG, WebP, GIF, BMP, TIFF.

A picture in Diptych is 8 bits a sample: an array (H, W, C), uint8, C = 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha.
What cannot be held that way without loss is refused with a reason, never bent silently.
"""

import hashlib
import io
import struct
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from pipeline.base.errors import PictureError
from pipeline.formats.png import encode_png

Pixels = NDArray[np.uint8]

MAX_PIXELS = 1 << 27
"""Largest picture read by default: 134 million pixels (16384 x 8192); a larger one may be a decompression bomb."""

MAX_SIDE = 1 << 16
"""Largest width or height, in pixels: codecs work in strips of rows, so a row has to fit in memory."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Pillow's decoders that outside bytes may reach. Others start programs (EPS) or are hardly ever looked after."""

# What Pillow's decoders raise on damaged files, found by feeding them some 350,000 of these. MemoryError is not among
# them: it says something about this machine, not about the file.
PILLOW_ERRORS = (OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, struct.error)
_TIFF_BITS_PER_SAMPLE = 258

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
"""File name endings that are taken as pictures when a folder is searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture and where it came from."""

    pixels: Pixels
    """(H, W, C), C in 1..4 as above, upright (EXIF orientation applied)."""
    file_sha256: str
    """SHA-256 of the file's bytes, hexadecimal."""
    source_mode: str
    """Pillow's mode of the file (`RGB`, `P`, `CMYK`, ...); says what was converted."""

    @property
    def pixels_sha256(self) -> str:
        """SHA-256 of the pixels as `digest_pixels` defines it."""
        return digest_pixels(self.pixels)


def digest_pixels(pixels: Pixels) -> str:
    """Return the SHA-256 of `HxWxC\\n` followed by the pixels in row order, hexadecimal."""
    digest = hashlib.sha256("x".join(map(str, pixels.shape)).encode() + b"\n")
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def read_picture(data: bytes, *, where: str, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode a picture file's bytes.

    Palettes become RGB (or RGBA if they hold transparency), an alpha channel that is opaque everywhere is dropped,
    CMYK is converted with the embedded profile if there is one, EXIF orientation is applied.
    Raises: PictureError: reasons `empty_file`, `not_a_picture`, `truncated`, `too_large`, `bit_depth`, `animated`.
    """
    if not data:
        raise PictureError("empty_file", f"{where}: the file is empty")
    try:
        with warnings.catch_warnings():
            # Pillow warns about large pictures and odd metadata; the size is checked just below, before decoding.
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            return _read(image, data, where=where, max_pixels=max_pixels)
    except Image.DecompressionBombError as error:
        raise PictureError("too_large", f"{where}: {error}") from error
    except UnidentifiedImageError as error:
        raise PictureError("not_a_picture", f"{where}: no picture format that is known here") from error
    except PILLOW_ERRORS as error:
        raise PictureError("truncated", f"{where}: damaged or cut short ({error})") from error


def _read(image: Image.Image, data: bytes, *, where: str, max_pixels: int) -> Picture:
    width, height = image.size
    if width * height > max_pixels or max(width, height) > MAX_SIDE:
        limit = f"{max_pixels} pixels, {MAX_SIDE} a side"
        raise PictureError("too_large", f"{where}: {width}x{height} is over the limit of {limit}")
    if getattr(image, "n_frames", 1) > 1:
        raise PictureError("animated", f"{where}: holds {getattr(image, 'n_frames', 1)} frames, expected one")
    source_mode = image.mode
    if source_mode.startswith(("I", "F")) or _bits_a_sample(image, data) > 8:
        raise PictureError("bit_depth", f"{where}: more than 8 bits a sample ({source_mode}); 8-bit pictures are held")
    image.load()
    image = ImageOps.exif_transpose(image)
    return Picture(pixels=_to_array(image), file_sha256=hashlib.sha256(data).hexdigest(), source_mode=source_mode)


def _bits_a_sample(image: Image.Image, data: bytes) -> int:
    """Return what the file's header says: Pillow reduces 16-bit colour to 8 bits without a word."""
    if image.format == "PNG":
        return data[24]
    if image.format == "TIFF":
        tags: Any = getattr(image, "tag_v2", {})
        return max(int(bits) for bits in np.atleast_1d(tags.get(_TIFF_BITS_PER_SAMPLE, 8)))
    return 8


def _to_array(image: Image.Image) -> Pixels:
    if image.mode == "1":
        see_through = image.info.get("transparency")
        image = image.convert("L")
        if see_through is not None:
            alpha = image.point(lambda value: 0 if value == (255 if see_through else 0) else 255)
            image = Image.merge("LA", (image, alpha))
    elif image.mode == "CMYK":
        image = _cmyk_to_rgb(image)
    elif image.mode == "P" or "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        grey = image.mode in ("L", "La")
        transparent = "transparency" in image.info or image.mode in ("PA", "La", "RGBa")
        image = image.convert(("LA" if grey else "RGBA") if transparent else "RGB")
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    array = np.array(image, dtype=np.uint8)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.shape[2] in (2, 4) and bool((array[:, :, -1] == 255).all()):
        array = array[:, :, :-1]
    return np.ascontiguousarray(array)


def _cmyk_to_rgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            # A profile that cannot be read leaves the plain conversion, which is what browsers show.
            return image.convert("RGB")
        if converted is not None:
            return converted
    return image.convert("RGB")


def write_png(pixels: Pixels, *, compress_level: int = 6) -> bytes:
    """Return an (H, W, C) uint8 array, C in 1..4, as PNG; same pixels and same installed libraries, same bytes."""
    return encode_png(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels, compress_level=compress_level)


def to_rgb(pixels: Pixels) -> Pixels:
    """Return the colour channels of (H, W, C) as RGB (H, W, 3): grey is repeated, alpha left out."""
    colour = pixels[:, :, : 1 if pixels.shape[2] <= 2 else 3]
    return np.repeat(colour, 3, axis=2) if colour.shape[2] == 1 else np.ascontiguousarray(colour)
