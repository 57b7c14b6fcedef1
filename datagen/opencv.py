"""OpenCV, for what it does in fixed point: the same bits on every machine."""

import functools
from typing import Any


@functools.cache
def opencv() -> Any:
    """Return the module `cv2`."""
    # Imported here: it takes a quarter of a second, and only corpora that are drawn need it.
    import cv2

    # Work is spread over processes; threads of their own would only get in each other's way.
    cv2.setNumThreads(1)
    return cv2
