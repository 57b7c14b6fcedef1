"""Capturing a real desk: a window manager, Chromium, a terminal and an editor, while they change.

The colours that must not be seen are in no other window, so the pictures are searched for them.
"""

import itertools
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from datagen import capture, virtual_display
from datagen.capture import CaptureConfig, CaptureSummary
from datagen.capture.windows import Window, open_windows
from datagen.sources import CAPTURE_LOG
from pipeline.base.config import from_table
from pipeline.base.progress import Tally
from tests.x_windows import count, need, pictures

pytestmark = pytest.mark.browser

SECRET, PUBLIC, TERMINAL = (201, 17, 93), (12, 160, 77), (31, 9, 64)
PAGE = """<!doctype html><meta charset="utf-8"><title>Daily news</title>
<style>body { margin: 0; height: 100vh; font: 40px sans-serif } p { margin: 0; padding: 40px }</style><p id="text"></p>
<script>
let turn = 0;
function next() {
  const secret = turn % 2 == 1;
  document.title = secret ? "My Bank: account 4711" : "Daily news " + turn;
  document.body.style.background = secret ? "rgb(201, 17, 93)" : "rgb(12, 160, 77)";
  document.getElementById("text").textContent = (secret ? "Balance " : "Headline ") + "number ".repeat(turn % 9) + turn;
  turn += 1;
  setTimeout(next, secret ? 500 : 1100);
}
next();
</script>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A display with a window manager, and a way to start programs on it."""

    display: str
    start: Callable[..., None]
    """start(*command): it runs until the test is over."""

    def wait_for(self, title: str) -> Window:
        """Wait until a window with this in its title is shown."""
        deadline = time.monotonic() + 20
        with open_windows(self.display) as windows:
            while time.monotonic() < deadline:
                for window in windows.read().windows:
                    if any(title in text for text in window.titles):
                        return window
                time.sleep(0.05)
        raise AssertionError(f"no window is called {title!r}")

    def take(self, folder: Path, **settings: object) -> CaptureSummary:
        config = from_table(CaptureConfig, settings, where="test")
        return capture.run(config, str(folder), display=self.display, progress=Tally())


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """A virtual display of 800x600 with openbox."""
    need("Xvfb", "openbox", "xprop")
    with (
        virtual_display.virtual_display(width=800, height=600) as name,
        virtual_display.running(["openbox", "--sm-disable"], environment={"DISPLAY": name}),
    ):
        for _ in range(100):
            command = ["xprop", "-display", name, "-root", "_NET_SUPPORTING_WM_CHECK"]
            if b"window id" in subprocess.run(command, check=True, capture_output=True).stdout:
                break
            time.sleep(0.05)
        yield name


@pytest.fixture
def desk(screen: str, tmp_path: Path) -> Iterator[Desk]:
    home = tmp_path / "home"
    home.mkdir()
    # Without a session bus, and without the accessibility bus that GTK would start.
    environment = {"DISPLAY": screen, "HOME": str(home), "NO_AT_BRIDGE": "1", "GSETTINGS_BACKEND": "memory"}
    with ExitStack() as programs:

        def start(*command: str) -> None:
            need(command[0])
            programs.enter_context(virtual_display.running(command, environment=environment))

        yield Desk(display=screen, start=start)


def start_terminal(desk: Desk, *, title: str, script: str, place: str = "40x12+20+20") -> None:
    background = "#{:02x}{:02x}{:02x}".format(*TERMINAL)
    look = [
        "-bg",
        background,
        "-fg",
        "white",
        "-geometry",
        place,
        "-T",
        title,
        "-bc",
        "-xrm",
        "XTerm*allowWindowOps: true",
    ]
    desk.start("xterm", *look, "-e", "sh", "-c", script)
    desk.wait_for(title)


