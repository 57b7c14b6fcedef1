"""Finding Chromium, and getting along when it dies."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Error as PlaywrightError

from datagen.browser import chromium
from datagen.browser.chromium import Browser
from datagen.browser.tab import Window
from pipeline.base.errors import PictureError, UsageError
from tests.browser_pages import needs_chromium

WINDOW = Window(width=200, height=100, scale=1.0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def test_no_chromium_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="no Chromium found"):
        chromium.find()
    assert not chromium.installed()


def test_the_variable_names_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(chromium.VARIABLE, "/nowhere/chromium")
    with pytest.raises(UsageError, match="CHROMIUM=/nowhere/chromium"):
        chromium.find()
    monkeypatch.setenv(chromium.VARIABLE, "/bin/true")
    assert chromium.find() == "/bin/true"


@pytest.mark.browser
@needs_chromium
def test_a_program_that_is_no_chromium_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(chromium.VARIABLE, "/bin/true")
    with pytest.raises(UsageError, match="/bin/true: does not start"):
        _ = Browser().version


@pytest.mark.browser
@needs_chromium
def test_after_a_crash_the_page_is_tried_again_in_a_new_chromium(browser: Browser) -> None:
    starts = browser.num_starts
    tries = []

    def task(held: Browser) -> int:
        tab = held.tab()
        tab.resize(WINDOW)
        tries.append(1)
        tab.page.goto("chrome://crash" if len(tries) == 1 else "about:blank")
        return int(tab.picture().shape[1])

    assert browser.run(task, where="page") == 200
    assert len(tries) == 2 and browser.num_starts == starts + (2 if starts == 0 else 1)


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize(("num_failures", "is_taken"), [(4, True), (5, False)])
def test_a_lost_surface_costs_a_try_not_the_page(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, num_failures: int, is_taken: bool
) -> None:
    tab = browser.new_tab(window=WINDOW)
    send = tab._devtools.send
    failures = ["Protocol error (Page.captureScreenshot): Unable to capture screenshot"] * num_failures

    def losing(method: str, parameters: dict[str, object]) -> object:
        if failures:
            raise PlaywrightError(failures.pop())
        return send(method, parameters)

    monkeypatch.setattr(tab._devtools, "send", losing)
    if is_taken:
        assert tab.picture().shape == (WINDOW.height, WINDOW.width, 3)
    else:
        with pytest.raises(PlaywrightError, match="Unable to capture"):
            tab.picture()
    tab.close()


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("num_lost", [1, 2])
def test_a_page_that_is_not_drawn_is_tried_again_in_a_new_chromium(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, num_lost: int
) -> None:
    monkeypatch.setattr("datagen.browser.tab._CAPTURE_WAITS_S", (0.0, 0.01))
    starts, tries = browser.num_starts, []

    def losing(method: str, parameters: dict[str, object]) -> object:
        raise PlaywrightError("Protocol error (Page.captureScreenshot): Unable to capture screenshot")

    def task(held: Browser) -> int:
        tab = held.tab()
        tab.resize(WINDOW)
        tries.append(1)
        if len(tries) <= num_lost:
            monkeypatch.setattr(tab._devtools, "send", losing)
        return int(tab.picture().shape[1])

    if num_lost == 1:
        assert browser.run(task, where="page") == 200
        assert browser.num_starts == starts + (2 if starts == 0 else 1)
    else:
        with pytest.raises(PictureError, match="did not draw this page, twice") as caught:
            browser.run(task, where="page")
        assert caught.value.reason == "page_failed"
    assert len(tries) == 2


@pytest.mark.browser
@needs_chromium
def test_a_page_that_kills_chromium_twice_is_refused(browser: Browser) -> None:
    with pytest.raises(PictureError, match="died twice") as caught:
        browser.run(lambda held: held.tab().page.goto("chrome://crash"), where="page")
    assert caught.value.reason == "page_failed"
    assert browser.version.count(".") == 3


@pytest.mark.browser
@needs_chromium
def test_a_page_that_does_not_come_is_a_timeout() -> None:
    with Browser(timeout_s=0.5) as browser:

        def task(held: Browser) -> None:
            tab = held.new_tab(window=WINDOW)
            tab.page.route("**/*", lambda _: None)
            try:
                tab.page.goto("http://pages.invalid/")
            finally:
                tab.close()

        with pytest.raises(PictureError) as caught:
            browser.run(task, where="page")
        assert caught.value.reason == "page_timeout"


@pytest.mark.parametrize(("scale", "css_size"), [(1.0, (1280, 720)), (1.5, (854, 480)), (2.0, (640, 360))])
def test_a_window_is_a_whole_number_of_css_pixels(scale: float, css_size: tuple[int, int]) -> None:
    assert Window(width=1280, height=720, scale=scale).css_size == css_size
