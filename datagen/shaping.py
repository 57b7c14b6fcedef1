"""Text as it is seen: Arabic letters joined, and right-to-left runs turned around.

Done here rather than by Raqm, which is not in every build of Pillow.
"""

import re
from functools import lru_cache

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0f\ufeff]")


def is_right_to_left(text: str) -> bool:
    """Return whether the first letters of a text run from right to left."""
    if text.isascii():
        return False
    first = next((char for char in text if char.isalpha()), "")
    return bool(first and _RIGHT_TO_LEFT.match(first))


def visual_order(text: str) -> str:
    """Return one line's characters in the order in which they stand, from left to right, Arabic in joined forms."""
    if text.isascii():
        return text
    if _RIGHT_TO_LEFT.search(text):
        return _turned(text)
    return _INVISIBLE.sub("", text)


@lru_cache(maxsize=4096)
def _turned(text: str) -> str:
    # Imported here: only texts in these scripts need them.
    from arabic_reshaper import reshape
    from bidi.algorithm import get_display

    return _INVISIBLE.sub("", str(get_display(reshape(text))))
