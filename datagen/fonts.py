"""Typefaces: Roboto, Source Sans, Source Serif and DejaVu from the wheels that carry them, and any that were found.

A character that a typeface lacks is taken from the next one that has it, so nothing is ever shown as an empty box.
"""

import importlib.metadata
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from PIL import ImageFont

from datagen.shaping import visual_order
from pipeline.base.errors import MissingDependency
from pipeline.base.store import sha256_file
from pipeline.formats.sample import Source

FontKind = Literal["sans", "serif", "mono", "emoji"]

EMOJI_STRIKE = 109
"""Em size in pixels of the one strike that colour bitmap fonts (CBDT) hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One typeface: where its files are, and which file is which weight. Names are unique."""

    name: str
    kind: FontKind
    regular: str
    bold: str
    italic: str
    """Paths, in the package's folder if there is one."""
    licence: str
    distribution: str = ""
    """The wheel it comes with; "" if it was found on this machine."""
    package: str = ""
    folder: str = ""
    index: int = 0
    """Which face of a collection file."""
    fallback: tuple["Family", ...] = ()
    """Where characters are looked for that this typeface lacks."""

    def __hash__(self) -> int:
        return hash(self.name)

    def file(self, style: str) -> Path:
        """Return the path of `regular`, `bold` or `italic`. Raises: MissingDependency."""
        name = {"regular": self.regular, "bold": self.bold, "italic": self.italic}[style]
        path = package_folder(self.package) / self.folder / name if self.package else Path(name)
        if not path.is_file():
            raise MissingDependency(f"{path}: font file is missing; pip install 'diptych[datagen]'")
        return path

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of its styles, each once."""
        return tuple(dict.fromkeys(map(self.file, ("regular", "bold", "italic"))))

    def covers(self, text: str) -> bool:
        """Return whether its regular style has a glyph for every character."""
        return characters(str(self.file("regular")), self.index).issuperset(map(ord, text))


_DEJAVU = "mpl-data/fonts/ttf"
_VERA = "Bitstream Vera and public domain"
_OFL = "OFL-1.1"

_BARE = {
    family.name: family
    for family in (
        Family(
            name="roboto",
            kind="sans",
            package="font_roboto",
            distribution="font-roboto",
            folder="files",
            regular="Roboto-Regular.ttf",
            bold="Roboto-Medium.ttf",
            italic="Roboto-Italic.ttf",
            licence="Apache-2.0",
        ),
        Family(
            name="source-sans",
            kind="sans",
            package="font_source_sans_pro",
            distribution="font-source-sans-pro",
            folder="files",
            regular="SourceSansPro-Regular.ttf",
            bold="SourceSansPro-Semibold.ttf",
            italic="SourceSansPro-It.ttf",
            licence=_OFL,
        ),
        Family(
            name="source-serif",
            kind="serif",
            package="font_source_serif_pro",
            distribution="font-source-serif-pro",
            folder="files",
            regular="SourceSerifPro-Regular.ttf",
            bold="SourceSerifPro-Bold.ttf",
            italic="SourceSerifPro-It.ttf",
            licence=_OFL,
        ),
        Family(
            name="dejavu-sans",
            kind="sans",
            package="matplotlib",
            distribution="matplotlib",
            folder=_DEJAVU,
            regular="DejaVuSans.ttf",
            bold="DejaVuSans-Bold.ttf",
            italic="DejaVuSans-Oblique.ttf",
            licence=_VERA,
        ),
        Family(
            name="dejavu-serif",
            kind="serif",
            package="matplotlib",
            distribution="matplotlib",
            folder=_DEJAVU,
            regular="DejaVuSerif.ttf",
            bold="DejaVuSerif-Bold.ttf",
            italic="DejaVuSerif-Italic.ttf",
            licence=_VERA,
        ),
        Family(
            name="dejavu-mono",
            kind="mono",
            package="matplotlib",
            distribution="matplotlib",
            folder=_DEJAVU,
            regular="DejaVuSansMono.ttf",
            bold="DejaVuSansMono-Bold.ttf",
            italic="DejaVuSansMono-Oblique.ttf",
            licence=_VERA,
        ),
    )
}

FAMILIES: Mapping[str, Family] = {
    family.name: replace(
        family, fallback=tuple(_BARE[f"dejavu-{kind}"] for kind in dict.fromkeys((family.kind, "sans", "mono")))
    )
    for family in _BARE.values()
}
"""The built-in typefaces by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typefaces:
    """What a screen's text can be set in."""

    families: tuple[Family, ...]

    def of_kind(self, kind: FontKind) -> tuple[Family, ...]:
        """Return the typefaces of one kind that hold Latin letters, built-in ones first."""
        return tuple(
            family for family in self.families if family.kind == kind and (family.package or _is_latin(family))
        )

    def covers(self, text: str) -> bool:
        """Return whether some typeface has each character of `text`."""
        return all(any(family.covers(char) for family in self.families) for char in text)


