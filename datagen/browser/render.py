"""From a page of our own to a labelled picture: loaded once, photographed three times."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Route

from datagen.browser.chromium import Browser
from datagen.browser.difference import label_by_difference
from datagen.browser.fillings import BLACK, WHITE, filling
from datagen.browser.page import Page, Resource
from datagen.browser.survey import Agreement, agreement, label_from_boxes, regions_of, survey
from datagen.browser.tab import Tab, Window
from datagen.canvas import Region
from pipeline.base.errors import PictureError
from pipeline.base.store import sha256_hex
from pipeline.formats.picture import Pixels

ORIGIN = "http://pages.invalid"
"""Where pages are served from, out of memory; the name can never exist (RFC 2606)."""

MAX_UNSTABLE = 0.002
"""A page of which more pixels differ between its loads, photographs aside, is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A labelled picture of a page."""

    picture: Pixels
    """(H, W, 3)."""
    label: NDArray[np.uint8]
    """(H, W)."""
    regions: list[Region]
    details: dict[str, Any]
    """Renderer facts for the sample's metadata."""


def render_page(browser: Browser, page: Page, size: tuple[int, int], scale: float) -> Rendered:
    """Return the page at `size` (width, height in device pixels), `scale` device pixels a CSS pixel.

    Raises: PictureError: `page_timeout`, `page_failed`, `unstable`; UsageError: no Chromium.
    """
    window = Window(width=size[0], height=size[1], scale=scale * page.zoom)
    return browser.run(lambda held: _render(held.tab(), page, window), where=page.name)


def finish(
    pictures: tuple[Pixels, Pixels, Pixels], boxes: tuple[NDArray[np.uint8], list[Region]], details: dict[str, Any]
) -> Rendered:
    """Label the picture (first of three) by its fillings (black, white). Raises: PictureError: `unstable`."""
    difference = label_by_difference(*pictures)
    where = str(details.get("page", "page"))
    if difference.unstable > MAX_UNSTABLE:
        found = f"{difference.unstable:.2%} of the pixels differ between two loads"
        raise PictureError("unstable", f"{where}: {found}, at most {MAX_UNSTABLE:.2%} may")
    by_boxes, regions = boxes
    return Rendered(
        picture=pictures[0],
        label=difference.label,
        regions=regions,
        details=details
        | {"unstable": difference.unstable, "agreement": _rounded(agreement(difference.label, by_boxes))},
    )


def _render(tab: Tab, page: Page, window: Window) -> Rendered:
    tab.resize(window)
    base = f"{ORIGIN}/{sha256_hex(page.html.encode())[:16]}/"
    address = base + "index.html"
    files = {base + path: resource for path, resource in page.resources.items()}
    tab.page.route("**/*", lambda route: _serve(route, address, page.html, files))
    try:
        tab.page.goto(address, wait_until="load")
        sizes = {url: resource.photo_size for url, resource in files.items() if resource.photo_size is not None}
        tab.evaluate(_settle_script())
        picture = tab.picture()
        items = survey(tab, list(sizes))
        fillings = []
        for grey in (BLACK, WHITE):
            _exchange(tab, sizes, grey)
            fillings.append(tab.picture())
    finally:
        tab.page.unroute_all()
    by_boxes = label_from_boxes(items, window.width, window.height)
    regions = regions_of(items, window.width, window.height)
    details = {"renderer": "browser", "page": page.name, "scale": round(window.scale / page.zoom, 4), **page.details}
    return finish((picture, fillings[0], fillings[1]), (by_boxes, regions), details)


def _exchange(tab: Tab, sizes: Mapping[str, tuple[int, int]], grey: int) -> None:
    table = {
        url: "data:image/png;base64," + base64.b64encode(filling(*size, grey)).decode() for url, size in sizes.items()
    }
    tab.evaluate(_exchange_script(), table)


def _serve(route: Route, address: str, html: str, files: Mapping[str, Resource]) -> None:
    url = route.request.url
    if url == address:
        route.fulfill(body=html, content_type="text/html; charset=utf-8")
    elif url in files:
        route.fulfill(body=files[url].data, content_type=files[url].content_type)
    else:
        route.abort()


def _rounded(found: Agreement) -> dict[str, float]:
    return {
        "natural": round(found.natural, 6),
        "synthetic": round(found.synthetic, 6),
        "compared": round(found.compared, 6),
    }


@lru_cache(maxsize=1)
def _exchange_script() -> str:
    return (resources.files("datagen.browser") / "exchange.js").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _settle_script() -> str:
    return (resources.files("datagen.browser") / "settle.js").read_text(encoding="utf-8")
