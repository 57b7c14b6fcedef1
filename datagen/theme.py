"""Colours, type and spacing of one application, chosen once a sample and used throughout it."""

from dataclasses import dataclass

import numpy as np

from datagen.canvas import Canvas, Colour
from datagen.fonts import Family, Font, FontKind, Typefaces, font

_ACCENTS: tuple[Colour, ...] = (
    (37, 99, 235),
    (13, 148, 136),
    (219, 39, 119),
    (124, 58, 237),
    (234, 88, 12),
    (22, 163, 74),
    (220, 38, 38),
    (2, 132, 199),
    (79, 70, 229),
    (202, 138, 4),
)
_TINTS: tuple[tuple[int, int, int], ...] = ((0, 0, 0), (-2, 0, 3), (3, 1, -3), (-2, 2, 0), (1, -1, 3))
"""Shifts that make a grey scale cool, warm, green or violet."""

_FAMILY_SHARES: dict[str, dict[str, float]] = {
    "sans": {"roboto": 0.45, "source-sans": 0.4, "dejavu-sans": 0.15},
    "serif": {"source-serif": 0.75, "dejavu-serif": 0.25},
    "mono": {"dejavu-mono": 1.0},
}
_FOUND_SHARE = 0.6
"""Of the screens set in a typeface that was found, where any was."""

_ZOOMS = (0.9, 1.0, 1.0, 1.0, 1.1, 1.2)
"""People's own zoom on top of the display's scale."""

_SMALLEST_TYPE = 6
"""Em size in pixels below which no letter can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One application's look."""

    dark: bool
    page: Colour
    """Behind everything."""
    surface: Colour
    """Cards, panels, bars."""
    raised: Colour
    """Hovered rows, input fields, chips."""
    border: Colour
    text: Colour
    muted: Colour
    accent: Colour
    on_accent: Colour
    soft_accent: Colour
    """Backgrounds of selected things."""
    series: tuple[Colour, ...]
    """Colours of avatars and chart series."""
    sans: Family
    serif: Family
    mono: Family
    scale: float
    """Size of everything against 1x."""

    def px(self, size: float) -> int:
        """Return a length given at 1x, in pixels."""
        return round(size * self.scale)

    def font(self, size: float, style: str = "regular") -> Font:
        """Return the interface typeface at a 1x size."""
        return font(self.sans, max(_SMALLEST_TYPE, self.px(size)), style)

    def serif_font(self, size: float, style: str = "regular") -> Font:
        """Return the reading typeface at a 1x size."""
        return font(self.serif, max(_SMALLEST_TYPE, self.px(size)), style)

    def mono_font(self, size: float, style: str = "regular") -> Font:
        """Return the fixed-width typeface at a 1x size."""
        return font(self.mono, max(_SMALLEST_TYPE, self.px(size)), style)


def choose_theme(rng: np.random.Generator, canvas: Canvas, *, dark_share: float) -> Theme:
    """Return a random theme for a canvas, at its display's scale."""
    dark = bool(rng.random() < dark_share)
    tint = _TINTS[int(rng.integers(len(_TINTS)))]
    order = [int(index) for index in rng.permutation(len(_ACCENTS))]
    accent = _ACCENTS[order[0]]
    if dark:
        accent = mix(accent, (255, 255, 255), 0.25)
        base = int(rng.integers(16, 34))
        greys = [base, base + 8, base + 20, base + 30, 232, 158]
    else:
        base = int(rng.integers(240, 256))
        greys = [base, 255, base - 8, 222, 28, 104]
    page, surface, raised, border, text, muted = (_shift(grey, tint) for grey in greys)
    scale = canvas.display.scale * float(rng.choice(_ZOOMS))
    series = tuple(mix(_ACCENTS[index], (255, 255, 255), 0.2 if dark else 0.0) for index in order)
    return Theme(
        dark=dark,
        page=page,
        surface=surface,
        raised=raised,
        border=border,
        text=text,
        muted=muted,
        accent=accent,
        on_accent=(255, 255, 255) if luminance(accent) < 150 else (20, 20, 24),
        soft_accent=mix(surface, accent, 0.22 if dark else 0.12),
        series=series,
        sans=_choose_family(rng, canvas.display.typefaces, "sans"),
        serif=_choose_family(rng, canvas.display.typefaces, "serif"),
        mono=_choose_family(rng, canvas.display.typefaces, "mono"),
        scale=scale,
    )


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return a colour `share` of the way from `first` to `second`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def luminance(colour: Colour) -> float:
    """Return the perceived lightness of a colour, 0..255 (Rec. 601 weights)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def _choose_family(rng: np.random.Generator, typefaces: Typefaces, kind: FontKind) -> Family:
    """Return a typeface; those that were found on the machine share `_FOUND_SHARE`."""
    families = typefaces.of_kind(kind)
    built_in = [_FAMILY_SHARES[kind].get(family.name, 0.0) for family in families]
    num_found = built_in.count(0.0)
    share = _FOUND_SHARE if num_found else 0.0
    shares = [own * (1 - share) if own else share / num_found for own in built_in]
    return families[int(rng.choice(len(families), p=shares))]


def _shift(grey: int, tint: tuple[int, int, int]) -> Colour:
    red, green, blue = (min(255, max(0, grey + part)) for part in tint)
    return red, green, blue
