"""The gallery in a real Chromium: overlays, filters, viewer, keys; nothing is fetched and nothing complains."""

import base64
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from datagen.dataset.overlays import COLOURS, shrink
from datagen.dataset.view import ViewConfig, choose, view
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from tests.dataset_corpus import build_small
from tests.test_cli import diptych

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def gallery(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "gallery.html"
    summary = view(Store(corpus), path, ViewConfig(), progress=Tally())
    assert summary.num_samples == 7 and summary.num_bytes == path.stat().st_size < 24e6
    return path


@pytest.fixture(scope="module")
def page(gallery: Path) -> Iterator[Any]:
    """The gallery, opened; at the end nothing may have been asked of a network or said on the console."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed")
        pytest.skip("chromium is not installed")
    from datagen.browser.chromium import driver

    requests: list[str] = []
    messages: list[str] = []
    browser = driver().chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(gallery.as_uri())
    yield page
    browser.close()
    assert [url for url in requests if not url.startswith("data:")] == [gallery.as_uri()]
    assert messages == []


def pixels(locator: Any) -> np.ndarray[Any, Any]:
    with Image.open(io.BytesIO(locator.screenshot())) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.browser
def test_every_sample_has_a_card_with_a_picture(page: Any) -> None:
    cards = page.locator(".card")
    assert cards.count() == 7 and page.locator("#count").text_content() == "7 of 7"
    loaded = page.evaluate("[...document.querySelectorAll('.picture > img:first-child')].map((i) => i.naturalWidth)")
    assert loaded == [480] * 7


@pytest.mark.browser
@pytest.mark.parametrize("layer", ["synthetic", "regions"])
def test_an_overlay_colours_the_pixels_it_is_about(page: Any, layer: str) -> None:
    thumb = page.locator(".thumb").first
    before = pixels(thumb)
    button = page.locator(f'.bar .toggle[data-layer="{layer}"]')
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    after = pixels(thumb)
    assert np.abs(after - before).max(axis=2).mean() > 10
    page.locator("#opacity").fill("100")
    solid = pixels(thumb)
    assert np.abs(solid - before).sum() > np.abs(after - before).sum()
    if layer == "synthetic":
        assert (np.abs(solid - COLOURS[layer]).max(axis=2) < 12).mean() > 0.05
    page.locator("#opacity").fill("55")
    button.click()
    assert np.abs(pixels(thumb) - before).max() <= 2


@pytest.mark.browser
def test_filters_show_what_fits_and_say_how_many(page: Any, corpus: Path) -> None:
    page.select_option("#split", "test")
    assert page.locator(".card:not([hidden])").count() == 2 and page.locator("#count").text_content() == "2 of 7"
    page.fill("#search", "000001")
    assert page.locator(".card:visible b").all_text_contents() == ["test-000001"]
    page.fill("#search", "nobody")
    assert page.locator("#nothing").is_visible()
    page.fill("#search", "")
    page.select_option("#split", "")
    page.select_option("#sort", "natural")
    shown = page.locator(".card:visible b").all_text_contents()
    rows = [open_split(Store(corpus), split) for split in ("train", "val", "test")]
    shares = {row.row(i)["key"]: row.row(i)["natural_fraction"] for row in rows for i in range(row.num_samples)}
    assert [shares[key] for key in shown] == sorted(shares.values(), reverse=True)
    page.select_option("#sort", "key")


@pytest.mark.browser
def test_the_viewer_opens_large_with_metadata_and_follows_the_keys(page: Any, corpus: Path) -> None:
    small = page.locator(".card:visible .picture").first.bounding_box()
    page.locator(".card:visible button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator("#viewer-title").text_content() == "test-000001"
    page.keyboard.press("ArrowLeft")
    assert page.locator("#viewer-title").text_content() == "test-000000"
    large = page.locator("#stage .picture").bounding_box()
    assert large["width"] > 1.5 * small["width"] and abs(large["width"] / large["height"] - 1.5) < 0.02
    text = page.locator("#facts").text_content()
    info = open_split(Store(corpus), "test").sample(0).info
    for part in (str(info.seed), info.how_labelled, *(source.licence for source in info.sources)):
        assert part in text
    before = pixels(page.locator("#stage"))
    page.keyboard.press("l")
    assert page.locator('.top .toggle[data-layer="synthetic"]').get_attribute("aria-pressed") == "true"
    assert np.abs(pixels(page.locator("#stage")) - before).mean() > 5
    page.keyboard.press("l")
    page.keyboard.press("z")
    assert page.locator("#stage .picture").bounding_box()["width"] == 480
    page.keyboard.press("z")
    page.keyboard.press("Escape")
    assert not page.locator("#viewer").is_visible()
    # A locator, which polls outside the page: a function polled inside it would break the page's policy on scripts.
    page.locator('[aria-label^="test-000000: "]:focus').wait_for(state="attached")


@pytest.mark.browser
def test_the_page_is_legible_in_light_and_dark(page: Any) -> None:
    def contrast() -> float:
        texts = page.evaluate(
            "['ink', 'muted'].map((name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`))"
        )
        ground = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--page')")
        return min(ratio(text, ground) for text in texts)

    light = contrast()
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert min(light, contrast()) > 4.5
    page.locator("#theme").click()


def ratio(first: str, second: str) -> float:
    """Return the contrast of two colours `#rrggbb` (WCAG 2.1)."""

    def luminance(colour: str) -> float:
        values = np.array([int(colour.strip()[place : place + 2], 16) / 255 for place in (1, 3, 5)])
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_choice_is_even_over_scenes_and_the_same_for_the_same_seed(corpus: Path) -> None:
    store = Store(corpus)
    chosen, num_fitting = choose(store, ViewConfig(num_samples=3))
    kinds = {row["kind"] for _, row in _rows(store)}
    assert num_fitting == 7 and len({item.row["kind"] for item in chosen}) == min(3, len(kinds))
    assert chosen == choose(store, ViewConfig(num_samples=3))[0]
    seeds = {tuple(item.row["key"] for item in choose(store, ViewConfig(num_samples=3, seed=s))[0]) for s in range(9)}
    assert len(seeds) > 1
    only, num_fitting = choose(store, ViewConfig(split="test"))
    assert num_fitting == 2 and {item.shard.split for item in only} == {"test"}
    with pytest.raises(UsageError, match=r"no samples of split 'nobody'"):
        choose(store, ViewConfig(split="nobody"))


def _rows(store: Store) -> Iterator[tuple[str, dict[str, Any]]]:
    for split in ("train", "val", "test"):
        opened = open_split(store, split)
        for index in range(opened.num_samples):
            yield split, opened.row(index)


def test_overlays_are_the_maps(corpus: Path) -> None:
    sample = open_split(Store(corpus), "train").sample(0)
    shown = shrink(sample, max_bytes=10_000_000)
    for name, value in (("synthetic", 0), ("natural", 1), ("ignore", 255)):
        assert (name in shown.layers) == bool((sample.label == value).any())
        if name in shown.layers:
            data = base64.b64decode(shown.layers[name].partition(",")[2])
            with Image.open(io.BytesIO(data)) as image:
                rgba = np.asarray(image.convert("RGBA"))
            assert np.array_equal(rgba[:, :, 3] == 255, sample.label == value)
            assert (rgba[rgba[:, :, 3] == 255][:, :3] == COLOURS[name]).all()


def test_a_small_page_shows_small_pictures(corpus: Path, tmp_path: Path) -> None:
    wide = view(Store(corpus), tmp_path / "wide.html", ViewConfig(), progress=Tally())
    tight = view(Store(corpus), tmp_path / "tight.html", ViewConfig(max_megabytes=0.1), progress=Tally())
    assert tight.num_bytes < wide.num_bytes


def test_the_command_line_writes_a_page_and_replaces_none(corpus: Path, tmp_path: Path) -> None:
    path = tmp_path / "gallery.html"
    done = diptych("dataset", "view", corpus, "--out", path, "--num", 2, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["num_samples"] == 2, done.stderr
    done = diptych("dataset", "view", corpus, "--out", path)
    assert done.returncode == 2 and "--overwrite" in done.stderr