BUILT_IN = Typefaces(families=tuple(FAMILIES.values()))


@dataclass(frozen=True, kw_only=True, eq=False)
class Font:
    """A typeface at a size; `face` draws it. Of one kind there is one, which `font` returns."""

    # No slots: what is asked for with every line of text is held in the font itself. Compared by identity, since it is
    # looked up for each of them.

    family: Family
    style: str
    size: int
    """Em size in pixels."""

    @property
    def face(self) -> ImageFont.FreeTypeFont:
        # Not held in the font: an open face takes far more memory than the measures that were taken with it.
        return _face(self)

    def width(self, text: str) -> int:
        """Return the advance width of `text` in pixels."""
        return sum(map(self._advances.__getitem__, visual_order(text)))

    @cached_property
    def ascent(self) -> int:
        """Pixels from the top of a line to the baseline."""
        return self.face.getmetrics()[0]

    @cached_property
    def height(self) -> int:
        """Pixels from the highest ascender to the lowest descender."""
        return sum(self.face.getmetrics())

    def holding(self, char: str) -> "Font | None":
        """Return this font or the first fallback that has a glyph for `char`, at the same size; None if none has."""
        for family in (self.family, *self.family.fallback):
            if ord(char) in _characters_of(family, self.style):
                return font(family, self.size, self.style)
        return None

    @cached_property
    def _advances(self) -> "_Advances":
        return _Advances(self)


def font(family: str | Family, size: int, style: str = "regular") -> Font:
    """Return a font; the short form for layouts. A `str` names a built-in typeface."""
    return _font(FAMILIES[family] if isinstance(family, str) else family, size, style)


def advance(face: Font, char: str) -> int:
    """Return how far a character moves the pen, in whole pixels; 0 if no typeface has it."""
    held = face.holding(char)
    if held is None:
        return 0
    if held.family.kind == "emoji":
        strike = font(held.family, EMOJI_STRIKE, held.style)
        return round(strike.face.getlength(char) * face.size / EMOJI_STRIKE)
    return round(held.face.getlength(char))


def font_sources(families: Sequence[Family] = BUILT_IN.families) -> list[Source]:
    """Return every font file with its digest and licence. Fonts are shared by all splits."""
    return [
        Source(
            kind="font",
            name=path.name,
            sha256=sha256_file(path),
            licence=family.licence,
            origin=_origin(family.distribution) if family.distribution else "this machine",
        )
        for family in families
        for path in family.files
    ]


@lru_cache(maxsize=1024)
def characters(path: str, index: int) -> frozenset[int]:
    """Return the code points that a font file has glyphs for."""
    # Imported here: only corpora that are drawn need it.
    from fontTools.ttLib import TTFont

    with TTFont(path, fontNumber=index, lazy=True) as file:
        return frozenset(file.getBestCmap() or ())


@lru_cache(maxsize=16)
def package_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it. Raises: MissingDependency."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency(f"{package} is not installed; pip install 'diptych[datagen]'")
    return Path(next(iter(spec.submodule_search_locations)))


class _Advances(dict[str, int]):
    """The advance of each character of a font, measured when it is first asked for."""

    def __init__(self, face: Font) -> None:
        super().__init__()
        self._font = face

    def __missing__(self, char: str) -> int:
        self[char] = advance(self._font, char)
        return self[char]


@lru_cache(maxsize=8192)
def _font(family: Family, size: int, style: str) -> Font:
    return Font(family=family, style=style, size=size)


@lru_cache(maxsize=256)
def _characters_of(family: Family, style: str) -> frozenset[int]:
    return characters(str(family.file(style)), family.index)


@lru_cache(maxsize=512)
def _face(face: Font) -> ImageFont.FreeTypeFont:
    # Basic layout: Raqm is not in every build of Pillow, and the same seed has to give the same pixels.
    path = str(face.family.file(face.style))
    return ImageFont.truetype(path, face.size, index=face.family.index, layout_engine=ImageFont.Layout.BASIC)


def _is_latin(family: Family) -> bool:
    return family.covers("AZaz09.,")


@lru_cache(maxsize=8)
def _origin(distribution: str) -> str:
    return f"{distribution} {importlib.metadata.version(distribution)}"
