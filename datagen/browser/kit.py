"""What a page scene builds from: the sample's look, words, photographs and small ready-made parts."""

import html
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from PIL import Image

from datagen.browser import icons
from datagen.browser.interface_words import translate
from datagen.browser.page import Resource
from datagen.browser.themes import SERIES, Look
from datagen.fonts import FAMILIES
from datagen.materials import Materials
from datagen.texts import TextBank
from pipeline.base.store import sha256_hex
from pipeline.formats.picture import Pixels

T = TypeVar("T")

_WEB_FONTS = {"Roboto": "roboto", "Source Sans Pro": "source-sans", "Source Serif Pro": "source-serif"}
_MAX_PHOTO_SIDE = 2400
"""Larger photographs are stored at this size and enlarged by the page: sites do not send more."""
_DENSITIES = (0.7, 1.0, 1.0, 1.0, 1.3, 2.0)
"""Stored pixels a shown pixel: pages show photographs enlarged, as they are, or reduced."""
_FORMATS = (("jpg", "image/jpeg", 0.75), ("webp", "image/webp", 0.15), ("png", "image/png", 0.10))


@dataclass(slots=True, kw_only=True)
class Kit:
    """The parts of one page. Sizes are CSS pixels."""

    look: Look
    materials: Materials
    rng: np.random.Generator
    width: int
    height: int
    scale: float
    """Device pixels a CSS pixel."""
    language: str
    """Of the words, such as `en`, `ru`, `ar`."""
    files: dict[str, Resource] = field(default_factory=dict)

    @property
    def text(self) -> TextBank:
        """Words of the sample's split."""
        return self.materials.text

    @property
    def narrow(self) -> bool:
        """Whether this is a telephone's window."""
        return self.width < 640

    def ui(self, english: str) -> str:
        """Return an interface label in the page's language."""
        return esc(translate(english, self.language))

    def maybe(self, share: float) -> bool:
        """Return True with a probability of `share`."""
        return bool(self.rng.random() < share)

    def pick(self, items: Sequence[T]) -> T:
        """Return one of `items`."""
        return items[int(self.rng.integers(len(items)))]

    def number(self, low: int, high: int) -> int:
        """Return an integer in [low, high)."""
        return int(self.rng.integers(low, high))

    def words(self, num_words: int = 2) -> str:
        """Return a short title as HTML."""
        return esc(self.text.label(num_words))

    def headline(self) -> str:
        return esc(self.text.headline())

    def sentence(self) -> str:
        return esc(self.text.sentence())

    def paragraph(self, num_sentences: int) -> str:
        return esc(self.text.paragraph(num_sentences))

    def name(self) -> str:
        return esc(self.text.full_name())

    def count(self) -> str:
        """Return a number of likes, views or the like: `248`, `3.1K`, `1.2M`."""
        value = int(10 ** self.rng.uniform(0.6, 6.3))
        if value >= 1_000_000:
            return f"{value / 1e6:.1f}M"
        return f"{value / 1e3:.1f}K" if value >= 1000 else str(value)

    def price(self) -> str:
        currency = self.pick(("€", "$", "£"))
        return f"{currency}{self.number(3, 900)}{self.pick(('.99', '.00', '.50', '.49'))}"

    def colour(self) -> str:
        """Return one of the series colours."""
        return self.pick(SERIES)

    def icon(self, name: str, size: float = 20, *, filled: bool = False) -> str:
        return icons.icon(name, size, filled=filled)

    def photo(self, width: float, height: float) -> str:
        """Return the address of a photograph made for a box of the given size."""
        density = self.pick(_DENSITIES) * self.scale
        density = min(density, _MAX_PHOTO_SIDE / max(width, height))
        return self._store(self.materials.photo(max(8, round(width * density)), max(8, round(height * density))))

    def img(self, width: float, height: float, *, style: str = "", css: str = "cover") -> str:
        """Return an `<img>` of a photograph made for a box of the given size; CSS decides how it is shown."""
        return f'<img class="{css}" src="{self.photo(width, height)}" alt="" style="{style}">'

    def avatar(self, name: str, size: int) -> str:
        """Return the round picture of a person (`name` as HTML), or the initials."""
        pixels = self.materials.portrait(name, max(8, round(size * self.scale * 1.5)))
        style = f"width:{size}px;height:{size}px;font-size:{size * 0.4:.0f}px"
        if pixels is not None:
            return f'<span class="avatar" style="{style}"><img class="cover" src="{self._store(pixels)}" alt=""></span>'
        initials = "".join(part[0] for part in name.split()[:2] if part[0] != "&")
        colour = SERIES[sum(map(ord, name)) % len(SERIES)]
        return f'<span class="avatar" style="{style};background:{colour}">{initials}</span>'

    def logo(self, size: float = 26) -> str:
        """Return a made-up mark."""
        kind = self.number(0, 4)
        a, b = "var(--accent)", "var(--second)"
        shapes = (
            f'<rect width="24" height="24" rx="7" fill="{a}"/><circle cx="12" cy="12" r="5.5" fill="{b}"/>',
            f'<circle cx="9" cy="12" r="8" fill="{a}"/><circle cx="16" cy="12" r="7" fill="{b}" opacity=".75"/>',
            f'<path d="M12 1l11 21H1z" fill="{a}"/><path d="M12 10l6 12H6z" fill="{b}"/>',
            (
                f'<rect x="1" y="1" width="10" height="22" rx="3" fill="{a}"/><rect x="13" y="8" width="10"'
                f' height="15" rx="3" fill="{b}"/>'
            ),
        )
        return f'<svg width="{size:g}" height="{size:g}" viewBox="0 0 24 24" style="flex:none">{shapes[kind]}</svg>'

    def stars(self, size: float = 14) -> str:
        """Return a rating out of five."""
        full = self.number(2, 6)
        return (
            '<span class="row" style="color:#f5a623;gap:1px">'
            + "".join(self.icon("star", size, filled=index < full) for index in range(5))
            + "</span>"
        )

    def web_fonts(self) -> str:
        """Return the `@font-face` rules of the typefaces that come with Diptych, if the look uses them."""
        rules = []
        for face, family in _WEB_FONTS.items():
            if face not in self.look.sans + self.look.serif:
                continue
            for style, weight in (("regular", 400), ("bold", 700)):
                path = f"font/{family}-{style}.ttf"
                self.files[path] = Resource(data=FAMILIES[family].file(style).read_bytes(), content_type="font/ttf")
                rules.append(f"@font-face{{font-family:'{face}';font-weight:{weight};src:url({path})}}")
        return "".join(rules)

    def _store(self, pixels: Pixels) -> str:
        kind = int(self.rng.choice(len(_FORMATS), p=[share for _, _, share in _FORMATS]))
        ending, content_type, _ = _FORMATS[kind]
        data = _encode(pixels, ending, quality=self.number(62, 95))
        path = f"photo/{sha256_hex(data)[:16]}.{ending}"
        height, width = pixels.shape[:2]
        self.files[path] = Resource(data=data, content_type=content_type, photo_size=(width, height))
        return path


def esc(text: str) -> str:
    """Return text as HTML."""
    return html.escape(text)


def repeat(make: Sequence[str]) -> str:
    """Return HTML parts as one."""
    return "".join(make)


def language_of(text: str) -> str:
    """Return the language of a text's script: `en` for Latin, else `ru`, `el`, `ar`, `ja`, `ko` or `zh`."""
    names = {
        "CYRILLIC": "ru",
        "GREEK": "el",
        "ARABIC": "ar",
        "HIRAGANA": "ja",
        "KATAKANA": "ja",
        "HANGUL": "ko",
        "CJK": "zh",
    }
    found = {names.get(unicodedata.name(char, "?").split()[0]) for char in text}
    # Japanese mixes kana with the characters that Chinese is written in alone.
    return next((language for language in ("ja", "ko", "zh", "ar", "ru", "el") if language in found), "en")


def _encode(pixels: Pixels, ending: str, *, quality: int) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    if ending == "png":
        image.save(buffer, format="PNG", compress_level=1)
    elif ending == "webp":
        image.save(buffer, format="WEBP", quality=quality, method=2)
    else:
        image.save(buffer, format="JPEG", quality=quality)
    return buffer.getvalue()
