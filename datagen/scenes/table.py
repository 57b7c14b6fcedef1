"""All scenes, by the name that samples carry. A scene is a function that draws one whole screen."""

from collections.abc import Callable

import numpy as np

from datagen.canvas import Canvas
from datagen.materials import Materials
from datagen.scenes import chat

Scene = Callable[[Canvas, Materials, np.random.Generator], None]

SCENES: dict[str, Scene] = {
    "chat": chat.draw,
}
