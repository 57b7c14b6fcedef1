"""The JavaScript that runs in pages, kept beside this module in files of its own."""

from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=16)
def script(name: str) -> str:
    """Return the text of a script such as `survey.js`."""
    return (resources.files("datagen.browser") / name).read_text(encoding="utf-8")
