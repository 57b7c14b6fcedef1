"""Questions to an X server about windows, many in one round trip, and its errors turned into ours.

python-xlib waits for each reply by itself; here the requests are sent first and the replies taken afterwards.
"""

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from Xlib import X, error
from Xlib.display import Display
from Xlib.protocol import request

from pipeline.base.errors import UsageError

Rectangle = tuple[int, int, int, int]
"""Left, top, width, height, in pixels of the whole screen."""

# A newer one comes first: if it is set it says what the older one says, in an encoding that can be read.
_TITLES = ("_NET_WM_NAME", "WM_NAME")
_PROGRAM = "WM_CLASS"
_PID, _LEADER, _PARENT, _STATE = "_NET_WM_PID", "WM_CLIENT_LEADER", "WM_TRANSIENT_FOR", "_NET_WM_STATE"
_HIDDEN, _SHADED = "_NET_WM_STATE_HIDDEN", "_NET_WM_STATE_SHADED"
_PROPERTIES = (*_TITLES, _PROGRAM, _PID, _LEADER, _PARENT, _STATE)
ATOMS = (*_PROPERTIES, "UTF8_STRING", _HIDDEN, _SHADED)
_MAX_WORDS = 1 << 14
_UTF8_SEGMENT = re.compile(rb"\x1b%G(.*?)\x1b%@", re.DOTALL)
_LATIN_1 = re.compile(rb"\x1b(?:\(B|-A)")
_ESCAPE = "\x1b"

