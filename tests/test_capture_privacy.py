"""What must not be seen never reaches the disk: real windows on a real display, searched for by their colour."""

import json
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from Xlib.display import Display

from datagen import capture, virtual_display
from datagen.capture import CaptureConfig, CaptureSummary
from datagen.capture.folder import SKIPPED_LOG
from datagen.capture.windows import open_windows
from datagen.sources import CAPTURE_LOG
from pipeline.base.config import from_table
from pipeline.base.errors import ConfigError, UsageError
from pipeline.base.progress import Tally
from tests.x_windows import Sheet, Stage, count, need, open_stage, pictures

SECRET, PUBLIC, MENU, DIALOG = (201, 17, 93), (12, 160, 77), (240, 200, 31), (31, 99, 240)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An empty virtual display of 320x200 without a window manager."""
    need("Xvfb")
    with virtual_display.virtual_display(width=320, height=200) as name:
        yield name


@pytest.fixture
def stage(display: str) -> Iterator[Stage]:
    with open_stage(display) as opened:
        opened.show(Sheet(colour=PUBLIC, place=(0, 100, 320, 100), title="News", pid=1, program="reader"))
        yield opened


def take(display: str, folder: Path, **settings: object) -> CaptureSummary:
    defaults = {"blocked_titles": ["*secret*"], "settle_s": 0.05, "interval_s": 0.0, "near_duplicate_bits": 0}
    config = from_table(CaptureConfig, {**defaults, **settings}, where="test")
    return capture.run(config, str(folder), display=display, progress=Tally())


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(text) for text in path.read_text().splitlines()] if path.exists() else []


def test_a_blocked_title_stops_the_whole_picture(display: str, stage: Stage, tmp_path: Path) -> None:
    window = stage.show(Sheet(colour=SECRET, title="My SECRET Notes"))
    summary = take(display, tmp_path, num_frames=3)
    assert (summary.num_frames, summary.num_skipped) == (0, {"blocked": 3})
    assert pictures(tmp_path) == []
    (line,) = lines(tmp_path / SKIPPED_LOG)
    assert (line["reason"], line["patterns"], line["count"]) == ("blocked", ["*secret*"], 3)
    assert "notes" not in (tmp_path / SKIPPED_LOG).read_text().lower()  # the pattern, never the title
    window.unmap()  # type: ignore[attr-defined]
    stage.x.sync()
    assert take(display, tmp_path).num_frames == 1
    (pixels,) = pictures(tmp_path)
    assert count(pixels, SECRET) == 0 and count(pixels, PUBLIC) == 320 * 100


def test_without_the_setting_the_window_is_seen(display: str, stage: Stage, tmp_path: Path) -> None:
    stage.show(Sheet(colour=SECRET, title="My secret notes"))
    take(display, tmp_path, blocked_titles=[])
    assert count(pictures(tmp_path)[0], SECRET) == 60 * 40


def test_titles_are_logged_when_asked_for(display: str, stage: Stage, tmp_path: Path) -> None:
    stage.show(Sheet(colour=SECRET, title="My secret notes"))
    take(display, tmp_path, log_titles=True)
    assert lines(tmp_path / SKIPPED_LOG)[0]["titles"] == ["My secret notes"]


@pytest.mark.parametrize(
    ("pattern", "title", "blocked"),
    [
        ("secret", "My SECRET notes", True),
        ("my bank*", "My Bank - Browser", True),
        ("bank*", "My Bank", False),
        ("\uff42\uff41\uff4e\uff4b", "my bank", True),
        ("straße", "STRASSE", True),
        ("b?nk", "bank", True),
        ("b?nk", "my bank", False),
    ],
)
def test_patterns_are_globs_without_regard_to_case(
    display: str, stage: Stage, tmp_path: Path, pattern: str, title: str, blocked: bool
) -> None:
    stage.show(Sheet(colour=SECRET, title=title))
    summary = take(display, tmp_path, blocked_titles=[pattern])
    assert summary.num_frames == (0 if blocked else 1)


def test_programs_are_blocked_by_name(display: str, stage: Stage, tmp_path: Path) -> None:
    stage.show(Sheet(colour=SECRET, title="Passwords.kdbx", program="keepassxc"))
    assert take(display, tmp_path, blocked_titles=[], blocked_programs=["keepass*"]).num_frames == 0
    assert take(display, tmp_path, blocked_titles=[], blocked_programs=["firefox"]).num_frames == 1


def test_black_hides_the_window_with_its_menus_and_dialogs(display: str, stage: Stage, tmp_path: Path) -> None:
    vault = stage.show(Sheet(colour=SECRET, title="Secret vault", pid=7))
    stage.show(Sheet(colour=MENU, place=(100, 20, 30, 60), pid=7, unmanaged=True))
    stage.show(Sheet(colour=MENU, place=(150, 20, 30, 60), unmanaged=True))
    stage.show(Sheet(colour=DIALOG, place=(200, 20, 80, 30), title="Save", pid=8), belongs_to=vault)
    summary = take(display, tmp_path, on_blocked="black")
    assert summary.num_frames == 1
    (pixels,) = pictures(tmp_path)
    assert [count(pixels, colour) for colour in (SECRET, MENU, DIALOG)] == [0, 0, 0]
    assert count(pixels, PUBLIC) == 320 * 100
    (line,) = lines(tmp_path / CAPTURE_LOG)
    assert sorted(line["blocked"]) == [[10, 10, 60, 40], [100, 20, 30, 60], [150, 20, 30, 60], [200, 20, 80, 30]]  # type: ignore[call-overload]


def test_what_belongs_to_others_stays(display: str, stage: Stage, tmp_path: Path) -> None:
    stage.show(Sheet(colour=SECRET, title="Secret vault", pid=7))
    stage.show(Sheet(colour=MENU, place=(100, 20, 30, 60), pid=1, unmanaged=True))
    take(display, tmp_path, on_blocked="black")
    assert count(pictures(tmp_path)[0], MENU) == 30 * 60


def test_black_takes_nothing_while_the_window_moves(display: str, stage: Stage, tmp_path: Path) -> None:
    window = stage.show(Sheet(colour=SECRET, title="Secret vault"))
    stop = threading.Event()

    def move() -> None:
        left = 0
        while not stop.wait(0.02):
            left = (left + 7) % 200
            window.configure(x=left)  # type: ignore[attr-defined]
            stage.x.sync()

    mover = threading.Thread(target=move)
    mover.start()
    try:
        summary = take(display, tmp_path, on_blocked="black", num_frames=5, only_changed=False)
    finally:
        stop.set()
        mover.join()
    assert summary.num_skipped == {"blocked_moving": 5} and pictures(tmp_path) == []


def test_a_title_nobody_can_read_counts_as_blocked(display: str, stage: Stage, tmp_path: Path) -> None:
    stage.show(Sheet(colour=SECRET, title_bytes=b"\x1b-L\xc1\xd0\xdd\xda"))  # ISO 8859-5
    assert take(display, tmp_path).num_frames == 0
    assert lines(tmp_path / SKIPPED_LOG)[0]["patterns"] == ["(title that cannot be read)"]


def test_compound_text_that_can_be_read_is(display: str, stage: Stage, tmp_path: Path) -> None:
    stage.show(Sheet(colour=SECRET, title_bytes=b"caf\xe9 \x1b%G\xe2\x98\x83\x1b%@ secret"))
    take(display, tmp_path, log_titles=True)
    assert lines(tmp_path / SKIPPED_LOG)[0] | {"titles": ["café ☃ secret"]} == lines(tmp_path / SKIPPED_LOG)[0]


def test_a_window_that_pops_up_for_a_moment_is_never_seen(display: str, stage: Stage, tmp_path: Path) -> None:
    """The colour is on the screen for some 10 ms at a time, between and during looks."""
    stop = threading.Event()

    def pop_up() -> None:
        with open_stage(display) as other:
            while not stop.wait(0.23):
                window = other.show(Sheet(colour=SECRET, place=(0, 0, 320, 200), title="Secret"))
                time.sleep(0.01)
                window.destroy()  # type: ignore[attr-defined]
                other.x.sync()

    thread = threading.Thread(target=pop_up)
    thread.start()
    try:
        summary = take(display, tmp_path, num_frames=12, only_changed=False)
    finally:
        stop.set()
        thread.join()
    assert summary.num_frames > 0 and summary.num_skipped["blocked"] > 0
    assert all(count(pixels, SECRET) == 0 for pixels in pictures(tmp_path))


def test_a_window_that_nobody_could_read_in_time_counts_as_blocked(display: str, stage: Stage, tmp_path: Path) -> None:
    with open_windows(display) as windows:
        assert [window.titles for window in windows.read().windows] == [("News",)]
        stage.show(Sheet(colour=SECRET, title="Secret")).destroy()  # type: ignore[attr-defined]
        stage.x.sync()
        assert [windows.read().num_vanished, windows.read().num_vanished] == [1, 0]


def test_a_title_counts_a_while_before_and_after_the_look(display: str, stage: Stage, tmp_path: Path) -> None:
    """A browser that shows the new tab before it renames its window, and the other way round."""
    window = stage.show(Sheet(colour=SECRET, title="New tab"))
    threading.Timer(0.6, stage.rename, (window, "Secret")).start()
    assert take(display, tmp_path, settle_s=0.5).num_skipped == {"blocked": 1}
    threading.Timer(0.2, stage.rename, (window, "News")).start()
    assert take(display, tmp_path, settle_s=0.5).num_skipped == {"blocked": 1}
    assert take(display, tmp_path, settle_s=0.05).num_frames == 1


def test_windows_off_the_screen_do_not_count(display: str, stage: Stage, tmp_path: Path) -> None:
    stage.show(Sheet(colour=SECRET, place=(400, 0, 60, 40), title="Secret", unmanaged=True))
    assert take(display, tmp_path).num_frames == 1


def test_masks_are_black_before_anything_is_compared(display: str, stage: Stage, tmp_path: Path) -> None:
    masks = [[10, 10, 60, 40], [300, 190, 100, 100]]
    stage.show(Sheet(colour=SECRET, title="Clock"))
    take(display, tmp_path, mask=masks, blocked_titles=[])
    stage.show(Sheet(colour=MENU, title="Another"))
    summary = take(display, tmp_path, mask=masks, blocked_titles=[], num_frames=2)
    assert summary.num_skipped == {"taken_before": 1, "unchanged": 1}
    (pixels,) = pictures(tmp_path)
    assert count(pixels, SECRET) == count(pixels, MENU) == 0
    assert (pixels[10:50, 10:70] == 0).all() and (pixels[190:, 300:] == 0).all()
    assert count(pixels, PUBLIC) == 320 * 100 - 20 * 10
    assert lines(tmp_path / CAPTURE_LOG)[0]["masks"] == [[10, 10, 60, 40], [300, 190, 20, 10]]


def test_a_mask_is_where_the_screen_has_it_not_the_region(display: str, stage: Stage, tmp_path: Path) -> None:
    take(display, tmp_path, mask=[[0, 100, 320, 50]], region=[20, 120, 100, 60], blocked_titles=[])
    (pixels,) = pictures(tmp_path)
    assert (pixels[:30] == 0).all() and count(pixels, PUBLIC) == 100 * 30
    with pytest.raises(UsageError, match=r"mask .* off the screen"):
        take(display, tmp_path, mask=[[320, 0, 10, 10]])


def test_titles_that_cannot_be_read_any_more_end_the_capture(tmp_path: Path) -> None:
    need("Xvfb")
    with virtual_display.virtual_display(width=64, height=48) as name:
        server = threading.Timer(0.3, _end_server, (name,))
        server.start()
        with pytest.raises(UsageError, match=f"display {name}: .*(titles cannot be read|cannot be opened)"):
            take(name, tmp_path, num_frames=1000, settle_s=0.2)
    assert len(pictures(tmp_path)) <= 1


def _end_server(display: str) -> None:
    """End the X server as a log-out does: every connection is closed."""
    connection = Display(display)
    credentials = connection.display.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    server, _, _ = struct.unpack("3i", credentials)
    connection.close()
    os.kill(server, signal.SIGTERM)


@pytest.mark.parametrize(
    "settings",
    [
        {"blocked_titles": [" "]},
        {"mask": [[1, 2, 3]]},
        {"on_blocked": "blur"},
        {"settle_s": -1},
        {"mask": [[0, 0, 0, 5]]},
    ],
)
def test_settings_that_would_protect_nothing_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        from_table(CaptureConfig, settings, where="test")
