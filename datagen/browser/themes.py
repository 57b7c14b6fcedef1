"""Looks of pages, as data: palettes, type, corners and shadows, chosen once a page."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of one look, as CSS."""

    dark: bool
    page: str
    surface: str
    raised: str
    line: str
    text: str
    muted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one page looks."""

    palette: Palette
    accent: str
    second: str
    on_accent: str
    sans: str
    serif: str
    radius: int
    """CSS pixels of a card's corners."""
    shadow: str
    border: str
    """Of cards."""
    base: float
    """Size of running text, CSS pixels."""

    @property
    def css(self) -> str:
        """Return the custom properties and the rules that every page starts from."""
        palette = self.palette
        series = ";".join(f"--c{index}:{colour}" for index, colour in enumerate(SERIES))
        return (
            f":root{{color-scheme:{'dark' if palette.dark else 'light'};--page:{palette.page};"
            f"--surface:{palette.surface};"
            f"--raised:{palette.raised};--line:{palette.line};--text:{palette.text};--muted:{palette.muted};"
            f"--accent:{self.accent};--second:{self.second};--on-accent:{self.on_accent};"
            f"--soft:color-mix(in srgb,{self.accent} {22 if palette.dark else 12}%,{palette.surface});"
            f"--sans:{self.sans};--serif:{self.serif};--mono:'DejaVu Sans Mono','Liberation Mono',monospace;"
            f"--r:{self.radius}px;--shadow:{self.shadow};--edge:{self.border};--base:{self.base}px;{series}}}" + _RESET
        )


_RESET = """
*,*::before,*::after{box-sizing:border-box}
html{height:100%;background:var(--page);color:var(--text);font:var(--base)/1.5 var(--sans);
 -webkit-text-size-adjust:none}
body{margin:0;min-height:100%}
h1,h2,h3,h4,p,figure,ul,ol,dl,dd,blockquote{margin:0;padding:0}
h1,h2,h3,h4{line-height:1.2;font-weight:700}
ul,ol{list-style:none}
a{color:inherit;text-decoration:none}
img,svg{display:block}
button,input{font:inherit;color:inherit}
button{border:0;background:none;padding:0}
table{border-collapse:collapse}
.card{background:var(--surface);border:var(--edge);border-radius:var(--r);box-shadow:var(--shadow)}
.row{display:flex;align-items:center}
.grow{flex:1;min-width:0}
.muted{color:var(--muted)}
.small{font-size:.86em}
.tiny{font-size:.75em}
.strong{font-weight:600}
.ellipsis{overflow:hidden;white-space:nowrap;text-overflow:ellipsis}
.clamp{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:var(--lines,2);overflow:hidden}
.cover{object-fit:cover;width:100%;height:100%}
.round{border-radius:50%}
.avatar{border-radius:50%;overflow:hidden;flex:none;display:grid;place-items:center;color:#fff;font-weight:600;
 line-height:1}
.button{display:inline-flex;align-items:center;justify-content:center;gap:.5em;background:var(--accent);
 color:var(--on-accent);
 border-radius:min(var(--r),10px);padding:.5em 1.05em;font-weight:600;white-space:nowrap}
.button.quiet{background:var(--raised);color:var(--text)}
.button.line{background:none;color:var(--accent);box-shadow:inset 0 0 0 1px var(--line)}
.chip{display:inline-flex;align-items:center;gap:.35em;background:var(--raised);border-radius:99px;padding:.25em .8em;
 font-size:.86em;white-space:nowrap}
.chip.on{background:var(--soft);color:var(--accent);font-weight:600}
.field{display:flex;align-items:center;gap:.6em;background:var(--raised);border-radius:min(var(--r),12px);
 padding:.5em .9em;
 color:var(--muted);white-space:nowrap;overflow:hidden}
"""

SERIES = ("#3b82f6", "#10b981", "#f59e0b", "#ef4444", "#8b5cf6", "#ec4899", "#06b6d4", "#84cc16")
"""Colours of avatars, categories and chart series: --c0 to --c7."""

