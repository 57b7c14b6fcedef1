"""Typefaces on this machine: font files below a folder, or those installed, grouped into families and classified."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from datagen.fonts import BUILT_IN, FAMILIES, Family, FontKind, Typefaces, characters
from pipeline.base.errors import UsageError

SYSTEM = "system"
_SUFFIXES = frozenset({".ttf", ".otf", ".ttc", ".otc"})
_REGULAR, _BOLD, _NORMAL_WIDTH = 400, 700, 5
_TEXT_LETTERS = "AZaz09.,:;()'\u00e9\u00fc\u00f1\u00df\u2013\u201c\u20ac"
"""What a typeface has that Latin text can be set in; symbol fonts and those of a single other script have not."""
_SCRIPT_SAMPLES = ("\u0416\u044f", "\u03a3\u03c9", "\u65b0\u6771", "\u306e\u30ab", "\ud55c\uae00", "\ufeb3\ufee2")
"""Cyrillic, Greek, Chinese, Japanese, Korean, Arabic in joined forms."""
_SERIF_STYLES, _PICTORIAL = range(2, 11), range(3, 6)
_SERIF_CLASSES, _SANS_CLASS = frozenset({1, 2, 3, 4, 5, 7}), 8
_MONOSPACED = 9
_SERIF_NAMES = frozenset({"serif", "roman", "times", "bookman", "schoolbook", "palatino", "garamond", "c059", "p052"})
_BUILT_IN_FILES = frozenset(family.regular for family in FAMILIES.values())
_FAMILY_NAMES, _STYLE_NAMES, _LICENCE_NAMES = (16, 1), (17, 2), (13, 14)
_LONGEST_LICENCE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What one font file says of itself."""

    path: str
    family: str
    kind: FontKind
    weight: int
    slanted: bool
    licence: str


_held: dict[str, Typefaces] = {}
"""What another process found, by where it looked."""


def hold(where: str, found: Typefaces) -> None:
    """Take what another process of this machine found at `where`: looking through all its fonts takes seconds."""
    _held[where] = found


def typefaces(where: str | None) -> Typefaces:
    """Return the built-in typefaces and those found below the folder `where`, or installed (`system`).

    Each falls back on all others for characters that it lacks. Raises: UsageError: no folder, or no font in it.
    """
    if where is None:
        return BUILT_IN
    return _held[where] if where in _held else _typefaces(where)


@lru_cache(maxsize=4)
def _typefaces(where: str) -> Typefaces:
    found = _families(_font_files(where))
    if not found:
        raise UsageError(f"{where}: holds no font that text can be set in (fonts)")
    everything = (*FAMILIES.values(), *found)
    return Typefaces(families=tuple(_with_fallback(family, everything) for family in everything))


def _font_files(where: str) -> list[str]:
    if where == SYSTEM:
        # Imported here: matplotlib knows where each system keeps its fonts, and takes long to load.
        from matplotlib.font_manager import findSystemFonts

        return sorted({str(Path(path).resolve()) for path in findSystemFonts() if Path(path).suffix in _SUFFIXES})
    folder = Path(where)
    if not folder.is_dir():
        raise UsageError(f"{where}: no such folder (fonts)")
    return sorted(str(path) for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())


def _families(paths: Sequence[str]) -> list[Family]:
    groups: dict[str, list[_File]] = defaultdict(list)
    for path in paths:
        file = _read(path)
        if file is not None:
            groups[file.family].append(file)
    families = []
    for name, files in sorted(groups.items()):
        if all(file.slanted for file in files):
            # Handwriting, as a rule; nothing else comes without an upright style.
            continue
        family = _family(name, files)
        known = Path(family.regular).name in _BUILT_IN_FILES or "math" in name.lower().split()
        if not known and _is_useful(family):
            families.append(family)
    return families


