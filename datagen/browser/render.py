"""From a page of our own to a labelled picture: loaded once, photographed three times."""

import base64
from collections.abc import Mapping

from playwright.sync_api import Route

from datagen.browser.chromium import Browser
from datagen.browser.fillings import BLACK, WHITE, filling
from datagen.browser.page import Page, Resource
from datagen.browser.recording import ORIGIN
from datagen.browser.rendered import Rendered, finish
from datagen.browser.scripts import script
from datagen.browser.survey import survey
from datagen.browser.tab import Tab, Window
from pipeline.base.store import sha256_hex


def render_page(browser: Browser, page: Page, size: tuple[int, int], scale: float) -> Rendered:
    """Return the page at `size` (width, height in device pixels), `scale` device pixels a CSS pixel.

    Raises: PictureError: `page_timeout`, `page_failed`, `unstable`; UsageError: no Chromium.
    """
    window = Window(width=size[0], height=size[1], scale=scale * page.zoom)
    return browser.run(lambda held: _render(held.tab(), page, window), where=page.name)


def _render(tab: Tab, page: Page, window: Window) -> Rendered:
    tab.resize(window)
    base = f"{ORIGIN}/{sha256_hex(page.html.encode())[:16]}/"
    address = base + "index.html"
    files = {base + path: resource for path, resource in page.resources.items()}
    tab.page.route("**/*", lambda route: _serve(route, address, page.html, files))
    try:
        tab.page.goto(address, wait_until="load")
        sizes = {url: resource.photo_size for url, resource in files.items() if resource.photo_size is not None}
        tab.evaluate(script("settle.js"))
        picture = tab.picture()
        items = survey(tab, list(sizes))
        fillings = []
        for grey in (BLACK, WHITE):
            _exchange(tab, sizes, grey)
            fillings.append(tab.picture())
    finally:
        tab.page.unroute_all()
    details = {"renderer": "browser", "page": page.name, "scale": round(window.scale / page.zoom, 4), **page.details}
    return finish((picture, fillings[0], fillings[1]), items, window, details)


def _exchange(tab: Tab, sizes: Mapping[str, tuple[int, int]], grey: int) -> None:
    table = {
        url: "data:image/png;base64," + base64.b64encode(filling(*size, grey)).decode() for url, size in sizes.items()
    }
    tab.evaluate(script("exchange.js"), table)


def _serve(route: Route, address: str, html: str, files: Mapping[str, Resource]) -> None:
    url = route.request.url
    if url == address:
        route.fulfill(body=html, content_type="text/html; charset=utf-8")
    elif url in files:
        route.fulfill(body=files[url].data, content_type=files[url].content_type)
    else:
        route.abort()
