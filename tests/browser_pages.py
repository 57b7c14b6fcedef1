"""Pages and photographs for the tests of the browser renderer."""

import os
from collections.abc import Mapping
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from datagen.browser.chromium import installed
from datagen.browser.page import Page, Resource
from datagen.materials import Materials
from datagen.sources import PlannedSource
from datagen.texts import words_of
from pipeline.base.seeds import generator
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import Source
from tests.photo_files import scenery

needs_chromium = pytest.mark.skipif(not installed() and not os.environ.get("CI"), reason="no Chromium")


def jpeg(pixels: Pixels) -> bytes:
    """Return the pixels as a JPEG file."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()


def page(body: str, photos: Mapping[str, Pixels]) -> Page:
    """Return a page with the given body, margin 0 and photographs by path."""
    files = {
        path: Resource(data=jpeg(pixels), content_type="image/jpeg", photo_size=(pixels.shape[1], pixels.shape[0]))
        for path, pixels in photos.items()
    }
    html = f"<!doctype html><meta charset=utf-8><body style='margin:0;background:#fff'>{body}"
    return Page(name="test", html=html, resources=files)


def materials(*names: str | int) -> tuple[Materials, np.random.Generator]:
    """Return eight photographs and a split's words, and the generator that deals them."""
    photos = [
        PlannedSource(
            source=Source(kind="photo", name=str(seed), sha256=f"{seed:064d}", licence="CC0-1.0", origin="here"),
            split="train",
            path=str(seed),
        )
        for seed in range(8)
    ]
    rng = generator(3, "browser", *names)
    return Materials(photos, words_of("train"), load=lambda planned: scenery(int(planned.path)), rng=rng), rng
