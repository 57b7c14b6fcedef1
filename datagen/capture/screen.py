"""Pictures of the monitors of an X display, with the masked rectangles black before anything else sees them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import mss
import numpy as np
from mss.exception import ScreenShotError

from datagen.capture.config import CaptureConfig
from datagen.capture.x_questions import Rectangle
from pipeline.base.errors import UsageError
from pipeline.formats.picture import Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A part of the screen that gives one picture."""

    monitor: int
    """As in CaptureConfig."""
    rectangle: Rectangle


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A picture of one target."""

    target: Target
    time: datetime
    """When it was taken, UTC."""
    pixels: Pixels
    """(H, W, 3), RGB."""
    masks: tuple[Rectangle, ...]
    """What the configured masks blacked out, in pixels of the picture."""


class Screen:
    """The monitors of one display. Raises UsageError when they cannot be read, or are not as asked for."""

    def __init__(self, display: str, config: CaptureConfig) -> None:
        self._display = display
        self._config = config
        self._targets = self._find_targets()

    def grab(self) -> list[Frame]:
        """Take a picture of each target.

        Raises: UsageError: monitors changed since the capture began, and with them what masks or region mean.
        """
        targets = self._find_targets()
        if targets != self._targets and (self._config.mask or self._config.region is not None):
            raise UsageError(
                f"display {self._display}: its monitors changed, so masks and region are not where they were; stopped"
            )
        try:
            with self._open() as grabber:
                return [self._take(grabber, target) for target in targets]
        except ScreenShotError as error:
            raise UsageError(f"display {self._display}: refused to be read ({error})") from error

    def _open(self) -> mss.MSS:
        # Opened for each look (0.5 ms): one that stays open keeps the monitors that it found at first.
        return mss.MSS(display=self._display, with_cursor=self._config.cursor)

    def _take(self, grabber: mss.MSS, target: Target) -> Frame:
        left, top, width, height = target.rectangle
        shot = grabber.grab({"left": left, "top": top, "width": width, "height": height})
        bgrx = np.frombuffer(shot.raw, dtype=np.uint8).reshape(shot.height, shot.width, 4)
        pixels = np.ascontiguousarray(bgrx[:, :, 2::-1])
        return Frame(
            target=target, time=datetime.now(UTC), pixels=pixels, masks=black_out(pixels, target, self._config.mask)
        )

    def _find_targets(self) -> list[Target]:
        try:
            with self._open() as grabber:
                monitors = [_rectangle(monitor) for monitor in grabber.monitors]
        except ScreenShotError as error:
            raise UsageError(f"display {self._display}: cannot be opened ({error})") from error
        config, where = self._config, f"display {self._display}"
        for mask in config.mask:
            if _overlap(mask, monitors[0]) is None:
                raise UsageError(f"{where}: mask {list(mask)} lies off the screen, {_size(monitors[0])}")
        if config.each_monitor:
            return [Target(monitor=number, rectangle=monitors[number]) for number in range(1, len(monitors))]
        if config.monitor >= len(monitors):
            raise UsageError(f"{where}: has {len(monitors) - 1} monitor(s), monitor {config.monitor} is asked for")
        whole = monitors[config.monitor]
        if config.region is None:
            return [Target(monitor=config.monitor, rectangle=whole)]
        left, top, width, height = config.region
        region = (whole[0] + left, whole[1] + top, width, height)
        if _overlap(region, whole) != region:
            raise UsageError(f"region {list(config.region)} lies outside monitor {config.monitor}, {_size(whole)}")
        return [Target(monitor=config.monitor, rectangle=region)]


def black_out(
    pixels: Pixels, target: Target, rectangles: Iterable[Rectangle | tuple[int, ...]]
) -> tuple[Rectangle, ...]:
    """Paint rectangles of the screen black in a target's picture (H, W, 3), in place.

    Returns what was painted, in pixels of the picture.
    """
    painted = []
    for rectangle in rectangles:
        seen = _overlap(rectangle, target.rectangle)
        if seen is not None:
            left, top = seen[0] - target.rectangle[0], seen[1] - target.rectangle[1]
            pixels[top : top + seen[3], left : left + seen[2]] = 0
            painted.append((left, top, seen[2], seen[3]))
    return tuple(painted)


def _overlap(one: Rectangle | tuple[int, ...], other: Rectangle) -> Rectangle | None:
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[0] + one[2], other[0] + other[2]), min(one[1] + one[3], other[1] + other[3])
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


def _rectangle(monitor: dict[str, int]) -> Rectangle:
    return (int(monitor["left"]), int(monitor["top"]), int(monitor["width"]), int(monitor["height"]))


def _size(rectangle: Rectangle) -> str:
    return f"{rectangle[2]}x{rectangle[3]}"
