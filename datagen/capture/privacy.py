"""Which windows must not be seen, and whether one of them may be in a picture.

Programs do not change their pixels and their title in one step, so a picture is judged by all that was read from
`settle_s` before it was taken until `settle_s` after; every change of a window in that time is read as it comes.
What cannot be read counts as blocked.
"""

import fnmatch
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from datagen.capture.config import CaptureConfig
from datagen.capture.windows import Reading, Window, WindowList, open_windows
from datagen.capture.x_questions import Rectangle

UNREADABLE = "(title that cannot be read)"
VANISHED = "(window gone before it was read)"
_BREATH_S = 0.02
"""From one reading to the next while a window changes all the time; a reading costs about half of it."""
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the readings around one look found."""

    patterns: tuple[str, ...] = ()
    """Those that matched, sorted; none = nothing is to be hidden."""
    titles: tuple[str, ...] = ()
    """Of the windows that matched."""
    rectangles: tuple[Rectangle, ...] = ()
    """Of the windows that matched and of what belongs to them."""
    steady: bool = True
    """Whether all readings found the same rectangles; if not, pixels may be somewhere else than a reading says."""


class Guard:
    """Watches the windows of a display. Without patterns it only waits. Raises UsageError when it cannot read."""

    def __init__(self, windows: WindowList | None, config: CaptureConfig) -> None:
        self._windows = windows
        self._settle_s = config.settle_s
        self._titles = _compile(config.blocked_titles)
        self._programs = _compile(config.blocked_programs)
        self._seen: list[tuple[float, Verdict]] = []

    def rest(self, until: float) -> None:
        """Wait until the time `until` (time.monotonic), and read what changes shortly before."""
        time.sleep(max(0.0, until - time.monotonic() - (self._settle_s + _BREATH_S if self._windows else 0.0)))
        # Twice, for what came and went during the sleep is in the first reading alone.
        self.look()
        self._watch(until)

    def _watch(self, until: float) -> None:
        if self._windows is None:
            return
        self.look()
        while self._windows.wait(until):
            self.look()
            time.sleep(_BREATH_S)

    def look(self) -> None:
        """Read the windows now; called right before and right after a picture is taken."""
        if self._windows is not None:
            verdict = self._judge(self._windows.read())
            self._seen.append((time.monotonic(), verdict))

    def verdict(self, before: float, after: float) -> Verdict:
        """Wait until what is shown has settled; judge pictures taken between the times `before` and `after`."""
        if self._windows is None:
            return Verdict()
        self._watch(after + self._settle_s)
        self.look()
        # What was read last before the span held when the span began.
        first = max((i for i, (at, _) in enumerate(self._seen) if at <= before - self._settle_s), default=0)
        self._seen = self._seen[first:]
        found = [verdict for _, verdict in self._seen]
        return Verdict(
            patterns=_sorted(pattern for verdict in found for pattern in verdict.patterns),
            titles=_sorted(title for verdict in found for title in verdict.titles),
            rectangles=tuple(sorted({rectangle for verdict in found for rectangle in verdict.rectangles})),
            steady=all(verdict.steady and verdict.rectangles == found[0].rectangles for verdict in found),
        )

    def _judge(self, reading: Reading) -> Verdict:
        matches = {window: patterns for window in reading.windows if (patterns := self._matches(window))}
        hidden = _with_what_belongs(list(matches), reading)
        patterns = [pattern for found in matches.values() for pattern in found]
        return Verdict(
            patterns=_sorted([*patterns, VANISHED] if reading.num_vanished else patterns),
            titles=_sorted(title for window in matches for title in window.titles),
            rectangles=tuple(sorted({window.rectangle for window in hidden})),
            steady=not reading.num_vanished,
        )

    def _matches(self, window: Window) -> list[str]:
        patterns = [] if window.readable else [UNREADABLE]
        for rules, names in ((self._titles, window.titles), (self._programs, window.programs)):
            folded = [_fold(name) for name in names]
            patterns += [pattern for pattern, rule in rules.items() if any(map(rule.match, folded))]
        return patterns


@contextmanager
def guarding(display: str, config: CaptureConfig) -> Iterator[Guard]:
    """Give the guard of `display`. Raises: UsageError: windows are to be blocked, and cannot be read."""
    if not config.blocks:
        yield Guard(None, config)
        return
    with open_windows(display) as windows:
        yield Guard(windows, config)


def _with_what_belongs(matches: Sequence[Window], reading: Reading) -> list[Window]:
    """Return blocked windows with their dialogs and menus.

    A dialog names the window it belongs to. A menu or tooltip has no title; it counts if it shares the program of a
    blocked window, or names none, unless it covers the screen as a desktop does.
    """
    if not matches:
        return []
    hidden = list(matches)
    pids = {pid for window in hidden for pid in window.pids}
    leaders = {leader for window in hidden for leader in window.leaders}
    for window in reading.windows:
        owned = bool(window.pids or window.leaders or window.parents)
        shared = bool(window.pids & pids or window.leaders & leaders)
        if not window.titles and (shared or not owned) and window.rectangle[2:] != reading.size:
            hidden.append(window)
    while True:
        ids = {number for window in hidden for number in window.ids}
        more = [window for window in reading.windows if window.parents & ids and not window.ids <= ids]
        if not more:
            return hidden
        hidden += more


def _compile(patterns: Iterable[str]) -> dict[str, re.Pattern[str]]:
    """Return each pattern's rule; one without wildcards matches anywhere, as `bank` is not meant to miss `My bank`."""
    globs = {pattern: pattern if _GLOB.search(pattern) else f"*{pattern}*" for pattern in patterns}
    return {pattern: re.compile(fnmatch.translate(_fold(glob))) for pattern, glob in globs.items()}


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _sorted(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(texts)))
