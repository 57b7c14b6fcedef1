"""Capturing a real X display: Xvfb, with xterm or Chromium on it."""

import hashlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from datagen import capture, virtual_display
from datagen.capture import PRESETS, CaptureConfig
from datagen.capture.folder import SKIPPED_LOG
from datagen.quality import distance, perceptual_hash
from datagen.sources import CAPTURE_LOG
from pipeline.base.config import load
from pipeline.base.errors import ConfigError, UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.picture import digest_pixels, read_picture
from tests.x_windows import Sheet, count, need, open_stage, pictures


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An empty virtual display of 320x200."""
    need("Xvfb")
    with virtual_display.virtual_display(width=320, height=200) as name:
        yield name


def test_a_still_screen_is_written_once_and_logged(display: str, tmp_path: Path) -> None:
    progress = Tally()
    config = CaptureConfig(num_frames=4, interval_s=0.02)
    summary = capture.run(config, str(tmp_path), display=display, progress=progress)
    assert (summary.num_frames, summary.num_skipped, summary.display) == (1, {"unchanged": 3}, display)
    assert progress.num_done == progress.num_total == 4
    (path,) = tmp_path.glob("*.png")
    (line,) = [json.loads(text) for text in (tmp_path / CAPTURE_LOG).read_text().splitlines()]
    assert line["file"] == path.name and line["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (line["left"], line["top"], line["width"], line["height"]) == (0, 0, 320, 200)
    pixels = read_picture(path.read_bytes(), where=path.name).pixels
    assert pixels.shape == (200, 320, 3) and digest_pixels(pixels).startswith(path.stem)


def test_unchanged_screens_are_taken_too_when_asked_for(display: str, tmp_path: Path) -> None:
    config = CaptureConfig(num_frames=3, interval_s=0, only_changed=False, near_duplicate_bits=0)
    assert capture.run(config, str(tmp_path), display=display, progress=Tally()).num_frames == 3
    assert len((tmp_path / CAPTURE_LOG).read_text().splitlines()) == 3


def test_a_region_and_a_time_limit_are_kept(display: str, tmp_path: Path) -> None:
    config = CaptureConfig(region=(10, 20, 64, 48), monitor=1, num_frames=1000, interval_s=0.05, duration_s=0.3)
    summary = capture.run(config, str(tmp_path), display=display, progress=Tally())
    assert summary.seconds < 10 and summary.num_skipped["unchanged"] < 20
    (path,) = tmp_path.glob("*.png")
    assert read_picture(path.read_bytes(), where=path.name).pixels.shape == (48, 64, 3)


def test_what_is_not_on_the_display_is_a_mistake_of_the_person(display: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="monitor 7"):
        capture.run(CaptureConfig(monitor=7), str(tmp_path), display=display, progress=Tally())
    with pytest.raises(UsageError, match="outside"):
        capture.run(CaptureConfig(region=(300, 0, 64, 48)), str(tmp_path), display=display, progress=Tally())
    with pytest.raises(UsageError, match="local folder"):
        capture.run(CaptureConfig(), "memory://screens", display=display, progress=Tally())
    with Store(tmp_path).sole_writer(), pytest.raises(UsageError, match="another process"):
        capture.run(CaptureConfig(), str(tmp_path), display=display, progress=Tally())


@pytest.mark.parametrize("name", [None, "", ":9731"])
def test_without_a_display_there_is_one_clear_line(name: str | None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="display"):
        capture.run(CaptureConfig(), str(tmp_path), display=name, progress=Tally())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_pictures_is_gone_on_with(display: str, tmp_path: Path) -> None:
    take = CaptureConfig(near_duplicate_bits=0)
    with open_stage(display) as stage:
        stage.show(Sheet(colour=(200, 0, 0), title="A"))
        assert capture.run(take, str(tmp_path), display=display, progress=Tally()).num_frames == 1
        with open(tmp_path / CAPTURE_LOG, "a") as log:
            log.write('{"file": "cut sh')  # as a capture leaves it that was killed
        again = capture.run(take, str(tmp_path), display=display, progress=Tally())
        assert (again.num_frames, again.num_skipped) == (0, {"taken_before": 1})
        stage.show(Sheet(colour=(0, 0, 200), title="B"))
        assert capture.run(take, str(tmp_path), display=display, progress=Tally()).num_frames == 1
    texts = (tmp_path / CAPTURE_LOG).read_text().splitlines()
    files = [json.loads(text)["file"] for text in (texts[0], texts[2])]
    assert len(texts) == 3 and sorted(files) == sorted(path.name for path in tmp_path.glob("*.png"))


def test_near_duplicates_of_any_kept_picture_are_left_out(display: str, tmp_path: Path) -> None:
    """A few pixels change (a cursor), many change (a page), and the first page comes back with the cursor moved."""
    with open_stage(display) as stage:
        take = CaptureConfig()

        def look() -> dict[str, int]:
            return capture.run(take, str(tmp_path), display=display, progress=Tally()).num_skipped

        for left in range(0, 320, 40):
            stage.show(Sheet(colour=(255, 255, 255), place=(left, left % 97, 20, 60), title="text"))
        assert look() == {}
        stage.show(Sheet(colour=(255, 255, 255), place=(150, 150, 4, 12), title="cursor"))
        assert look() == {"near_duplicate": 1}
        page = stage.show(Sheet(colour=(90, 140, 30), place=(0, 0, 320, 200), title="page"))
        assert look() == {}
        page.destroy()  # type: ignore[attr-defined]
        stage.show(Sheet(colour=(255, 255, 255), place=(156, 150, 4, 12), title="cursor"))
        assert look() == {"near_duplicate": 1}
        take = CaptureConfig(near_duplicate_memory=1)
        assert look() == {}
        take = CaptureConfig(near_duplicate_bits=0)
        stage.show(Sheet(colour=(255, 255, 255), place=(162, 150, 4, 12), title="cursor"))
        assert look() == {}
    hashes = [json.loads(text)["perceptual_hash"] for text in (tmp_path / CAPTURE_LOG).read_text().splitlines()]
    assert all(len(digits) == 64 for digits in hashes)
    skipped = [json.loads(text) for text in (tmp_path / SKIPPED_LOG).read_text().splitlines()]
    assert all(line["reason"] == "near_duplicate" and (tmp_path / line["file"]).is_file() for line in skipped)


def test_a_cursor_that_blinks_on_an_empty_screen_is_no_new_picture(display: str, tmp_path: Path) -> None:
    """There the perceptual hash is made of noise: the pixels must decide."""
    with open_stage(display) as stage:
        stage.show(Sheet(colour=(0, 0, 0), place=(0, 0, 320, 200), title="terminal"))
        cursor = stage.show(Sheet(colour=(255, 255, 255), place=(30, 20, 8, 14), title="cursor"))
        threading.Timer(0.15, lambda: (cursor.unmap(), stage.x.sync())).start()  # type: ignore[attr-defined]
        config = CaptureConfig(num_frames=2, interval_s=0.4)
        summary = capture.run(config, str(tmp_path), display=display, progress=Tally())
        looks = pictures(tmp_path)
    assert summary.num_skipped == {"near_duplicate": 1} and count(looks[0], (255, 255, 255)) == 8 * 14
    empty = np.zeros_like(looks[0])
    assert distance(perceptual_hash(looks[0]), perceptual_hash(empty)) > CaptureConfig().near_duplicate_bits


def test_monitors_give_one_picture_or_one_each(display: str, tmp_path: Path) -> None:
    need("xrandr")

    def xrandr(*arguments: str) -> None:
        subprocess.run(["xrandr", *arguments], env={**os.environ, "DISPLAY": display}, check=True, capture_output=True)

    xrandr("--setmonitor", "left", "200/50x200/50+0+0", "screen")
    xrandr("--setmonitor", "right", "120/30x150/40+200+0", "none")
    try:
        with open_stage(display) as stage:
            stage.show(Sheet(colour=(0, 200, 0), place=(210, 10, 50, 50), title="on the right"))
            both = CaptureConfig(each_monitor=True, num_frames=2, interval_s=0)
            summary = capture.run(both, str(tmp_path / "each"), display=display, progress=Tally())
            assert (summary.num_frames, summary.num_skipped) == (2, {"unchanged": 2})
            lines = [json.loads(text) for text in (tmp_path / "each" / CAPTURE_LOG).read_text().splitlines()]
            places = [[line[key] for key in ("monitor", "left", "top", "width", "height")] for line in lines]
            assert places == [[1, 0, 0, 200, 200], [2, 200, 0, 120, 150]]
            pixels = read_picture((tmp_path / "each" / lines[1]["file"]).read_bytes(), where="right").pixels
            assert pixels.shape == (150, 120, 3) and (pixels[10:60, 10:60] == (0, 200, 0)).all()
            capture.run(CaptureConfig(monitor=2), str(tmp_path / "two"), display=display, progress=Tally())
            assert (pictures(tmp_path / "two")[0] == pixels).all()
            moved = threading.Timer(0.2, xrandr, ("--delmonitor", "right"))
            moved.start()
            masked = CaptureConfig(each_monitor=True, mask=((0, 0, 9, 9),), num_frames=100, interval_s=0.02)
            with pytest.raises(UsageError, match="monitors changed"):
                capture.run(masked, str(tmp_path / "moved"), display=display, progress=Tally())
            moved.join()
    finally:
        xrandr("--delmonitor", "left")


def test_the_cursor_is_left_out_unless_asked_for(display: str, tmp_path: Path) -> None:
    with open_stage(display) as stage:
        font = stage.x.open_font("cursor")
        crosshair = font.create_glyph_cursor(font, 34, 35, (65535, 0, 0), (65535, 0, 0))
        sheet = stage.show(Sheet(colour=(0, 0, 255), place=(0, 0, 320, 200), title="sheet"))
        sheet.change_attributes(cursor=crosshair)  # type: ignore[attr-defined]
        stage.x.screen().root.warp_pointer(100, 100)
        stage.x.sync()
        for cursor in (False, True):
            config = CaptureConfig(cursor=cursor, near_duplicate_bits=0)
            capture.run(config, str(tmp_path / str(cursor)), display=display, progress=Tally())
    (without,), (with_cursor,) = pictures(tmp_path / "False"), pictures(tmp_path / "True")
    assert count(without, (0, 0, 255)) == 320 * 200
    rows, columns = np.nonzero((with_cursor != without).any(axis=2))
    assert 4 < len(rows) < 400 and abs(rows.mean() - 100) < 12 and abs(columns.mean() - 100) < 12


def test_ctrl_c_ends_a_capture_and_keeps_what_was_taken(display: str, tmp_path: Path) -> None:
    config = CaptureConfig(num_frames=10_000, interval_s=0.02)
    threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT)).start()
    summary = capture.run(config, str(tmp_path), display=display, progress=Tally())
    assert summary.num_frames == 1 and 0 < summary.num_skipped["unchanged"] < 10_000
    (line,) = (tmp_path / SKIPPED_LOG).read_text().splitlines()
    assert json.loads(line)["count"] == summary.num_skipped["unchanged"]


def test_how_often_is_asked_for_by_number_or_by_time() -> None:
    assert CaptureConfig().num_looks == 1 and CaptureConfig(duration_s=3).num_looks is None
    assert CaptureConfig(duration_s=3, num_frames=5).num_looks == 5


def test_a_real_application_is_seen(display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need("xterm")
    monkeypatch.setattr(virtual_display, "BROWSERS", ())
    with virtual_display.application(display, width=320, height=200) as program:
        assert program == "xterm"
        capture.run(CaptureConfig(), str(tmp_path), display=display, progress=Tally())
    (path,) = tmp_path.glob("*.png")
    pixels = read_picture(path.read_bytes(), where=path.name).pixels
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 1
    # Black on white or white on black: text covers some of the screen, not most of it.
    assert 0.01 < (pixels.max(axis=2) > 127).mean() < 0.99


def test_a_missing_server_or_application_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="Xvfb is not installed"), virtual_display.showing(None):
        pass
    shown = virtual_display.application(":1", width=10, height=10)
    with pytest.raises(UsageError, match="install chromium or xterm"), shown:
        pass


def test_a_display_that_is_there_is_used_as_it_is() -> None:
    with virtual_display.showing(":5") as name:
        assert name == ":5"


def test_presets_load() -> None:
    names = {path.stem for path in PRESETS.glob("*.toml")}
    assert {"demo", "once", "watch"} <= names
    for name in names:
        assert load(CaptureConfig, name, presets=PRESETS).near_duplicate_bits >= 0
    with pytest.raises(ConfigError, match="region"):
        load(CaptureConfig, "once", presets=PRESETS, overrides=["region=[1, 2, 3]"])
