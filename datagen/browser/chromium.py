"""The system's Chromium: found, never downloaded; one process is kept for many pages and replaced when it dies."""

import os
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeVar

from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Playwright, sync_playwright

from datagen.browser.tab import Tab, Window, has_lost_surface
from datagen.browser.watchdog import Watchdog
from pipeline.base.errors import PictureError, UsageError

Antialiasing = Literal["grey", "rgb"]
T = TypeVar("T")

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VARIABLE = "CHROMIUM"
"""Environment variable that names the program when it is not on the path, or when another one is wanted."""

_FLAGS = (
    # Drawing that depends on the page alone: no GPU, one colour space, every image decoded before its frame is drawn.
    "--disable-gpu",
    "--disable-gpu-rasterization",
    "--num-raster-threads=1",
    "--default-tile-width=4096",
    "--default-tile-height=4096",
    "--max-untiled-layer-width=4096",
    "--max-untiled-layer-height=4096",
    "--force-color-profile=srgb",
    "--disable-checker-imaging",
    "--disable-partial-raster",
    "--disable-threaded-animation",
    "--disable-image-animation-resync",
    "--run-all-compositor-stages-before-draw",
    "--disable-new-content-rendering-timeout",
    "--hide-scrollbars",
    "--mute-audio",
    # Nothing but the page may ask the network for anything.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--no-pings",
)
_ANTIALIASING = {
    "grey": ("--disable-lcd-text", "--font-render-hinting=none"),
    "rgb": ("--enable-lcd-text", "--font-render-hinting=slight"),
}

_PATIENCE = 4
"""How many time-outs a page may take altogether; Playwright's end single waits, and few of them."""


def find() -> str:
    """Return the path of a Chromium. Raises: UsageError: none is installed, or `CHROMIUM` names no program."""
    named = os.environ.get(VARIABLE)
    if named:
        path = shutil.which(named)
        if path is None:
            raise UsageError(f"{VARIABLE}={named}: no such program; expected a Chromium or Chrome")
        return path
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            return path
    raise UsageError(
        f"no Chromium found (looked for {', '.join(NAMES)}); install one or set {VARIABLE}=/path/to/chrome"
    )


class Browser:
    """One headless Chromium. Starts at first use, starts again after a crash; not for several threads."""

    def __init__(self, *, antialiasing: Antialiasing = "grey", timeout_s: float = 30.0) -> None:
        self.antialiasing: Antialiasing = antialiasing
        self.timeout_s = timeout_s
        self.num_starts = 0
        self._browser: PlaywrightBrowser | None = None
        self._tab: Tab | None = None
        self._watchdog: Watchdog | None = None

    def __enter__(self) -> "Browser":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def version(self) -> str:
        """Chromium's version, such as `156.0.8078.79`: another one may draw other pixels."""
        return self._started().version

    def run(self, task: Callable[["Browser"], T], *, where: str) -> T:
        """Return `task(self)`; when Chromium dies on the way, or draws no more, once more with a new one.

        Raises: PictureError: `page_timeout`; `page_failed` for what the page itself made impossible, and for a page on
        which that happens twice.
        """
        for attempt in (1, 2):
            self._started()
            watchdog = self._watchdog
            assert watchdog is not None
            watchdog.start()
            try:
                return task(self)
            except PlaywrightError as error:
                if watchdog.has_bitten:
                    self.close()
                    raise PictureError("page_timeout", f"{where}: busy for {watchdog.limit_s:.0f} s") from error
                if self._is_alive() and not has_lost_surface(error):
                    raise _as_picture_error(error, where=where) from error
                self.close()
                if attempt == 2:
                    how = "did not draw this page, twice" if has_lost_surface(error) else "died twice on this page"
                    raise PictureError("page_failed", f"{where}: Chromium {how}") from error
            finally:
                watchdog.stop()
        raise AssertionError("unreachable")

    def tab(self) -> Tab:
        """Return the tab that is kept for pages of our own: they store nothing, so nothing passes between them."""
        if self._tab is None:
            self._tab = self.new_tab()
        return self._tab

    def new_tab(self, *, window: Window | None = None, scripts: tuple[str, ...] = ()) -> Tab:
        """Return a tab with cookies, storage and cache of its own; `scripts` run before any page's. Close it."""
        browser = self._started()
        if self._watchdog is not None:
            self._watchdog.progress()
        context = browser.new_context(
            no_viewport=True, locale="en-GB", timezone_id="UTC", reduced_motion="reduce", service_workers="block"
        )
        context.set_default_timeout(self.timeout_s * 1000)
        for script in scripts:
            context.add_init_script(script)
        tab = Tab(context)
        if window is not None:
            tab.resize(window)
        return tab

    def close(self) -> None:
        """Stop Chromium; the next use starts a new one."""
        browser = self._browser
        self._tab = self._browser = self._watchdog = None
        try:
            if browser is not None:
                browser.close()
        except PlaywrightError:
            # It is dead already, which is what is wanted.
            pass

    def _started(self) -> PlaywrightBrowser:
        if self._browser is not None:
            return self._browser
        executable = find()
        # Chromium refuses to run its sandbox as root, which is what containers usually are.
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
        try:
            self._browser = driver().chromium.launch(
                executable_path=executable, args=[*_FLAGS, *_ANTIALIASING[self.antialiasing], *sandbox]
            )
            self._watchdog = Watchdog(self._browser, _PATIENCE * self.timeout_s)
        except PlaywrightError as error:
            self.close()
            first_line = str(error).strip().splitlines()[0]
            raise UsageError(f"{executable}: does not start as a headless Chromium ({first_line})") from error
        self.num_starts += 1
        return self._browser

    def _is_alive(self) -> bool:
        return self._browser is not None and self._browser.is_connected() and (self._tab is None or self._tab.answers())


@lru_cache(maxsize=1)
def driver() -> Playwright:
    """Return this process's Playwright; a thread can have only one, so all browsers share it."""
    return sync_playwright().start()


@lru_cache(maxsize=2)
def held_browser(antialiasing: Antialiasing = "grey") -> Browser:
    """Return this process's browser, which lives as long as the process: Chromium ends when its pipe closes."""
    return Browser(antialiasing=antialiasing)


def installed() -> bool:
    """Return whether a Chromium can be found."""
    try:
        return Path(find()).is_file()
    except UsageError:
        return False


def _as_picture_error(error: PlaywrightError, *, where: str) -> PictureError:
    lines = str(error).strip().splitlines()
    timed_out = type(error).__name__ == "TimeoutError"
    return PictureError("page_timeout" if timed_out else "page_failed", f"{where}: {lines[0] if lines else error}")
