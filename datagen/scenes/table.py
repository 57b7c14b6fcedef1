"""All scenes, by the name that samples carry. A scene is a function that draws one whole screen."""

from collections.abc import Callable

import numpy as np

from datagen.canvas import Canvas
from datagen.materials import Materials
from datagen.scenes import chart_dashboard, chat, code_editor, photo_viewer, web_article

Scene = Callable[[Canvas, Materials, np.random.Generator], None]

SCENES: dict[str, Scene] = {
    "code_editor": code_editor.draw,
    "web_article": web_article.draw,
    "chat": chat.draw,
    "chart_dashboard": chart_dashboard.draw,
    "photo_viewer": photo_viewer.draw,
}
