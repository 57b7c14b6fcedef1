"""Pages that keep Chromium busy for ever, and doubtful pictures wherever a page shows them."""

from pathlib import Path

import numpy as np
import pytest

from datagen.browser.chromium import Browser
from datagen.browser.tab import Window
from datagen.browser.user_pages import find_pages, record, render_recording
from pipeline.base.errors import PictureError
from pipeline.formats.sample import IGNORE
from tests.browser_pages import needs_chromium
from tests.photo_files import encoded, scenery

WINDOW = Window(width=320, height=240, scale=1.0)


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize(
    "code", ["while (true) {}", "onload = () => setTimeout(() => { while (true) {} }, 50)"], ids=["loading", "loaded"]
)
def test_a_page_that_never_ends_its_work_is_refused_and_the_next_is_drawn(tmp_path: Path, code: str) -> None:
    (tmp_path / "a.html").write_text(f"<!doctype html><p>words<script>{code}</script>")
    (tmp_path / "b.html").write_text("<!doctype html><p>words")
    busy, good = find_pages(str(tmp_path))
    with Browser(timeout_s=3.0) as browser:
        with pytest.raises(PictureError) as caught:
            record(browser, busy, [WINDOW])
        assert caught.value.reason == "page_timeout"
        assert "b.html" in record(browser, good, [WINDOW]).address


@pytest.mark.browser
@needs_chromium
def test_a_doubtful_picture_is_ignored_where_no_box_of_the_page_tells_of_it(tmp_path: Path) -> None:
    dull = (scenery(4) // 6 + 30).astype(np.uint8)
    (tmp_path / "dull.png").write_bytes(encoded(dull))
    (tmp_path / "index.html").write_text(
        "<!doctype html><body style='margin:0'><input type=image src=dull.png width=160 height=120>"
        "<iframe srcdoc='<img src=dull.png width=140 height=100>' style='position:absolute;left:0;top:125px'></iframe>"
    )
    source = find_pages(str(tmp_path))[0]
    with Browser() as browser:
        found = render_recording(browser, record(browser, source, [WINDOW]), WINDOW)
    assert found.details["num_unsure"] == 1, "the picture is no longer a doubtful one"
    assert (found.label[:120, :160] == IGNORE).all() and found.label[180, 60] == IGNORE
