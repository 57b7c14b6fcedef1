"""What the page's own boxes say: a second opinion on the labels, and the regions of the layout."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.browser.scripts import script
from datagen.browser.tab import Tab
from datagen.canvas import Region
from datagen.geometry import Box, box
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC

Corners = tuple[float, float, float, float]
"""Radii: top left, top right, bottom right, bottom left."""

_MIN_REGION = 4
"""Smallest side of a region, in device pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounded:
    """A rectangle with rounded corners, in device pixels."""

    x: float
    y: float
    width: float
    height: float
    radii: Corners = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that a page paints; `survey.js` says what the kinds are."""

    kind: str
    shape: Rounded
    seen: Box
    """What ancestors and window leave of it."""
    clips: tuple[Rounded, ...]
    region: bool
    num_letters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Intersection over union of two label maps by class, where neither ignores; 1 where both lack the class."""

    natural: float
    synthetic: float
    compared: float
    """Share of the pixels that were compared."""


def survey(tab: Tab, photos: Sequence[str], unknown: Sequence[str] = ()) -> list[Item]:
    """Return what the tab shows, in the order of painting.

    `photos` are the addresses of the photographs, `unknown` those of pictures that may be photographs.
    """
    scale = tab.window.scale
    found = tab.evaluate(script("survey.js"), {"photos": list(photos), "unknown": list(unknown)})
    return [_item(item, scale) for item in found]


def label_from_boxes(items: Sequence[Item], width: int, height: int) -> NDArray[np.uint8]:
    """Paint the boxes one over another, (height, width); text and see-through things on a photograph are IGNORE."""
    label = np.full((height, width), SYNTHETIC, dtype=np.uint8)
    for item in items:
        area = item.seen.intersection(box(0, 0, width, height))
        if item.kind == "object" or area.width == 0 or area.height == 0:
            continue
        inside = _mask(item, area)
        view = label[area.y : area.bottom, area.x : area.right]
        if item.kind in ("photo", "cover"):
            view[inside] = NATURAL if item.kind == "photo" else SYNTHETIC
        elif item.kind in ("blended", "unknown"):
            view[inside] = IGNORE
        else:
            view[inside & (view == NATURAL)] = IGNORE
    return label


def unknown_area(items: Sequence[Item], width: int, height: int) -> NDArray[np.bool_]:
    """Return where pictures of unknown kind are on top, (height, width)."""
    area = np.zeros((height, width), dtype=np.bool_)
    if not any(item.kind == "unknown" for item in items):
        return area
    for item in items:
        seen = item.seen.intersection(box(0, 0, width, height))
        if item.kind in ("photo", "cover", "unknown") and seen.width and seen.height:
            area[seen.y : seen.bottom, seen.x : seen.right][_mask(item, seen)] = item.kind == "unknown"
    return area


def regions_of(items: Sequence[Item], width: int, height: int) -> list[Region]:
    """Return the objects of the layout, those painted later last."""
    found = []
    for item in items:
        area = item.seen.intersection(box(0, 0, width, height))
        if item.region and min(area.width, area.height) >= _MIN_REGION:
            plain = not any(item.shape.radii) and not item.clips
            found.append(Region(area=area, mask=None if plain else _mask(item, area)))
    return found


def agreement(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Agreement:
    """Compare two label maps of one size."""
    known = (first != IGNORE) & (second != IGNORE)
    return Agreement(
        natural=_iou(first, second, NATURAL, known),
        synthetic=_iou(first, second, SYNTHETIC, known),
        compared=float(known.mean()),
    )


def _iou(first: NDArray[np.uint8], second: NDArray[np.uint8], value: int, known: NDArray[np.bool_]) -> float:
    one, other = (first == value) & known, (second == value) & known
    union = int(np.count_nonzero(one | other))
    return float(np.count_nonzero(one & other) / union) if union else 1.0


def _item(found: dict[str, Any], scale: float) -> Item:
    x, y, width, height = (float(value) * scale for value in found["seen"])
    left, top = round(x), round(y)
    return Item(
        kind=str(found["kind"]),
        shape=_rounded([*found["box"], *found["radius"]], scale),
        seen=box(left, top, round(x + width) - left, round(y + height) - top),
        clips=tuple(_rounded(clip, scale) for clip in found["clips"]),
        region=bool(found["region"]),
        num_letters=int(found["letters"]),
    )


def _rounded(values: Sequence[float], scale: float) -> Rounded:
    x, y, width, height, *radii = (float(value) * scale for value in values)
    return Rounded(x=x, y=y, width=width, height=height, radii=(radii[0], radii[1], radii[2], radii[3]))


def _mask(item: Item, area: Box) -> NDArray[np.bool_]:
    inside = np.ones((area.height, area.width), dtype=np.bool_)
    for shape in (item.shape, *item.clips):
        _cut_corners(inside, area, shape)
    return inside


def _cut_corners(inside: NDArray[np.bool_], area: Box, shape: Rounded) -> None:
    """Clear the pixels of `area` whose centres lie outside the shape's rounded corners."""
    right, bottom = shape.x + shape.width, shape.y + shape.height
    for index, radius in enumerate(shape.radii):
        if radius < 0.5:
            continue
        at_right, at_bottom = index in (1, 2), index in (2, 3)
        centre_x = right - radius if at_right else shape.x + radius
        centre_y = bottom - radius if at_bottom else shape.y + radius
        x = np.arange(area.width) + area.x + 0.5 - centre_x
        y = np.arange(area.height) + area.y + 0.5 - centre_y
        columns = np.flatnonzero(x > 0 if at_right else x < 0)
        rows = np.flatnonzero(y > 0 if at_bottom else y < 0)
        if columns.size and rows.size:
            outside = y[rows, None] ** 2 + x[None, columns] ** 2 > radius**2
            inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] &= ~outside
