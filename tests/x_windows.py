"""Real windows on a real display, made with python-xlib: any title, colour, owner and place."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from Xlib import X, Xatom
from Xlib.display import Display

from pipeline.formats.picture import Pixels, read_picture

Colour = tuple[int, int, int]


def need(*programs: str) -> None:
    """Skip where a program is missing, but never in continuous integration."""
    for program in programs:
        if shutil.which(program) is None:
            if os.environ.get("CI"):
                pytest.fail(f"{program} is not installed")
            pytest.skip(f"{program} is not installed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A window of one colour."""

    colour: Colour
    place: tuple[int, int, int, int] = (10, 10, 60, 40)
    title: str = ""
    title_bytes: bytes = b""
    """A title as raw compound text, instead of `title`."""
    program: str = ""
    pid: int = 0
    unmanaged: bool = False
    """A menu or tooltip (override-redirect)."""


@dataclass(slots=True)
class Stage:
    """A connection that puts up windows; they are gone when it is closed."""

    x: Display
    shown: set[int] = field(default_factory=set)

    def show(self, sheet: Sheet, *, belongs_to: object | None = None) -> object:
        """Put a window up, wait until the server has it, and return it."""
        red, green, blue = sheet.colour
        screen = self.x.screen()
        window = screen.root.create_window(
            *sheet.place,
            0,
            screen.root_depth,
            X.InputOutput,
            background_pixel=red << 16 | green << 8 | blue,
            override_redirect=int(sheet.unmanaged),
        )
        if sheet.title_bytes:
            kind = self.x.intern_atom("COMPOUND_TEXT")
            window.change_property(Xatom.WM_NAME, kind, 8, sheet.title_bytes)
        if sheet.title:
            self.rename(window, sheet.title)
        if sheet.program:
            window.set_wm_class(sheet.program, sheet.program.capitalize())
        if sheet.pid:
            window.change_property(self.x.intern_atom("_NET_WM_PID"), Xatom.CARDINAL, 32, [sheet.pid])
        if belongs_to is not None:
            window.set_wm_transient_for(belongs_to)
        window.map()
        self.shown.add(window.id)
        self.x.sync()
        return window

    def rename(self, window: object, title: str) -> None:
        """Give a window another title."""
        utf8 = self.x.intern_atom("UTF8_STRING")
        window.change_property(self.x.intern_atom("_NET_WM_NAME"), utf8, 8, title.encode())  # type: ignore[attr-defined]
        self.x.sync()


@contextmanager
def open_stage(display: str) -> Iterator[Stage]:
    """Give a stage on `display`; closing it takes its windows away."""
    stage = Stage(Display(display))
    try:
        yield stage
    finally:
        stage.x.close()
        # The server takes the windows away a moment after the connection is closed.
        other = Display(display)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and any(
            child.id in stage.shown for child in other.screen().root.query_tree().children
        ):
            time.sleep(0.01)
        other.close()


def pictures(folder: Path) -> list[Pixels]:
    """Return all pictures of a folder, (H, W, 3)."""
    return [read_picture(path.read_bytes(), where=path.name).pixels for path in sorted(folder.glob("*.png"))]


def count(pixels: Pixels, colour: Colour) -> int:
    """Return how many pixels of (H, W, 3) have exactly this colour."""
    return int(np.count_nonzero((pixels == np.array(colour, np.uint8)).all(axis=2)))
