"""The fonts that text is set in: Roboto, Source Sans, Source Serif and DejaVu, from the wheels that carry them."""

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from pipeline.base.errors import MissingDependency
from pipeline.base.store import sha256_file
from pipeline.formats.sample import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One typeface: where its files are, and which file is which weight."""

    name: str
    package: str
    distribution: str
    folder: str
    regular: str
    bold: str
    italic: str
    licence: str

    def file(self, style: str) -> Path:
        """Return the path of `regular`, `bold` or `italic`. Raises: MissingDependency."""
        name = {"regular": self.regular, "bold": self.bold, "italic": self.italic}[style]
        path = package_folder(self.package) / self.folder / name
        if not path.is_file():
            raise MissingDependency(f"{path}: font file is missing; pip install 'diptych[datagen]'")
        return path


_DEJAVU = "mpl-data/fonts/ttf"
_VERA = "Bitstream Vera and public domain"
_OFL = "OFL-1.1"

FAMILIES = {
    family.name: family
    for family in (
        Family(
            name="roboto",
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

SANS = ("roboto", "source-sans", "dejavu-sans")
SERIF = ("source-serif", "dejavu-serif")
MONO = "dejavu-mono"


@dataclass(frozen=True, slots=True, kw_only=True)
class Font:
    """A typeface at a size; `face` draws it."""

    family: str
    style: str
    size: int
    """Em size in pixels."""

    @property
    def face(self) -> ImageFont.FreeTypeFont:
        return _face(self.family, self.style, self.size)

    def width(self, text: str) -> int:
        """Return the advance width of `text` in pixels, rounded up."""
        return -int(-self.face.getlength(text) // 1)

    @property
    def ascent(self) -> int:
        """Pixels from the top of a line to the baseline."""
        return self.face.getmetrics()[0]

    @property
    def height(self) -> int:
        """Pixels from the highest ascender to the lowest descender."""
        return sum(self.face.getmetrics())


def font(family: str, size: int, style: str = "regular") -> Font:
    """Return a font; the short form for layouts."""
    return Font(family=family, style=style, size=size)


def font_sources() -> list[Source]:
    """Return every font file with its digest and licence. Fonts are shared by all splits."""
    return [
        Source(
            kind="font",
            name=path.name,
            sha256=sha256_file(path),
            licence=family.licence,
            origin=f"{family.distribution} {importlib.metadata.version(family.distribution)}",
        )
        for family in FAMILIES.values()
        for path in map(family.file, ("regular", "bold", "italic"))
    ]


def package_folder(package: str) -> Path:
    """Return the folder of an installed package without importing it. Raises: MissingDependency."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency(f"{package} is not installed; pip install 'diptych[datagen]'")
    return Path(next(iter(spec.submodule_search_locations)))


@lru_cache(maxsize=256)
def _face(family: str, style: str, size: int) -> ImageFont.FreeTypeFont:
    # Basic layout: Raqm is not in every build of Pillow, and the same seed has to give the same pixels.
    path = FAMILIES[family].file(style)
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