_LIGHT = (
    ("#ffffff", "#ffffff", "#f1f3f4", "#dadce0", "#202124", "#5f6368"),
    ("#f6f7f9", "#ffffff", "#eef0f3", "#e2e5ea", "#1b1f27", "#667085"),
    ("#f5f3ef", "#fffdf9", "#efeae2", "#e0d9cd", "#2b2620", "#7a7064"),
    ("#eef2f7", "#ffffff", "#e6ebf2", "#d5dde8", "#0f1b2d", "#5b6b82"),
    ("#fafafa", "#ffffff", "#f0f0f2", "#e4e4e7", "#18181b", "#71717a"),
    ("#f3f6f3", "#ffffff", "#e8eee8", "#d6dfd7", "#1a241c", "#647267"),
)
_DARK = (
    ("#0f1115", "#181b21", "#232831", "#2d333d", "#e8eaed", "#9aa4b2"),
    ("#000000", "#16181c", "#202327", "#2f3336", "#e7e9ea", "#8b98a5"),
    ("#1e1e2e", "#262637", "#313244", "#3b3c52", "#cdd6f4", "#9399b2"),
    ("#111418", "#1c2128", "#2a313a", "#38414c", "#e6edf3", "#8d96a0"),
    ("#1b1917", "#262320", "#35312d", "#443f39", "#f2ece4", "#a79f94"),
    ("#0d1b2a", "#15263a", "#1f344c", "#2c4562", "#e5eef8", "#93a7bd"),
)
_ACCENTS = (
    ("#2563eb", "#7c3aed"),
    ("#0d9488", "#0284c7"),
    ("#db2777", "#f97316"),
    ("#7c3aed", "#db2777"),
    ("#ea580c", "#ca8a04"),
    ("#16a34a", "#0d9488"),
    ("#dc2626", "#ea580c"),
    ("#0284c7", "#4f46e5"),
    ("#4f46e5", "#06b6d4"),
    ("#b45309", "#be123c"),
    ("#111827", "#4b5563"),
)
_SANS = (
    "Roboto,'Noto Sans'",
    "'Source Sans Pro','Noto Sans'",
    "'Noto Sans'",
    "'Liberation Sans',Arimo,Arial",
    "'DejaVu Sans',Verdana",
    "'Nimbus Sans','Liberation Sans',Helvetica",
    "'URW Gothic','Noto Sans'",
    "'Noto Sans Display','Noto Sans'",
)
_SANS_SHARES = (0.22, 0.18, 0.16, 0.16, 0.1, 0.08, 0.04, 0.06)
_SERIF = (
    "'Source Serif Pro','Noto Serif'",
    "'Noto Serif'",
    "'Liberation Serif','Times New Roman'",
    "'DejaVu Serif','Noto Serif'",
    "C059,'Noto Serif'",
    "P052,Palatino,'Noto Serif'",
    "'Noto Serif Display','Noto Serif'",
)
_FALLBACK = "'Noto Sans Arabic','Noto Sans CJK JP','Noto Color Emoji',sans-serif"
_SHADOWS = (
    "none",
    "0 1px 2px rgba(0,0,0,.10),0 1px 3px rgba(0,0,0,.08)",
    "0 2px 8px rgba(0,0,0,.12)",
    "0 8px 28px rgba(0,0,0,.14)",
    "0 1px 0 rgba(0,0,0,.12)",
)
_RADII = (0, 4, 6, 8, 12, 16, 20)
_SIZES = (13, 14, 14, 15, 15, 16)


def choose_look(rng: np.random.Generator, *, dark_share: float = 0.4) -> Look:
    """Return a random look."""
    dark = bool(rng.random() < dark_share)
    table = _DARK if dark else _LIGHT
    page, surface, raised, line, text, muted = table[int(rng.integers(len(table)))]
    palette = Palette(dark=dark, page=page, surface=surface, raised=raised, line=line, text=text, muted=muted)
    accent, second = _ACCENTS[int(rng.integers(len(_ACCENTS)))]
    if dark:
        accent, second = (f"color-mix(in srgb,{colour} 72%,white)" for colour in (accent, second))
    shadow = _SHADOWS[int(rng.integers(len(_SHADOWS)))]
    bordered = shadow == "none" or rng.random() < 0.4 or (dark and page == surface)
    return Look(
        palette=palette,
        accent=accent,
        second=second,
        on_accent="#0d1117" if dark else "#ffffff",
        sans=f"{_SANS[int(rng.choice(len(_SANS), p=_SANS_SHARES))]},{_FALLBACK}",
        serif=f"{_SERIF[int(rng.integers(len(_SERIF)))]},{_FALLBACK}",
        radius=int(rng.choice(_RADII)),
        shadow=shadow,
        border="1px solid var(--line)" if bordered else "0",
        base=float(rng.choice(_SIZES)),
    )
