"""Whether a sample is worth having: blank, nearly without colours, without text, a copy of another."""

from collections.abc import Iterable

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datagen.config import QualityConfig
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
    skip = 2 if factor >= 4 else 1
    image = Image.fromarray(np.ascontiguousarray(picture[::skip])).reduce((factor, factor // skip)).convert("L")
    return str(imagehash.phash(image, hash_size=HASH_SIDE, highfreq_factor=_HASH_FACTOR))


def distance(first: str, second: str) -> int:
    """Return the number of bits in which two hashes differ."""
    return (int(first, 16) ^ int(second, 16)).bit_count()


def refusal(
    config: QualityConfig, picture: Pixels, label: NDArray[np.uint8], num_letters: int | None
) -> tuple[str, str] | None:
    """Return why a sample is refused (reason, message), or None; `num_letters` None = not known.

    `picture` (H, W, 3), `label` (H, W).
    """
    step = max(1, int((label.size / _LOOKS) ** 0.5))
    counts = _colour_counts(picture[::step, ::step])
    flat = float(counts.max() / counts.sum())
    if flat > config.max_flat:
        return "blank", f"{flat:.1%} of the pixels have one colour, at most {config.max_flat:.1%} may"
    if len(counts) < config.min_colours:
        return "too_few_colours", f"{len(counts)} colours, {config.min_colours} are wanted"
    if config.text and num_letters == 0:
        return "no_text", "no letter is visible"
    natural = float(np.count_nonzero(label == NATURAL) / label.size)
    low, high = config.natural_fraction
    if not low <= natural <= high and not bool((label == IGNORE).all()):
        return "label_fraction", f"{natural:.1%} of the pixels are natural, {low:.1%} to {high:.1%} may be"
    return None


def _colour_counts(pixels: Pixels) -> NDArray[np.int64]:
    """Return how often each colour of (H, W, 3) occurs."""
    packed = np.zeros((*pixels.shape[:2], 4), dtype=np.uint8)
    packed[:, :, :3] = pixels
    colours = packed.view(np.uint32).reshape(-1)
    # A screen is full of runs of one colour, which the stable sort passes over; it takes a third of the other's time.
    colours.sort(kind="stable")
    starts = np.flatnonzero(np.diff(colours, prepend=~colours[0]))
    return np.diff(starts, append=colours.size)


def near_duplicate(config: QualityConfig, found: str, earlier: Iterable[str]) -> str | None:
    """Return the first of the `earlier` hashes that differs from `found` in too few bits, or None."""
    return next((other for other in earlier if distance(found, other) < config.near_duplicate_bits), None)
