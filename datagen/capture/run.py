"""The loop of a capture: wait, take, judge, compare, write."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from datagen import virtual_display
from datagen.capture.config import CaptureConfig, CaptureSummary
from datagen.capture.folder import CaptureFolder, Skip, check_local
from datagen.capture.privacy import Guard, Verdict, guarding
from datagen.capture.screen import Frame, Screen, black_out
from datagen.quality import perceptual_hash
from pipeline.base.errors import UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.formats.picture import digest_pixels


def run(config: CaptureConfig, out: str, *, display: str | None, progress: Progress) -> CaptureSummary:
    """Take pictures of the X display `display` (such as ":0") into the folder `out`; Ctrl-C ends it early.

    A folder that holds an earlier capture is gone on with.
    Raises: UsageError: no display, no such monitor, a region or mask off the screen, window titles that are to be
    blocked and cannot be read, another capture into the same folder; StorageError.
    """
    started = time.monotonic()
    store = Store(out)
    check_local(store)
    with _display(config, display) as name:
        screen = Screen(name, config)
        with guarding(name, config) as guard, store.sole_writer():
            folder = CaptureFolder(store, config)
            capture = _Capture(config=config, screen=screen, guard=guard, folder=folder)
            try:
                _look_often(capture, started, progress)
            except KeyboardInterrupt:
                # The way to end a long capture; what was taken is on the disk already.
                progress.note("stopped")
            finally:
                folder.close()
    return CaptureSummary(
        out=out,
        display=name,
        num_frames=capture.num_written,
        num_skipped=dict(folder.num_skipped.most_common()),
        seconds=time.monotonic() - started,
    )


@dataclass(slots=True, kw_only=True)
class _Capture:
    """One capture under way."""

    config: CaptureConfig
    screen: Screen
    guard: Guard
    folder: CaptureFolder
    num_written: int = 0
    before: dict[int, str] = field(default_factory=dict)
    """Digest of each monitor's pixels at the last look."""

    def look(self) -> None:
        """Take a picture of each target, and keep what may and should be kept."""
        self.guard.look()
        before = time.monotonic()
        frames = self.screen.grab()
        after = time.monotonic()
        self.guard.look()
        verdict = self.guard.verdict(before, after)
        for frame in frames:
            skip = self._blocked(frame, verdict) or self._keep(frame, verdict)
            if skip is None:
                self.num_written += 1
            else:
                self.folder.skip(skip)

    def _blocked(self, frame: Frame, verdict: Verdict) -> Skip | None:
        """Return why a picture must not be seen; wherever the window is, as previews show windows elsewhere."""
        if not verdict.patterns or (self.config.on_blocked == "black" and verdict.steady):
            return None
        return Skip(
            reason="blocked" if self.config.on_blocked == "skip" else "blocked_moving",
            monitor=frame.target.monitor,
            patterns=verdict.patterns,
            titles=verdict.titles if self.config.log_titles else (),
        )

    def _keep(self, frame: Frame, verdict: Verdict) -> Skip | None:
        """Write a picture, or return why it is left out."""
        config, folder, monitor = self.config, self.folder, frame.target.monitor
        blocked = black_out(frame.pixels, frame.target, verdict.rectangles)
        digest = digest_pixels(frame.pixels)
        same, self.before[monitor] = self.before.get(monitor) == digest, digest
        if config.only_changed and same:
            return Skip(reason="unchanged", monitor=monitor)
        if config.only_changed and (file := folder.find(digest)):
            return Skip(reason="taken_before", monitor=monitor, file=file)
        looks_like = perceptual_hash(frame.pixels)
        if file := folder.find_similar(frame, looks_like):
            return Skip(reason="near_duplicate", monitor=monitor, file=file)
        folder.add(frame, digest, looks_like=looks_like, blocked=blocked)
        return None


def _look_often(capture: _Capture, started: float, progress: Progress) -> None:
    config = capture.config
    if config.num_looks is not None:
        progress.total(config.num_looks)
    # Titles from before the first look count as well.
    due = time.monotonic() + (config.settle_s if config.blocks else 0.0)
    end = None if config.duration_s is None else started + config.duration_s
    num_looks = 0
    while config.num_looks is None or num_looks < config.num_looks:
        capture.guard.rest(due if end is None else min(due, end))
        if end is not None and time.monotonic() >= end:
            break
        capture.look()
        num_looks += 1
        progress.advance()
        skipped = "".join(f", {count} {reason}" for reason, count in capture.folder.num_skipped.items())
        progress.note(f"{capture.num_written} taken{skipped}")
        due = max(due + config.interval_s, time.monotonic())


@contextmanager
def _display(config: CaptureConfig, display: str | None) -> Iterator[str]:
    if config.xvfb == "always" or (config.xvfb == "auto" and not display):
        with virtual_display.showing(None) as started:
            yield started
    elif not display:
        raise UsageError("no X display: set DISPLAY or give --display, or use --set xvfb=auto for a virtual one")
    else:
        yield display