def test_a_browser_tab_is_never_seen_while_its_title_is_blocked(desk: Desk, tmp_path: Path) -> None:
    """A page turns from news to bank account and back, as tabs do; title and pixels do not change at once."""
    page = tmp_path / "page.html"
    page.write_text(PAGE)
    browser = virtual_display.find_browser()
    need(browser or "chromium")
    assert browser is not None
    desk.start(*virtual_display.browser_command(browser, profile=tmp_path / "profile"), page.as_uri())
    desk.wait_for("My Bank")
    settings = {"interval_s": 0.05, "near_duplicate_bits": 0, "only_changed": False, "settle_s": 0.25}
    open_summary = desk.take(tmp_path / "open", **settings, num_frames=30)
    assert open_summary.num_frames == 30
    assert any(count(pixels, SECRET) > 10_000 for pixels in pictures(tmp_path / "open"))
    summary = desk.take(tmp_path / "guarded", **settings, duration_s=3.5, blocked_titles=["my bank*"])
    seen = pictures(tmp_path / "guarded")
    assert summary.num_frames == len(list(log(tmp_path / "guarded"))) > 0 and summary.num_skipped["blocked"] > 0
    assert any(count(pixels, PUBLIC) > 10_000 for pixels in seen)
    assert [count(pixels, SECRET) for pixels in seen] == [0] * len(seen)


def test_a_terminal_is_blacked_out_with_its_frame_and_the_editor_stays(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("milk and bread\n" * 30)
    desk.start("mousepad", str(tmp_path / "list.txt"))
    editor = desk.wait_for("list.txt")
    start_terminal(desk, title="root shell", script="seq 1 9; sleep 60")
    terminal = desk.wait_for("root shell")
    time.sleep(0.5)
    desk.take(tmp_path / "open")
    desk.take(tmp_path / "black", blocked_titles=["root*"], on_blocked="black", num_frames=2, interval_s=0.3)
    (shown,), (hidden,) = pictures(tmp_path / "open"), pictures(tmp_path / "black")
    assert count(shown, TERMINAL) > 10_000 and count(hidden, TERMINAL) == 0
    left, top, width, height = terminal.rectangle
    assert (hidden[top : top + height, left : left + width] == 0).all()
    hidden[top : top + height, left : left + width] = shown[top : top + height, left : left + width]
    assert (hidden == shown).all() and editor.rectangle[2] > 100
    assert next(log(tmp_path / "black"))["blocked"] == [[left, top, width, height]]


def test_a_minimised_window_does_not_count(desk: Desk, tmp_path: Path) -> None:
    start_terminal(desk, title="root shell", script="sleep 1; printf '\\033[2t'; sleep 60")
    assert desk.take(tmp_path / "shown", blocked_titles=["root*"], settle_s=0.1).num_frames == 0
    deadline = time.monotonic() + 10
    with open_windows(desk.display) as windows:
        while any("root shell" in window.titles for window in windows.read().windows) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert desk.take(tmp_path / "hidden", blocked_titles=["root*"], settle_s=0.1).num_frames == 1
    assert count(pictures(tmp_path / "hidden")[0], TERMINAL) == 0


def test_a_terminal_that_blinks_is_kept_once_and_again_when_it_prints(desk: Desk, tmp_path: Path) -> None:
    start_terminal(desk, title="build", script="seq 5; sleep 1.5; seq 100 160; sleep 60", place="120x40+0+0")
    time.sleep(0.5)
    summary = desk.take(tmp_path / "taken", interval_s=0.1, duration_s=2.5)
    assert summary.num_skipped["near_duplicate"] > 0
    first, *others = pictures(tmp_path / "taken")
    # Once as it blinks, once after it has printed; once more if a look fell into the printing.
    assert summary.num_frames in (2, 3)
    for one, other in itertools.combinations([first, *others], 2):
        assert (one != other).any(axis=2).sum() > 2000


def log(folder: Path) -> Iterator[dict[str, object]]:
    for text in (folder / CAPTURE_LOG).read_text().splitlines():
        yield json.loads(text)
