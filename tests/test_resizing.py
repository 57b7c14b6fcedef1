"""Photographs scaled: the same bits everywhere, near what exact arithmetic gives."""

import numpy as np

from datagen.resizing import resized
from pipeline.base.store import sha256_hex
from tests.photo_files import scenery

DIGESTS = ["d0cb8d6c818fb822", "b362af8e8c30a62b", "f2e1ce26e0be4cb8"]
"""Of the first 64 bits; where they differ, corpora of two machines differ."""


def test_a_scaled_photograph_has_the_same_bits_on_every_machine() -> None:
    y, x = np.mgrid[:90, :120]
    picture = np.stack([x * y % 251, (x * 7 + y) % 256, (y * 3) % 256], axis=2).astype(np.uint8)
    digests = [sha256_hex(resized(picture, *size).tobytes())[:16] for size in ((75, 60), (300, 200), (1, 1))]
    assert digests == DIGESTS


def test_the_same_size_costs_nothing_and_flat_colours_stay() -> None:
    picture = scenery(1)
    height, width = picture.shape[:2]
    assert resized(picture, width, height) is picture
    flat = np.full((40, 50, 3), (7, 130, 255), np.uint8)
    for size in ((31, 77), (500, 3)):
        scaled = resized(flat, *size)
        assert scaled.shape == (size[1], size[0], 3) and (scaled == (7, 130, 255)).all()


def test_bilinear_weights_are_exact_to_a_rounding() -> None:
    ramp = np.repeat(np.arange(0, 256, 5, dtype=np.uint8)[None, :, None], 4, axis=0).repeat(3, axis=2)
    scaled = resized(ramp, 520, 4)[0, :, 0].astype(float)
    at = np.clip((np.arange(520) + 0.5) * ramp.shape[1] / 520 - 0.5, 0, ramp.shape[1] - 1)
    assert np.abs(scaled - np.interp(at, np.arange(ramp.shape[1]), ramp[0, :, 0].astype(float))).max() <= 0.51
