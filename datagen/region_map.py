"""From overlapping regions to one map: which region each pixel belongs to.

Smaller regions lie on top. Ids are dense from 1; 0 = none. Integers only, so the same regions give the same map.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.canvas import Region
from datagen.opencv import opencv
from datagen.survey_kernels import in_sight

MAX_REGIONS = 0xFFFF

Ids = NDArray[np.uint16]


def flatten(regions: Sequence[Region], height: int, width: int) -> tuple[Ids, list[int]]:
    """Paint overlapping regions into one map (H, W), large ones first; equal sizes keep their order.

    Returns the map and which of `regions` each of its ids 1, 2, ... is. Regions that end up hidden get no id. At most
    65535 are kept; the smallest go first.
    """
    sizes = [
        region.area.width * region.area.height if region.mask is None else np.count_nonzero(region.mask)
        for region in regions
    ]
    order = sorted(range(len(regions)), key=lambda index: -sizes[index])[:MAX_REGIONS]
    painted = _painted([regions[index] for index in order], height, width)
    areas = [(area.x, area.y, area.right, area.bottom) for area in (regions[index].area for index in order)]
    seen = in_sight(painted, np.array(areas, dtype=np.int32).reshape(-1, 4))
    # Nothing that is hidden leaves a trace, so painting without it gives the same map with dense ids.
    visible = [index for index, is_seen in zip(order, seen, strict=True) if is_seen]
    if len(visible) < len(order):
        painted = _painted([regions[index] for index in visible], height, width)
    return painted, visible


def without_holes(region: Region) -> Region:
    """Return a region with everything that it encloses; what lies inside is painted over it anyway."""
    if region.mask is None:
        return region
    # A frame, so that all that is around the region hangs together, and is reached from the corner.
    around = np.pad(region.mask, 1).astype(np.uint8)
    opencv().floodFill(around, None, (0, 0), 1)
    holes = around[1:-1, 1:-1] == 0
    return Region(area=region.area, mask=region.mask | holes)


def merge_slivers(ids: Ids, min_area: int) -> Ids:
    """Return a map (H, W) in which every part of fewer than `min_area` pixels has gone to its best neighbour.

    A part is what hangs together (by sides) under one id, 0 included; its best neighbour is the part that it has the
    longest border with, of several the one that comes first in the picture. Smallest parts go first.
    """
    if min_area <= 1:
        return ids
    # Imported here: synthesized pictures have no use for it.
    from skimage.measure import label

    parts: NDArray[np.int64] = label(ids, background=-1, connectivity=1).astype(np.int64)  # type: ignore[no-untyped-call]
    areas = np.bincount(parts.ravel()).tolist()
    small = [part for part in range(1, len(areas)) if areas[part] < min_area]
    if not small or len(areas) <= 2:
        return ids
    borders = _borders(parts, small)
    home = list(range(len(areas)))
    for part in sorted(small, key=lambda part: (areas[part], part)):
        if areas[part] >= min_area or not borders[part]:
            # It has grown by what was merged into it.
            continue
        best = min(borders[part], key=lambda other: (-borders[part][other], other))
        home[part] = best
        areas[best] += areas[part]
        _unite(borders, part, best)
    for part in range(len(home)):
        while home[part] != home[home[part]]:
            home[part] = home[home[part]]
    firsts = np.zeros(len(areas), dtype=np.uint16)
    firsts[parts.ravel()[::-1]] = ids.ravel()[::-1]
    merged: Ids = firsts[np.array(home)][parts]
    return merged


def dense(ids: NDArray[Any]) -> tuple[Ids, NDArray[np.int64]]:
    """Renumber to 1, 2, ... in the order of the old ids, 0 stays 0; return the map, and the old id of each new one.

    Of more than 65535 ids the last ones become 0.
    """
    present = np.bincount(ids.reshape(-1), minlength=1) > 0
    present[0] = False
    numbers = np.cumsum(present)
    table = np.where(present & (numbers <= MAX_REGIONS), numbers, 0).astype(np.uint16)
    return table[ids], np.flatnonzero(present)[:MAX_REGIONS]


def _painted(regions: Sequence[Region], height: int, width: int) -> Ids:
    painted = np.zeros((height, width), dtype=np.uint16)
    for place, region in enumerate(regions, start=1):
        view = painted[region.area.y : region.area.bottom, region.area.x : region.area.right]
        if region.mask is None:
            view[:] = place
        else:
            np.copyto(view, place, where=region.mask, casting="unsafe")
    return painted


def _borders(parts: NDArray[np.int64], small: Sequence[int]) -> dict[int, Counter[int]]:
    """Return how many pixels' sides each part shares with each other, for the small ones and their neighbours."""
    is_small = np.zeros(int(parts.max()) + 1, dtype=np.bool_)
    is_small[small] = True
    found: dict[int, Counter[int]] = {part: Counter() for part in small}
    for one, other in ((parts[:, :-1], parts[:, 1:]), (parts[:-1], parts[1:])):
        touching = (one != other) & (is_small[one] | is_small[other])
        pairs, counts = np.unique(np.stack([one[touching], other[touching]], axis=1), axis=0, return_counts=True)
        for (first, second), count in zip(pairs.tolist(), counts.tolist(), strict=True):
            found.setdefault(first, Counter())[second] += count
            found.setdefault(second, Counter())[first] += count
    return found


def _unite(borders: dict[int, Counter[int]], part: int, best: int) -> None:
    """Give the borders of `part` to `best`."""
    for other, count in borders.pop(part).items():
        del borders[other][part]
        if other != best:
            borders[other][best] += count
            borders[best][other] += count
