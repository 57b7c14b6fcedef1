"""What to capture, how often, what to keep out, and what a capture came to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PRESETS = Path(__file__).parent.parent / "presets" / "capture"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureConfig:
    """What to take, how often, and what to keep out.

    Raises: ValueError: a number is out of range, a rectangle has not four numbers, two settings contradict.
    """

    monitor: int = 0
    """0 = all monitors as one picture, 1 = the first, ..."""
    each_monitor: bool = False
    """A picture of every monitor at each look, instead of one of all together."""
    region: tuple[int, ...] | None = None
    """Left, top, width, height in pixels of the monitor, instead of all of it."""
    interval_s: float = 1.0
    """Seconds from one look to the next."""
    num_frames: int | None = None
    """How often to look; looks that keep nothing count too. Default: once, or, with `duration_s`, until it is over."""
    duration_s: float | None = None
    """Stop after so many seconds at the latest."""
    only_changed: bool = True
    """Leave out pictures that equal the one before, or one that the folder holds."""
    near_duplicate_bits: int = 32
    """Compare with kept pictures whose perceptual hash (256 bits) differs in fewer bits; 0 = keep near-duplicates."""
    near_duplicate_pixels: int = 2000
    """Leave out pictures that differ from such a one in fewer pixels (a cursor blinks); 0 = the hash alone decides."""
    near_duplicate_memory: int = 0
    """Compare with so many of the pictures kept last; 0 = with all."""
    cursor: bool = False
    """Draw the mouse cursor into the pictures."""
    mask: tuple[tuple[int, ...], ...] = ()
    """Rectangles (left, top, width, height, pixels of the whole screen) that are black in every picture."""
    blocked_titles: tuple[str, ...] = ()
    """Globs, without regard to case; a pattern without `*`, `?` or `[` matches anywhere in a title."""
    blocked_programs: tuple[str, ...] = ()
    """The same for programs' names (WM_CLASS), such as `keepassxc`."""
    on_blocked: Literal["skip", "black"] = "skip"
    """While a blocked window is shown: take nothing, or black out the window and what belongs to it."""
    settle_s: float = 0.5
    """Seconds before and after a look in which a blocked title counts: programs do not repaint and rename at once.

    When tabs were switched in Chromium on two busy cores, the pixels came up to 160 ms before the title.
    """
    log_titles: bool = False
    """Write blocked windows' titles to `skipped.jsonl`, not only the pattern."""
    xvfb: Literal["auto", "never", "always"] = "never"
    """Start a virtual display that shows a page: if there is no display, never, or always."""
    png_compress_level: int = 2

    def __post_init__(self) -> None:
        if self.monitor < 0 or self.interval_s < 0 or self.settle_s < 0:
            raise ValueError("monitor, interval_s and settle_s must be 0 or more")
        if (self.num_frames is not None and self.num_frames < 1) or (
            self.duration_s is not None and self.duration_s < 0
        ):
            raise ValueError("num_frames must be 1 or more, duration_s 0 or more")
        if self.each_monitor and (self.monitor or self.region is not None):
            raise ValueError("each_monitor takes all monitors: leave monitor at 0 and region out")
        for name, rectangle in [("region", self.region), *(("mask", rectangle) for rectangle in self.mask)]:
            if rectangle is not None and (len(rectangle) != 4 or min(rectangle[2:]) < 1):
                raise ValueError(f"{name} is {list(rectangle)}, must be [left, top, width, height]")
        if not 0 <= self.png_compress_level <= 9:
            raise ValueError(f"png_compress_level is {self.png_compress_level}, must be 0..9")
        if not 0 <= self.near_duplicate_bits <= 256 or min(self.near_duplicate_pixels, self.near_duplicate_memory) < 0:
            raise ValueError("near_duplicate_bits must be 0..256, near_duplicate_pixels and _memory 0 or more")
        if not all(pattern.strip() for pattern in (*self.blocked_titles, *self.blocked_programs)):
            raise ValueError("blocked_titles and blocked_programs hold an empty pattern")

    @property
    def blocks(self) -> bool:
        """Whether some windows are to be kept out."""
        return bool(self.blocked_titles or self.blocked_programs)

    @property
    def num_looks(self) -> int | None:
        """How often to look at most; None = until the duration is over."""
        return self.num_frames or (1 if self.duration_s is None else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureSummary:
    """What a capture took and left out."""

    out: str
    display: str
    num_frames: int
    """Pictures written."""
    num_skipped: dict[str, int]
    """Pictures left out, by reason: `unchanged`, `taken_before`, `near_duplicate`, `blocked`, `blocked_moving`."""
    seconds: float
