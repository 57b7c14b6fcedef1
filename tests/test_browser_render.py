"""Pages of our own in a real Chromium: exact labels, the same bytes every time."""

from collections.abc import Iterator

import numpy as np
import pytest

from datagen.browser.chromium import Browser
from datagen.browser.make import make_page
from datagen.browser.page import Page
from datagen.browser.pages.table import PAGES
from datagen.browser.recording import Recording, Response
from datagen.browser.render import render_page
from datagen.browser.rendered import Rendered
from datagen.browser.tab import Window
from datagen.browser.user_pages import render_recording
from pipeline.base.errors import PictureError
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC
from tests.browser_pages import materials, needs_chromium, page
from tests.photo_files import scenery

pytestmark = [pytest.mark.browser, needs_chromium]

BODY = """
<img src="a.jpg" style="position:absolute;left:20px;top:10px;width:200px;height:150px;border-radius:20px">
<div style="position:absolute;left:40px;top:30px;width:30px;height:20px;background:#123456"></div>
<div style="position:absolute;left:100px;top:30px;width:30px;height:20px;background:rgba(255,0,0,.5)"></div>
<img src="b.jpg" style="position:absolute;left:240px;top:10px;width:60px;height:60px;opacity:.5">
<p style="position:absolute;left:60px;top:90px;margin:0;font:bold 40px sans-serif;color:#fff">Word</p>
<svg width="60" height="45" style="position:absolute;left:240px;top:90px">
<image href="b.jpg" width="60" height="45"/></svg>
<img src="a.jpg" style="position:absolute;left:240px;top:140px;width:60px;height:30px;filter:brightness(.5)">
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def known() -> Page:
    """A page of which every pixel's label is known."""
    return page(BODY, {"a.jpg": scenery(1), "b.jpg": scenery(2)})


@pytest.fixture(scope="module")
def rendered(browser: Browser, known: Page) -> Rendered:
    return render_page(browser, known, (320, 200), 1.0)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (5, 5, SYNTHETIC),
        (120, 70, NATURAL),
        (50, 40, SYNTHETIC),
        (110, 40, IGNORE),
        (260, 40, IGNORE),
        (21, 11, SYNTHETIC),
        (270, 110, NATURAL),
        (270, 150, IGNORE),
    ],
    ids=["page", "photo", "cover", "veil", "opacity", "corner", "svg", "filter"],
)
def test_labels_say_whose_colour_a_pixel_has(rendered: Rendered, x: int, y: int, expected: int) -> None:
    assert rendered.label[y, x] == expected


def test_text_over_a_photograph_is_drawn_with_ignored_edges(rendered: Rendered) -> None:
    white = (rendered.picture[90:140, 60:200] == 255).all(axis=2)
    label = rendered.label[90:140, 60:200]
    assert white.sum() > 300 and (label[white] == SYNTHETIC).mean() > 0.9
    assert (label == IGNORE).sum() > 50


def test_boxes_agree_and_regions_are_the_objects(rendered: Rendered) -> None:
    agreement = rendered.details["agreement"]
    assert agreement["natural"] > 0.995 and agreement["synthetic"] > 0.995 and agreement["compared"] > 0.7
    areas = [(region.area.x, region.area.y, region.area.width, region.area.height) for region in rendered.regions]
    assert (20, 10, 200, 150) in areas and (40, 30, 30, 20) in areas and (240, 10, 60, 60) in areas
    assert rendered.num_letters == len("Word")


def test_exchanging_photographs_gives_what_loading_others_gives(
    browser: Browser, known: Page, rendered: Rendered
) -> None:
    base = "http://pages.invalid/"
    html = known.html.replace("<body", "<body data-diptych=photo")
    responses = {base: Response(status=200, content_type="text/html; charset=utf-8", data=html.encode())}
    for path, resource in known.resources.items():
        responses[base + path] = Response(status=200, content_type=resource.content_type, data=resource.data)
    recording = Recording(name="test", address=base, responses=responses)
    loaded = render_recording(browser, recording, Window(width=320, height=200, scale=1.0))
    assert np.array_equal(loaded.picture, rendered.picture)
    assert np.array_equal(loaded.label, rendered.label)


def test_a_scale_makes_everything_larger(browser: Browser, known: Page) -> None:
    large = render_page(browser, known, (640, 400), 2.0)
    assert large.picture.shape == (400, 640, 3)
    assert large.label[140, 240] == NATURAL and large.label[80, 100] == SYNTHETIC and large.label[80, 220] == IGNORE
    odd = render_page(browser, known, (321, 201), 1.5)
    assert odd.picture.shape == (201, 321, 3) and odd.label.shape == (201, 321)


def test_a_page_that_draws_something_else_each_time_is_refused(browser: Browser) -> None:
    colour = "t=performance.now()/10,document.body.style.background=`rgb(${[0,83,166].map(x=>(t+x)%250|0)})`"
    script = f"<script>setInterval(()=>{{{colour}}},1)</script>"
    with pytest.raises(PictureError) as caught:
        render_page(browser, page("<p>Text</p>" + script, {}), (200, 100), 1.0)
    assert caught.value.reason == "unstable"


@pytest.mark.parametrize("name", list(PAGES))
def test_every_page_scene_is_labelled_as_its_boxes_say(browser: Browser, name: str) -> None:
    stock, rng = materials(name)
    scene = make_page(name, stock, rng, (800, 600), 1.0)
    found = render_page(browser, scene, (800, 600), 1.0)
    assert found.details["agreement"]["natural"] > 0.97 and found.details["agreement"]["synthetic"] > 0.97
    assert found.details["unstable"] < 1e-4
    assert np.unique(found.picture.reshape(-1, 3), axis=0).shape[0] > 50
    assert len(found.regions) >= 3 and found.num_letters > 0
    assert any(source.kind == "photo" for source in stock.sources) == any(
        resource.photo_size for resource in scene.resources.values()
    )


def test_the_same_page_has_the_same_bytes_in_another_process_and_after_other_pages(browser: Browser) -> None:
    names = ("page_social", "page_dashboard", "page_shop")
    size = (1000, 640)
    first = []
    for name in names:
        stock, rng = materials("twice", name)
        first.append(render_page(browser, make_page(name, stock, rng, size, 1.0), size, 1.0))
    with Browser() as other:
        for name, expected in zip(reversed(names), reversed(first), strict=True):
            stock, rng = materials("twice", name)
            found = render_page(other, make_page(name, stock, rng, size, 1.0), size, 1.0)
            assert np.array_equal(found.picture, expected.picture), name
            assert np.array_equal(found.label, expected.label), name
            assert found.details == expected.details


def test_a_page_fits_its_window_and_says_how_it_was_made() -> None:
    stock, rng = materials("fit")
    made = make_page("page_article", stock, rng, (1920, 1080), 1.25)
    assert set(made.details) == {"dark", "language", "zoom"}
    css = (1920 / (1.25 * made.zoom), 1080 / (1.25 * made.zoom))
    assert all(abs(side - round(side)) < 1e-6 for side in css)
    assert not PAGES["page_slides"].fits(360, 640, 1.0) and PAGES["page_shop"].fits(360, 640, 1.0)
