"""What people wrote, for one split: text files and source files, opened when a sample shows them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from datagen.documents import CodeDocument, TextDocument, read_code, read_text
from datagen.highlighting import LANGUAGES, TITLES, highlight
from datagen.source_code import Line
from datagen.sources import PlannedSource, load_bytes

_HELD = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Source code to show."""

    language: str
    """As an editor writes it: `Python`, `C++`."""
    file_name: str
    lines: tuple[Line, ...]
    """Each a list of (text, kind)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """The texts and source files of a split; both may be missing, then words are composed."""

    texts: tuple[PlannedSource, ...] = ()
    code: tuple[PlannedSource, ...] = ()

    def choose_code(self, rng: np.random.Generator, language: str | None) -> PlannedSource | None:
        """Return a source file of `language` (Pygments' name), or of any; None if there is none."""
        files = [file for file in self.code if language is None or language_of(file.source.name) == language]
        return files[int(rng.integers(len(files)))] if files else None


def language_of(file_name: str) -> str:
    """Return Pygments' name of the language a file is in. Raises: KeyError: its ending is unknown."""
    return LANGUAGES["." + file_name.lower().rpartition(".")[2]]


@lru_cache(maxsize=_HELD)
def open_text(planned: PlannedSource) -> TextDocument:
    """Return a text. Raises: PictureError: `unreadable`, `source_changed`."""
    return read_text(load_bytes(planned))


@lru_cache(maxsize=_HELD)
def open_code(planned: PlannedSource) -> Listing:
    """Return a source file's coloured lines. Raises: PictureError: `unreadable`, `source_changed`."""
    document: CodeDocument = read_code(load_bytes(planned))
    language = language_of(planned.source.name)
    return Listing(
        language=TITLES.get(language, language.capitalize()),
        file_name=planned.source.name.rpartition("/")[2],
        lines=tuple(highlight(document.lines, language)),
    )
