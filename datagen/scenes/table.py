"""All scenes, by the name that samples carry. A scene is a function that draws one whole screen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from datagen.canvas import Canvas
from datagen.materials import Materials
from datagen.scenes import (
    chart_dashboard,
    chat,
    code_editor,
    desktop,
    document,
    file_manager,
    map_dashboard,
    mobile_app,
    photo_editor,
    photo_viewer,
    search_results,
    slides,
    spreadsheet,
    terminal,
    video_call,
    web_article,
)

Draw = Callable[[Canvas, Materials, np.random.Generator], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One kind of screen."""

    draw: Draw
    smallest: tuple[int, int] = (800, 500)
    """Width and height in logical pixels below which its layout does not fit."""
    portrait: bool = False
    """Whether it also looks right on screens that are higher than wide."""
    landscape: bool = True
    """Whether it looks right on screens that are wider than high."""
    window: Draw | None = None
    """How it is drawn as a window on a desk; None = as on a whole screen."""

    def fits(self, width: int, height: int, scale: float) -> bool:
        """Return whether it can be drawn on a screen of width x height device pixels at `scale`."""
        if not (self.portrait if height > width else self.landscape):
            return False
        return width >= self.smallest[0] * scale and height >= self.smallest[1] * scale


SCENES: dict[str, Scene] = {
    "code_editor": Scene(draw=code_editor.draw),
    "web_article": Scene(draw=web_article.draw, smallest=(760, 500), portrait=True),
    "chat": Scene(draw=chat.draw),
    "chart_dashboard": Scene(draw=chart_dashboard.draw),
    "photo_viewer": Scene(draw=photo_viewer.draw),
    "search_results": Scene(draw=search_results.draw, smallest=(640, 480), portrait=True),
    "terminal": Scene(draw=terminal.draw, smallest=(480, 320), portrait=True, window=terminal.draw_window),
    "file_manager": Scene(draw=file_manager.draw, smallest=(640, 420)),
    "spreadsheet": Scene(draw=spreadsheet.draw, smallest=(720, 480), portrait=True),
    "slides": Scene(draw=slides.draw, smallest=(720, 480)),
    "document": Scene(draw=document.draw, smallest=(640, 420), portrait=True),
    "video_call": Scene(draw=video_call.draw, smallest=(640, 420), portrait=True),
    "map_dashboard": Scene(draw=map_dashboard.draw, smallest=(720, 460)),
    "mobile_app": Scene(draw=mobile_app.draw, smallest=(320, 560), portrait=True, landscape=False),
    "photo_editor": Scene(draw=photo_editor.draw, smallest=(720, 460)),
    "desktop": Scene(draw=desktop.draw, smallest=(800, 500)),
}
