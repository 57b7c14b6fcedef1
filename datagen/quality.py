"""Whether a sample is worth having: blank, nearly without colours, without text, a copy of another."""

import math
from collections.abc import Iterable

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datagen.config import QualityConfig
from datagen.survey_kernels import count_colours, luma_means
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, NATURAL

HASH_SIDE = 16
"""Side of the perceptual hash: 16 x 16 = 256 bits."""
_HASH_FACTOR = 4
_REDUCED_SIDE = HASH_SIDE * _HASH_FACTOR
_LOOKS = 16_384
"""About how many pixels are looked at to count colours, spread evenly over the picture."""

REASONS = ("blank", "too_few_colours", "no_text", "label_fraction", "near_duplicate")
"""What a sample is refused for; the same drawing is refused again, so there is no use in trying it again."""


def perceptual_hash(picture: Pixels) -> str:
    """Return the 256-bit DCT hash of a picture (H, W, 3) as 64 hexadecimal digits (Zauner 2010, by imagehash)."""
    # A box filter brings the picture near its final size cheaply; what is left is resampled by the hash itself.
    factor = max(1, min(picture.shape[:2]) // (2 * _REDUCED_SIDE))
    # Every second row will do where four or more become one, and halves the time.
    reduced = luma_means(np.ascontiguousarray(picture), factor, max(2, factor // 128) if factor >= 4 else 1)
    return str(imagehash.phash(Image.fromarray(reduced), hash_size=HASH_SIDE, highfreq_factor=_HASH_FACTOR))


def distance(first: str, second: str) -> int:
    """Return the number of bits in which two hashes differ."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


def refusal(
    config: QualityConfig, picture: Pixels, label: NDArray[np.uint8], num_letters: int | None
) -> tuple[str, str] | None:
    """Return why a sample is refused (reason, message), or None; `num_letters` None = not known.

    `picture` (H, W, 3), `label` (H, W).
    """
    step = math.ceil((label.size / _LOOKS) ** 0.5)
    num_colours, largest, looked = count_colours(np.ascontiguousarray(picture), step)
    flat = largest / looked
    if flat > config.max_flat:
        return "blank", f"{flat:.1%} of the pixels have one colour, at most {config.max_flat:.1%} may"
    if num_colours < config.min_colours:
        return "too_few_colours", f"{num_colours} colours, {config.min_colours} are wanted"
    if config.text and num_letters == 0:
        return "no_text", "no letter is visible"
    natural = float(np.count_nonzero(label == NATURAL) / label.size)
    low, high = config.natural_fraction
    if not low <= natural <= high and not bool((label == IGNORE).all()):
        return "label_fraction", f"{natural:.1%} of the pixels are natural, {low:.1%} to {high:.1%} may be"
    return None


def near_duplicate(config: QualityConfig, found: str, earlier: Iterable[str]) -> str | None:
    """Return the first of the `earlier` hashes that differs from `found` in too few bits, or None."""
    return next((other for other in earlier if distance(found, other) < config.near_duplicate_bits), None)
