"""The windows that an X display shows, with every title they carry, and news of their changes. X11 only.

No window manager is needed: the tree of windows is walked from the root, which finds what `_NET_CLIENT_LIST` lists
and also menus, tooltips and windows that no manager looks after.
"""

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from Xlib import X
from Xlib.display import Display

from datagen.capture.x_questions import ATOMS, Content, Place, Rectangle, ask_contents, ask_places, close, x_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window directly on the root: an application's with the frame around it, or a menu."""

    ids: frozenset[int]
    """Its own and those of all windows inside it."""
    titles: tuple[str, ...]
    """All different titles of it and of what is inside it."""
    programs: tuple[str, ...]
    """Instance and class names (WM_CLASS)."""
    readable: bool
    """False if one of the titles cannot be read."""
    pids: frozenset[int]
    leaders: frozenset[int]
    parents: frozenset[int]
    """Windows that it says it belongs to (WM_TRANSIENT_FOR)."""
    rectangle: Rectangle
    """With frame and border."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one reading of the display found."""

    windows: tuple[Window, ...]
    """Those that are shown: mapped, not minimised, at least partly on the screen; covered ones too."""
    num_vanished: int
    """Windows that appeared after the reading before, and were gone before they could be read."""
    size: tuple[int, int]
    """Width and height of the screen, in pixels."""


@contextmanager
def open_windows(display: str) -> Iterator["WindowList"]:
    """Give the windows of `display`, such as ":0". Raises: UsageError: it cannot be asked for them."""
    with x_errors(display):
        connection = Display(display)
    # Windows come and go while they are asked about; python-xlib would print each such error.
    connection.set_error_handler(lambda *_: None)
    try:
        with x_errors(display):
            windows = WindowList(connection, display)
        yield windows
    finally:
        close(connection)


class WindowList:
    """The windows of one display. Its methods raise UsageError when they cannot be read."""

    def __init__(self, connection: Display, name: str) -> None:
        self._x = connection
        self._name = name
        self._root = connection.screen().root
        self._atoms = {atom: connection.intern_atom(atom) for atom in ATOMS}
        self._last: Reading | None = None
        self._root.change_attributes(event_mask=X.SubstructureNotifyMask | X.StructureNotifyMask)

    def read(self) -> Reading:
        """Return which windows are shown now."""
        with x_errors(self._name):
            # The server answers in order: what happened before its reply to this is in the queue of news after it.
            self._x.sync()
            if self._last is not None and not self._x.pending_events():
                return self._last
            appeared = self._take_news()
            at = self._root.get_geometry()
            size = (int(at.width), int(at.height))
            places = ask_places(self._x, [child.id for child in self._root.query_tree()._data["children"]])
            windows = self._windows([place for place in places if place.viewable and _overlaps(place, size)])
            vanished = appeared - {place.id for place in places}
            reading = Reading(windows=windows, num_vanished=len(vanished), size=size)
            # A window that is gone was seen once; the next reading must not count it again.
            self._last = Reading(windows=windows, num_vanished=0, size=size)
            return reading

    def wait(self, until: float) -> bool:
        """Wait for news; return whether there are any before the time `until` (time.monotonic)."""
        with x_errors(self._name):
            while (left := until - time.monotonic()) > 0:
                if self._x.pending_events():
                    return True
                select.select([self._x.fileno()], [], [], left)
            return False

    def _take_news(self) -> set[int]:
        """Empty the queue; return the windows on the root that appeared."""
        appeared = set()
        while self._x.pending_events():
            event = self._x.next_event()
            if event.type == X.MapNotify and event._data["event"].id == self._root.id:
                appeared.add(int(event._data["window"].id))
        return appeared

    def _windows(self, places: list[Place]) -> tuple[Window, ...]:
        """Return the windows at these places with all that is inside them, a round trip or two for each level."""
        trees = {place.id: _Tree(place=place) for place in places}
        owners = {place.id: place.id for place in places}
        level = list(owners)
        while level:
            contents = ask_contents(self._x, level, self._atoms)
            for content in contents:
                trees[owners[content.id]].contents.append(content)
            below = {child: owners[content.id] for content in contents for child in content.children}
            # A window may be moved into another while the tree is walked; it is asked about once.
            level = [child for child in below if child not in owners]
            owners |= below
        return tuple(tree.window() for tree in trees.values() if tree.shown())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tree:
    """A window of the root and what it and all windows inside it say."""

    place: Place
    contents: list[Content] = field(default_factory=list)

    def shown(self) -> bool:
        return bool(self.contents) and not any(content.minimised for content in self.contents)

    def window(self) -> Window:
        inside = self.contents
        return Window(
            ids=frozenset(content.id for content in inside),
            titles=tuple(dict.fromkeys(title for content in inside for title in content.titles)),
            programs=tuple(dict.fromkeys(name for content in inside for name in content.programs)),
            readable=all(content.readable for content in inside),
            pids=frozenset(content.pid for content in inside if content.pid),
            leaders=frozenset(content.leader for content in inside if content.leader),
            parents=frozenset(content.parent for content in inside if content.parent),
            rectangle=self.place.rectangle,
        )


def _overlaps(place: Place, screen: tuple[int, int]) -> bool:
    left, top, width, height = place.rectangle
    return left < screen[0] and top < screen[1] and left + width > 0 and top + height > 0
