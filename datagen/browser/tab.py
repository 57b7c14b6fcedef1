"""One tab: sized in device pixels, photographed without loss."""

import base64
import io
import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as PlaywrightError

from datagen.browser.scripts import script
from pipeline.formats.picture import Pixels

_CAPTURE_WAITS_S = (0.0, 0.1, 0.3, 1.0)
"""Seconds before each further try to take a page's picture; after the last the page has lost its surface for good."""
_NO_SURFACE = "Unable to capture screenshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What the page sees of the screen."""

    width: int
    """Device pixels."""
    height: int
    scale: float
    """Device pixels a CSS pixel, 1 to 3."""

    @property
    def css_size(self) -> tuple[int, int]:
        """Width and height in CSS pixels; the last may show in part."""
        return math.ceil(self.width / self.scale), math.ceil(self.height / self.scale)


class Tab:
    """A page in a browser context of its own. Its methods raise Playwright's errors; `Browser.run` is the border."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.page = context.new_page()
        self._window: Window | None = None
        self._devtools = context.new_cdp_session(self.page)

    @property
    def window(self) -> Window:
        """Raises: ValueError: `resize` was never called."""
        if self._window is None:
            raise ValueError("the tab has no size yet")
        return self._window

    def resize(self, window: Window) -> None:
        """Set the size of what is seen."""
        if window == self._window:
            return
        width, height = window.css_size
        metrics = {"width": width, "height": height, "deviceScaleFactor": window.scale, "mobile": False}
        self._devtools.send("Emulation.setDeviceMetricsOverride", metrics)
        self._window = window

    def picture(self) -> Pixels:
        """Return what the window shows, (height, width, 3), drawn again from nothing."""
        # What was drawn once is decoded, and only then known to be opaque or not, which decides what is drawn below it.
        self._draw()
        self.page.evaluate(script("repaint.js"), True)
        self._draw()
        self.page.evaluate(script("repaint.js"), False)
        return _decode(self._capture({"format": "png"}), self.window)

    def _draw(self) -> None:
        # A picture taken of it is the one proof that a frame was drawn.
        self._capture({"format": "jpeg", "quality": 1})

    def _capture(self, options: dict[str, Any]) -> dict[str, Any]:
        # A page that was opened a moment ago on a busy machine may lose the surface it was being drawn on, and with it
        # this picture only.
        for wait_s in _CAPTURE_WAITS_S:
            try:
                return self._devtools.send("Page.captureScreenshot", {**options, "optimizeForSpeed": True})
            except PlaywrightError as error:
                if not has_lost_surface(error):
                    raise
            time.sleep(wait_s)
        return self._devtools.send("Page.captureScreenshot", {**options, "optimizeForSpeed": True})

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Return what the JavaScript function `script` returns, through JSON."""
        return self.page.evaluate(script, argument)

    def close(self) -> None:
        """Close the page and forget its cookies, storage and cache."""
        self.context.close()

    def answers(self) -> bool:
        """Return whether the page's process lives."""
        try:
            self.page.evaluate("1")
        except PlaywrightError:
            return False
        return True


def has_lost_surface(error: PlaywrightError) -> bool:
    """Return whether it says that Chromium does not draw the page, which its next process may well do."""
    return _NO_SURFACE in str(error)


def _decode(shot: dict[str, Any], window: Window) -> Pixels:
    with Image.open(io.BytesIO(base64.b64decode(shot["data"])), formats=("PNG",)) as image:
        pixels = np.array(image.convert("RGB"))
    # The page is laid out in whole CSS pixels; at 1.5 device pixels each that may be one device pixel too many.
    return np.ascontiguousarray(pixels[: window.height, : window.width])
