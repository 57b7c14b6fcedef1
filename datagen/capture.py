"""Real screens as lossless PNGs, taken with mss from an X display.

The folder gets one PNG a picture, named by its pixels, and `capture.jsonl`: a line a picture with time, monitor,
place, size, SHA-256 of the file and how many looks before it found the screen unchanged.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import mss
import numpy as np
from mss.exception import ScreenShotError

from datagen import virtual_display
from datagen.sources import CAPTURE_LOG
from pipeline.base.errors import StorageError, UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store, sha256_hex
from pipeline.formats.picture import Pixels, digest_pixels, write_png

PRESETS = Path(__file__).parent / "presets" / "capture"

_NAME_DIGITS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureConfig:
    """What to take and how often."""

    monitor: int = 0
    """0 = all monitors as one picture, 1 = the first, ..."""
    region: tuple[int, ...] | None = None
    """Left, top, width, height in pixels, instead of a whole monitor."""
    interval_s: float = 1.0
    """Seconds from one look to the next."""
    num_frames: int = 1
    """How often to look; a look that finds the screen unchanged counts too, so a still screen comes to an end."""
    duration_s: float | None = None
    """Stop after so many seconds at the latest."""
    only_changed: bool = True
    """Leave out pictures that equal the one before."""
    xvfb: Literal["auto", "never", "always"] = "never"
    """Start a virtual display that shows a page: if there is no display, never, or always."""
    png_compress_level: int = 6

    def __post_init__(self) -> None:
        if self.monitor < 0 or self.num_frames < 1 or self.interval_s < 0:
            raise ValueError("monitor and interval_s must be 0 or more, num_frames 1 or more")
        if self.region is not None and (len(self.region) != 4 or min(self.region[2:]) < 1):
            raise ValueError(f"region is {list(self.region)}, must be [left, top, width, height]")
        if not 0 <= self.png_compress_level <= 9:
            raise ValueError(f"png_compress_level is {self.png_compress_level}, must be 0..9")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSummary:
    """What a capture took."""

    out: str
    display: str
    num_frames: int
    """Pictures written."""
    num_unchanged: int
    """Looks that found what was there before."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """One line of the log."""

    time: str
    monitor: int
    left: int
    top: int
    width: int
    height: int
    file: str
    sha256: str
    num_unchanged_before: int


def run(config: CaptureConfig, out: str, *, display: str | None, progress: Progress) -> CaptureSummary:
    """Take pictures of the X display `display` (such as ":0") into the folder `out`.

    Raises: UsageError: no display, no such monitor, a region off the screen; StorageError.
    """
    started = time.monotonic()
    store = Store(out)
    with _display(config, display) as name, _grabber(name) as grabber:
        target = _target(config, grabber, name)
        progress.total(config.num_frames)
        num_written = num_unchanged = since = 0
        before = ""
        for look in range(config.num_frames):
            _wait(started + look * config.interval_s)
            if config.duration_s is not None and time.monotonic() - started > config.duration_s:
                break
            pixels = _grab(grabber, target, name)
            digest = digest_pixels(pixels)
            if config.only_changed and digest == before:
                num_unchanged, since = num_unchanged + 1, since + 1
            else:
                _write(store, config, target, pixels, digest, since)
                num_written, since, before = num_written + 1, 0, digest
            progress.advance()
            progress.note(f"{num_written} taken, {num_unchanged} unchanged")
    return CaptureSummary(
        out=out,
        display=name,
        num_frames=num_written,
        num_unchanged=num_unchanged,
        seconds=time.monotonic() - started,
    )


@contextmanager
def _display(config: CaptureConfig, display: str | None) -> Iterator[str]:
    if config.xvfb == "always" or (config.xvfb == "auto" and not display):
        with virtual_display.showing(None) as started:
            yield started
    elif not display:
        raise UsageError("no X display: set DISPLAY or give --display, or use --set xvfb=auto for a virtual one")
    else:
        yield display


@contextmanager
def _grabber(display: str) -> Iterator[mss.MSS]:
    try:
        grabber = mss.MSS(display=display)
    except ScreenShotError as error:
        raise UsageError(f"display {display}: cannot be opened ({error})") from error
    with grabber:
        yield grabber


def _target(config: CaptureConfig, grabber: mss.MSS, display: str) -> dict[str, int]:
    """Return left, top, width and height of what to take."""
    monitors = grabber.monitors
    if config.monitor >= len(monitors):
        raise UsageError(
            f"display {display}: has {len(monitors) - 1} monitor(s), monitor {config.monitor} is asked for"
        )
    whole = {side: int(monitors[config.monitor][side]) for side in ("left", "top", "width", "height")}
    if config.region is None:
        return whole
    left, top, width, height = config.region
    if left < 0 or top < 0 or left + width > whole["width"] or top + height > whole["height"]:
        raise UsageError(
            f"region {list(config.region)} lies outside monitor {config.monitor}, {whole['width']}x{whole['height']}"
        )
    return {"left": whole["left"] + left, "top": whole["top"] + top, "width": width, "height": height}


def _grab(grabber: mss.MSS, target: dict[str, int], display: str) -> Pixels:
    try:
        shot = grabber.grab(target)
    except ScreenShotError as error:
        raise UsageError(f"display {display}: refused to be read ({error})") from error
    return np.frombuffer(shot.rgb, dtype=np.uint8).reshape(shot.height, shot.width, 3)


def _write(
    store: Store, config: CaptureConfig, target: dict[str, int], pixels: Pixels, digest: str, num_unchanged: int
) -> None:
    data = write_png(pixels, compress_level=config.png_compress_level)
    name = f"{digest[:_NAME_DIGITS]}.png"
    store.write_bytes(name, data)
    frame = _Frame(
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        monitor=config.monitor,
        file=name,
        sha256=sha256_hex(data),
        num_unchanged_before=num_unchanged,
        **target,
    )
    _append(store, asdict(frame))


def _append(store: Store, line: dict[str, Any]) -> None:
    path = store.local_path(CAPTURE_LOG)
    if path is None:
        raise UsageError(f"{store.url}: screens are captured into a local folder")
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error


def _wait(until: float) -> None:
    time.sleep(max(0.0, until - time.monotonic()))
