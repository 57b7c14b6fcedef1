"""Pages that people have: recorded once, then labelled as our own are, with photographs exchanged as they load."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Route
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from datagen.browser.chromium import Browser
from datagen.browser.contents import Contents, examine, filled
from datagen.browser.fillings import BLACK, WHITE
from datagen.browser.recording import ORIGIN, Folder, Network, Recording, Response
from datagen.browser.rendered import Rendered, finish
from datagen.browser.scripts import script
from datagen.browser.survey import survey
from datagen.browser.tab import Tab, Window
from pipeline.base.errors import PictureError, UsageError
from pipeline.formats.picture import Pixels

_QUIET_MS = 300
"""How long a page may go on by itself after it has loaded."""
_IDLE_MS = 5000
"""How long a page on the network may take to fall silent before it is taken as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSource:
    """Where a page is."""

    name: str
    """Path in its folder, or URL."""
    folder: str | None
    """None = on the network."""

    @property
    def address(self) -> str:
        """What the browser opens."""
        return self.name if self.folder is None else f"{ORIGIN}/{quote(self.name)}"


def find_pages(source: str) -> list[PageSource]:
    """Return the pages of a URL, an HTML file, a folder (with its subfolders) or a text file with one URL a line.

    Raises: UsageError: there is no such file or folder, or it names no page.
    """
    if urlsplit(source).scheme in ("http", "https"):
        return [PageSource(name=source, folder=None)]
    path = Path(source)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in (".html", ".htm") and file.is_file())
        if not files:
            raise UsageError(f"{source}: holds no .html files")
        return [PageSource(name=file.relative_to(path).as_posix(), folder=str(path)) for file in files]
    if not path.is_file():
        raise UsageError(f"{source}: no such file or folder, and no http(s) URL")
    if path.suffix.lower() in (".html", ".htm"):
        return [PageSource(name=path.name, folder=str(path.parent))]
    return _listed(path)


def record(browser: Browser, source: PageSource, windows: Sequence[Window]) -> Recording:
    """Load a page at each window and return it with all it asked for.

    Only a page given by URL reaches the network. Raises: PictureError: `page_timeout`, `page_failed`; UsageError.
    """
    return browser.run(lambda held: _record(held, source, windows), where=source.name)


def render_recording(browser: Browser, recording: Recording, window: Window, *, scroll: float = 0.0) -> Rendered:
    """Return a recorded page, labelled; `scroll` is how far down it is looked at, 0 (top) to 1 (end).

    Raises: PictureError: `page_timeout`, `page_failed`, `unstable`; UsageError: no Chromium.
    """
    return browser.run(lambda held: _render(held, recording, window, scroll), where=recording.name)


def _listed(path: Path) -> list[PageSource]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not a text file with one URL a line ({error})") from error
    urls = [line for line in lines if line and not line.startswith("#")]
    for url in urls:
        if urlsplit(url).scheme not in ("http", "https"):
            raise UsageError(f"{path}: {url!r} is no http(s) URL")
    if not urls:
        raise UsageError(f"{path}: holds no URL")
    return [PageSource(name=url, folder=None) for url in dict.fromkeys(urls)]


def _record(browser: Browser, source: PageSource, windows: Sequence[Window]) -> Recording:
    origin = Network() if source.folder is None else Folder(Path(source.folder))
    responses: dict[str, Response] = {}

    def serve(route: Route) -> None:
        url = route.request.url
        if url not in responses:
            found = origin.answer(route)
            if found is not None:
                responses[url] = found
        _fulfil(route, responses.get(url))

    address = source.address
    for window in windows:
        tab = browser.new_tab(window=window, scripts=(script("freeze.js"),))
        try:
            tab.page.route("**/*", serve)
            _open(tab, address)
            if source.folder is None:
                _wait_for_silence(tab)
            tab.evaluate(script("user_page.js"), {"scroll": 0, "wait": _QUIET_MS})
        finally:
            tab.close()
    if address not in responses:
        raise PictureError("page_failed", f"{source.name}: cannot be loaded")
    return Recording(name=source.name, address=address, responses=responses)


def _render(browser: Browser, recording: Recording, window: Window, scroll: float) -> Rendered:
    visit = _Visit(browser=browser, recording=recording, window=window, scroll=scroll)
    with visit.at_rest(lambda response: response) as (tab, wishes):
        contents = examine(recording, wishes)
        picture = tab.picture()
        items = survey(tab, contents.showing("photo"), contents.showing("unsure"))
    black, white = (visit.filled_picture(contents, grey) for grey in (BLACK, WHITE))
    details: dict[str, Any] = {
        "renderer": "browser",
        "page": recording.name,
        "scale": window.scale,
        "scroll": scroll,
        "num_photos": len(contents.showing("photo")),
        "num_unsure": len(contents.showing("unsure")),
        "num_missing": len(visit.missing),
    }
    return finish((picture, black, white), items, window, details, doubtful=visit.doubtful_pixels(contents))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """Loads one recorded page again and again, each time from nothing."""

    browser: Browser
    recording: Recording
    window: Window
    scroll: float
    missing: set[str] = field(default_factory=set)
    """Addresses that the page asked for and that were not recorded."""

    @contextmanager
    def at_rest(self, change: Callable[[Response], Response]) -> Iterator[tuple[Tab, list[tuple[str, str]]]]:
        """Give the loaded page, every response changed on its way, and what its attributes ask for."""
        tab = self.browser.new_tab(window=self.window, scripts=(script("freeze.js"),))
        try:
            tab.page.route("**/*", lambda route: self._serve(route, change))
            _open(tab, self.recording.address)
            yield tab, tab.evaluate(script("user_page.js"), {"scroll": self.scroll, "wait": _QUIET_MS})
        finally:
            tab.close()

    def filled_picture(self, contents: Contents, grey: int, *, frames: bool = True) -> Pixels:
        """Return the page with every photograph of one grey value; `frames`: those of videos and canvases too."""
        with self.at_rest(lambda response: filled(response, contents, grey)) as (tab, _):
            if frames:
                tab.evaluate(script("user_fill.js"), {"white": grey == WHITE})
            return tab.picture()

    def doubtful_pixels(self, contents: Contents) -> NDArray[np.bool_] | None:
        """Return where pictures that may be photographs are seen, (H, W), by exchanging them; None: there are none."""
        if not contents.showing("unsure"):
            return None
        doubts = contents.doubts()
        black, white = (self.filled_picture(doubts, grey, frames=False) for grey in (BLACK, WHITE))
        return np.asarray((black != white).any(axis=2))

    def _serve(self, route: Route, change: Callable[[Response], Response]) -> None:
        found = self.recording.responses.get(route.request.url)
        if found is None:
            self.missing.add(route.request.url)
        _fulfil(route, None if found is None else change(found))


def _open(tab: Tab, address: str) -> None:
    tab.page.goto(address, wait_until="load")


def _wait_for_silence(tab: Tab) -> None:
    # Some pages never fall silent; what has come by then is the page.
    with suppress(PlaywrightTimeout):
        tab.page.wait_for_load_state("networkidle", timeout=_IDLE_MS)


def _fulfil(route: Route, response: Response | None) -> None:
    # The tab may be closed by now.
    with suppress(PlaywrightError):
        if response is None:
            route.abort()
            return
        headers = {"access-control-allow-origin": "*"}
        if response.content_type:
            headers["content-type"] = response.content_type
        route.fulfill(status=response.status, headers=headers, body=response.data)
