"""Capturing a real X display: Xvfb, with xterm or Chromium on it."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from datagen import capture, virtual_display
from datagen.capture import PRESETS, CaptureConfig
from datagen.sources import CAPTURE_LOG
from pipeline.base.config import load
from pipeline.base.errors import ConfigError, UsageError
from pipeline.base.progress import Tally
from pipeline.formats.picture import digest_pixels, read_picture


def need(program: str | None, name: str) -> None:
    """Skip where a program is missing, but never in continuous integration."""
    if program is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An empty virtual display of 320x200."""
    need(shutil.which("Xvfb"), "Xvfb")
    with virtual_display.virtual_display(width=320, height=200) as name:
        yield name


def test_a_still_screen_is_written_once_and_logged(display: str, tmp_path: Path) -> None:
    progress = Tally()
    config = CaptureConfig(num_frames=4, interval_s=0.02)
    summary = capture.run(config, str(tmp_path), display=display, progress=progress)
    assert (summary.num_frames, summary.num_unchanged, summary.display) == (1, 3, display)
    assert progress.num_done == progress.num_total == 4
    (path,) = tmp_path.glob("*.png")
    (line,) = [json.loads(text) for text in (tmp_path / CAPTURE_LOG).read_text().splitlines()]
    assert line["file"] == path.name and line["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (line["left"], line["top"], line["width"], line["height"]) == (0, 0, 320, 200)
    pixels = read_picture(path.read_bytes(), where=path.name).pixels
    assert pixels.shape == (200, 320, 3) and digest_pixels(pixels).startswith(path.stem)


def test_unchanged_screens_are_taken_too_when_asked_for(display: str, tmp_path: Path) -> None:
    config = CaptureConfig(num_frames=3, interval_s=0, only_changed=False)
    assert capture.run(config, str(tmp_path), display=display, progress=Tally()).num_frames == 3
    assert len((tmp_path / CAPTURE_LOG).read_text().splitlines()) == 3


def test_a_region_and_a_time_limit_are_kept(display: str, tmp_path: Path) -> None:
    config = CaptureConfig(region=(10, 20, 64, 48), monitor=1, num_frames=1000, interval_s=0.05, duration_s=0.3)
    summary = capture.run(config, str(tmp_path), display=display, progress=Tally())
    assert summary.seconds < 10 and summary.num_unchanged < 20
    (path,) = tmp_path.glob("*.png")
    assert read_picture(path.read_bytes(), where=path.name).pixels.shape == (48, 64, 3)


def test_what_is_not_on_the_display_is_a_mistake_of_the_person(display: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="monitor 7"):
        capture.run(CaptureConfig(monitor=7), str(tmp_path), display=display, progress=Tally())
    with pytest.raises(UsageError, match="outside"):
        capture.run(CaptureConfig(region=(300, 0, 64, 48)), str(tmp_path), display=display, progress=Tally())


@pytest.mark.parametrize("name", [None, "", ":9731"])
def test_without_a_display_there_is_one_clear_line(name: str | None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="display"):
        capture.run(CaptureConfig(), str(tmp_path), display=name, progress=Tally())
    assert list(tmp_path.iterdir()) == []


def test_a_real_application_is_seen(display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(shutil.which("xterm"), "xterm")
    monkeypatch.setattr(virtual_display, "BROWSERS", ())
    with virtual_display.application(display, width=320, height=200) as program:
        assert program == "xterm"
        capture.run(CaptureConfig(), str(tmp_path), display=display, progress=Tally())
    (path,) = tmp_path.glob("*.png")
    pixels = read_picture(path.read_bytes(), where=path.name).pixels
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 1
    # Black on white or white on black: text covers some of the screen, not most of it.
    assert 0.01 < (pixels.max(axis=2) > 127).mean() < 0.99


@pytest.mark.browser
def test_chromium_shows_photographs_and_text_that_change(tmp_path: Path) -> None:
    need(shutil.which("Xvfb"), "Xvfb")
    need(next(filter(None, map(shutil.which, virtual_display.BROWSERS)), None), "Chromium")
    config = CaptureConfig(xvfb="always", num_frames=5, interval_s=1.0)
    summary = capture.run(config, str(tmp_path), display=None, progress=Tally())
    assert summary.num_frames >= 3
    for path in tmp_path.glob("*.png"):
        pixels = read_picture(path.read_bytes(), where=path.name).pixels
        assert pixels.shape == (720, 1280, 3)
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 200


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
        assert load(CaptureConfig, name, presets=PRESETS).num_frames >= 1
    with pytest.raises(ConfigError, match="region"):
        load(CaptureConfig, "once", presets=PRESETS, overrides=["region=[1, 2, 3]"])
