"""Chromium shows what Pillow decodes."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from datagen.browser.chromium import driver, find
from pipeline.codecs.msroi_jpeg.encode import Request, decode_jpeg, encode_jpeg
from tests.browser_pages import needs_chromium
from tests.jpeg_pictures import photograph


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("encoder", ["rdo", "paper"])
def test_chromium_shows_the_pixels_that_pillow_decodes(encoder: str) -> None:
    picture = photograph(96, 150)
    saliency = np.zeros(picture.shape[:2], np.float32)
    saliency[30:60, 40:100] = 1
    data = encode_jpeg(picture, saliency, Request(encoder=encoder, quality=70))  # type: ignore[arg-type]
    uri = "data:image/jpeg;base64," + base64.b64encode(data).decode()
    browser = driver().chromium.launch(executable_path=find(), args=["--no-sandbox", "--force-color-profile=srgb"])
    try:
        page = browser.new_page(viewport={"width": 150, "height": 96})
        page.set_content(f'<body style="margin:0"><img style="display:block" src="{uri}">')
        page.wait_for_function("document.images[0].complete")
        assert page.evaluate("[document.images[0].naturalWidth, document.images[0].naturalHeight]") == [150, 96]
        shot = page.screenshot(type="png")
    finally:
        browser.close()
    shown = np.array(Image.open(io.BytesIO(shot)).convert("RGB"))
    assert np.abs(shown.astype(int) - decode_jpeg(data, height=96, width=150)).max() <= 2
