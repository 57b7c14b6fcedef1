"""Telling photographs from drawn pictures by their pixels."""

from pathlib import Path

import numpy as np
import pytest
import skimage
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from datagen.browser.photo_or_drawn import MIN_SIDE, classify
from tests.photo_files import scenery

SAMPLES = Path(skimage.__file__).parent / "data"


def drawing() -> NDArray[np.uint8]:
    image = Image.new("RGB", (240, 160), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 20, 120, 120), fill="teal")
    draw.rectangle((100, 60, 220, 140), outline="black", width=3)
    draw.text((30, 130), "Quarterly figures", fill="black")
    return np.asarray(image)


@pytest.mark.parametrize("name", ["astronaut.png", "chelsea.png", "coffee.png", "motorcycle_left.png"])
def test_photographs_are_photographs_at_any_size(name: str) -> None:
    with Image.open(SAMPLES / name) as image:
        whole = image.convert("RGB")
    assert classify(np.asarray(whole)) == "photo"
    whole.thumbnail((120, 120))
    assert classify(np.asarray(whole)) == "photo"


def test_drawn_pictures_are_drawn() -> None:
    assert classify(drawing()) == "drawn"
    gradient = np.repeat(np.linspace(0, 255, 200, dtype=np.uint8)[None, :, None], 100, axis=0)
    assert classify(gradient) != "photo"


def test_small_pictures_are_icons() -> None:
    assert classify(scenery(1, width=MIN_SIDE - 1, height=200)) == "drawn"


def test_transparent_pixels_are_not_looked_at() -> None:
    photograph = scenery(2, width=200, height=200)
    alpha = np.zeros((200, 200, 1), dtype=np.uint8)
    alpha[40:160, 40:160] = 255
    cut_out = np.concatenate([np.where(alpha > 0, photograph, 0).astype(np.uint8), alpha], axis=2)
    assert classify(cut_out) == "photo"
    assert classify(np.concatenate([photograph, np.zeros_like(alpha)], axis=2)) == "drawn"