# Everything that python-xlib raises when a server refuses, dies or talks nonsense.
_X_ERRORS = (
    error.DisplayError,
    error.ConnectionClosedError,
    error.XauthError,
    error.XNoAuthError,
    error.XError,
    OSError,
    struct.error,
)
_GONE = (error.BadWindow, error.BadDrawable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a window directly on the root is."""

    id: int
    viewable: bool
    """Mapped, and able to show pixels."""
    rectangle: Rectangle
    """With its border."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a window says about itself, and the windows inside it."""

    id: int
    children: tuple[int, ...]
    titles: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    readable: bool = True
    """False if its title is in an encoding that is not known here, or longer than is read."""
    pid: int = 0
    leader: int = 0
    parent: int = 0
    """The window that it says it belongs to."""
    minimised: bool = False


@contextmanager
def x_errors(display: str) -> Iterator[None]:
    """Turn python-xlib's errors into a UsageError; the one border where that is done."""
    try:
        yield
    except _X_ERRORS as failure:
        raise UsageError(
            f"display {display}: its window titles cannot be read ({failure}), so nothing is captured "
            "while titles or programs are to be blocked"
        ) from failure


def close(connection: Display) -> None:
    """Close a connection, which the server may have closed already."""
    try:
        connection.close()
    except _X_ERRORS:
        return


def ask_places(connection: Display, windows: Sequence[int]) -> list[Place]:
    """Return where windows on the root are, without those that are gone."""
    asked = [
        (
            window,
            request.GetWindowAttributes(display=connection.display, defer=True, window=window),
            request.GetGeometry(display=connection.display, defer=True, drawable=window),
        )
        for window in windows
    ]
    places = []
    for window, attributes, at in asked:
        if _answered(attributes, at):
            viewable = attributes.map_state == X.IsViewable and attributes.win_class == X.InputOutput
            rectangle = (at.x, at.y, at.width + 2 * at.border_width, at.height + 2 * at.border_width)
            places.append(Place(id=window, viewable=viewable, rectangle=rectangle))
    return places


def ask_contents(connection: Display, windows: Sequence[int], atoms: Mapping[str, int]) -> list[Content]:
    """Return what windows say, without those that are gone; from then on their changes are reported as events."""
    x = connection.display
    asked = []
    for window in windows:
        # News first, reading later: a change in between is then read, or reported, or both.
        mask = {"event_mask": X.PropertyChangeMask | X.SubstructureNotifyMask}
        request.ChangeWindowAttributes(display=x, onerror=None, window=window, attrs=mask)
        tree = request.QueryTree(display=x, defer=True, window=window)
        # Most windows are parts of a frame and have no properties: one question instead of seven.
        asked.append((window, tree, request.ListProperties(display=x, defer=True, window=window)))
    questions = []
    for window, tree, names in asked:
        if _answered(tree, names):
            children = tuple(child.id for child in tree._data["children"])
            questions.append((window, children, _Properties(connection, window, atoms, set(names._data["atoms"]))))
    answers = [(window, children, properties.take()) for window, children, properties in questions]
    return [
        Content(id=window, children=children, **properties)
        for window, children, properties in answers
        if properties is not None
    ]


class _Properties:
    """Requests for a window's properties, sent when it is made."""

    def __init__(self, connection: Display, window: int, atoms: Mapping[str, int], present: set[int]) -> None:
        self._atoms = atoms
        self._asked = {
            name: request.GetProperty(
                display=connection.display,
                defer=True,
                delete=False,
                window=window,
                property=atoms[name],
                type=X.AnyPropertyType,
                long_offset=0,
                long_length=_MAX_WORDS,
            )
            for name in _PROPERTIES
            if atoms[name] in present
        }

    def take(self) -> dict[str, Any] | None:
        """Return the fields of a Content, or None if the window is gone."""
        if not _answered(*self._asked.values()):
            return None
        texts = [self._text(name) for name in _TITLES]
        state = self._numbers(_STATE)
        return {
            "titles": tuple(text for text in texts if text),
            "programs": tuple(name for name in (self._text(_PROGRAM) or "").split("\0") if name),
            "readable": bool(texts[0]) or None not in texts,
            "pid": self._number(_PID),
            "leader": self._number(_LEADER),
            "parent": self._number(_PARENT),
            # Some window managers call a window hidden that is rolled up and shows its title bar.
            "minimised": self._atoms[_HIDDEN] in state and self._atoms[_SHADED] not in state,
        }

    def _text(self, name: str) -> str | None:
        """Return a text, "" if it is not set, None if it cannot be read."""
        value, kind = self._value(name)
        if value is None:
            return ""
        if not isinstance(value, bytes) or self._asked[name]._data["bytes_after"]:
            return None
        try:
            return value.decode("utf-8") if kind == self._atoms["UTF8_STRING"] else _decode_older(value)
        except UnicodeDecodeError:
            return None

    def _number(self, name: str) -> int:
        return next(iter(self._numbers(name)), 0)

    def _numbers(self, name: str) -> tuple[int, ...]:
        value, _ = self._value(name)
        return () if value is None or isinstance(value, bytes) else tuple(int(number) for number in value)

    def _value(self, name: str) -> tuple[Any, int]:
        if name not in self._asked:
            return None, 0
        found = self._asked[name]._data
        return (None if found["value"] is None else found["value"][1]), int(found["property_type"])


def _decode_older(value: bytes) -> str | None:
    """Return what STRING (Latin-1) or COMPOUND_TEXT says, or None if it uses a character set not known here.

    Compound text is Latin-1 in which escape sequences change the character set, for UTF-8 in a segment with an end.
    Raises: UnicodeDecodeError: such a segment is not UTF-8.
    """
    plain_and_utf8 = _UTF8_SEGMENT.split(_LATIN_1.sub(b"", value))
    codecs = ("latin-1", "utf-8")
    text = "".join(part.decode(codecs[place % 2]) for place, part in enumerate(plain_and_utf8))
    return None if _ESCAPE in text else text


def _answered(*questions: Any) -> bool:
    """Wait for all replies (one that nobody takes stays in the connection's list); say whether the window is there."""
    there = True
    for question in questions:
        try:
            question.reply()
        except _GONE:
            there = False
    return there