def _family(name: str, files: Sequence[_File]) -> Family:
    upright = [file for file in files if not file.slanted]
    regular = min(upright, key=lambda file: abs(file.weight - _REGULAR))
    bold = min(upright, key=lambda file: abs(file.weight - _BOLD))
    slanted = [file for file in files if file.slanted]
    italic = min(slanted, key=lambda file: abs(file.weight - _REGULAR)) if slanted else regular
    return Family(
        name=name.lower().replace(" ", "-"),
        kind=regular.kind,
        regular=regular.path,
        bold=bold.path,
        italic=italic.path,
        licence=regular.licence,
    )


def _is_useful(family: Family) -> bool:
    if family.kind == "emoji":
        return True
    held = characters(family.regular, family.index)
    # Bold and italic files may hold fewer characters; such a family would fall back in the middle of a line.
    return any(held.issuperset(map(ord, sample)) for sample in (_TEXT_LETTERS, *_SCRIPT_SAMPLES))


def _with_fallback(family: Family, everything: Sequence[Family]) -> Family:
    """Return the family with all others to fall back on: its own kind first, colour emoji last."""
    others = [other for other in everything if other.name != family.name]
    others.sort(key=lambda other: (other.kind == "emoji", other.kind != family.kind))
    return replace(family, fallback=tuple(others))


def _read(path: str) -> _File | None:
    """Return what a file's first face says, None if it cannot be read or is no text or colour bitmap font."""
    # Imported here: only corpora with fonts of their own need it.
    from fontTools.ttLib import TTFont, TTLibError

    try:
        # Opened here, since fontTools leaves a file open that it cannot read.
        with open(path, "rb") as file, TTFont(file, fontNumber=0, lazy=True) as font:
            return _describe(path, font)
    except (TTLibError, OSError, KeyError, AssertionError):
        # Broken and foreign files lie in every system's folders; a family that is found is what counts.
        return None


def _describe(path: str, font: Any) -> _File | None:
    tables = set(font.keys())
    colour = "CBDT" in tables
    if "cmap" not in tables or not (colour or tables & {"glyf", "CFF ", "CFF2"}) or "COLR" in tables:
        return None
    names = font["name"]
    family = next(_names(names, _FAMILY_NAMES), "")
    style = next(_names(names, _STYLE_NAMES), "").lower()
    metrics = font["OS/2"] if "OS/2" in tables else None
    if not family or getattr(metrics, "usWidthClass", _NORMAL_WIDTH) != _NORMAL_WIDTH:
        return None
    if not colour and getattr(getattr(metrics, "panose", None), "bFamilyType", 0) in _PICTORIAL:
        return None
    licence = " ".join(next(_names(names, _LICENCE_NAMES), "unknown").split())
    return _File(
        path=path,
        family=family,
        kind="emoji" if colour else _kind(family, metrics, fixed="post" in tables and bool(font["post"].isFixedPitch)),
        weight=getattr(metrics, "usWeightClass", _BOLD if "bold" in style else _REGULAR),
        slanted="italic" in style or "oblique" in style,
        licence=licence[:_LONGEST_LICENCE],
    )


def _names(table: Any, ids: Sequence[int]) -> Iterator[str]:
    for number in ids:
        name = table.getDebugName(number)
        if name:
            yield str(name)


def _kind(family: str, metrics: Any, *, fixed: bool) -> FontKind:
    """Return the kind by what the file says, where it says nothing by the family's name."""
    panose = getattr(metrics, "panose", None)
    if fixed or getattr(panose, "bProportion", 0) == _MONOSPACED or "mono" in family.lower().split():
        return "mono"
    number = getattr(metrics, "sFamilyClass", 0) >> 8
    named = family.lower().split()
    if _SERIF_NAMES.intersection(named) and "sans" not in named:
        return "serif"
    if "sans" in named or number == _SANS_CLASS:
        return "sans"
    return "serif" if number in _SERIF_CLASSES or getattr(panose, "bSerifStyle", 0) in _SERIF_STYLES else "sans"
