"""Transforms of pictures of any size in bounded memory: overlapping tiles whose overlap covers all that a layer sees.

A position of y depends on less than 192 picture rows and columns around it, except through two means over the whole
picture: the prototypes and the RATs' channel attention. Those are summed over the tiles first, so a picture costs as
many passes over its tiles as it has such means, and the tiles' results are those of the whole picture.

Shapes: H, W picture, multiples of 64; C channels; R regions.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from pipeline.codecs.segpic.rat import RegionAdaptiveTransform
from pipeline.codecs.segpic.regions import Regions

STEP = 64
"""Tiles begin and end at multiples of this, so that attention windows lie as in the whole picture."""
HALO = 192
_CACHE_BYTES = 400 << 20
"""Of features at 1/4 that are kept from one pass to the next; of two functions at a time."""
MAX_TILE_PIXELS = 2_200_000
"""A picture up to here is one tile: 1920x1080 padded, say."""
_INNER = 1088

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """What is computed (outer) and what of it counts (inner): rows and columns of the picture."""

    outer: tuple[slice, slice]
    inner: tuple[slice, slice]

    def take(self, whole: Tensor, reduction: int) -> Tensor:
        """Return the outer part of (..., H / reduction, W / reduction)."""
        rows, columns = self.outer
        return whole[..., _reduced(rows, reduction), _reduced(columns, reduction)]

    def crop(self, part: Tensor, reduction: int) -> Tensor:
        """Return the inner part of what was computed from the outer one."""
        rows, columns = (
            slice((inner.start - outer.start) // reduction, (inner.stop - outer.start) // reduction)
            for inner, outer in zip(self.inner, self.outer, strict=True)
        )
        return part[..., rows, columns]

    def put(self, whole: Tensor, part: Tensor, reduction: int) -> None:
        """Write the inner part of `part`, which was computed from the outer one, to its place."""
        rows, columns = self.inner
        whole[..., _reduced(rows, reduction), _reduced(columns, reduction)] = self.crop(part, reduction)

    def regions(self, whole: Regions, reduction: int, *, inner: bool = False) -> Regions:
        """Return the regions of the outer (or inner) part, numbered as in the whole picture."""
        rows, columns = self.inner if inner else self.outer
        index = whole.index_Nhw[:, _reduced(rows, reduction), _reduced(columns, reduction)]
        return Regions(index_Nhw=index, num_regions=whole.num_regions)


def tiles(height: int, width: int, *, max_pixels: int = MAX_TILE_PIXELS, inner: int = _INNER) -> list[Tile]:
    """Return the tiles of a picture, row by row; one if it has no more than `max_pixels`."""
    if height * width <= max_pixels:
        whole = (slice(0, height), slice(0, width))
        return [Tile(outer=whole, inner=whole)]
    return [
        Tile(outer=(_widened(rows, height), _widened(columns, width)), inner=(rows, columns))
        for rows in _parts(height, inner)
        for columns in _parts(width, inner)
    ]


class Cached:
    """A function of tiles that keeps results while they take no more than _CACHE_BYTES, and computes others anew."""

    def __init__(self, function: Callable[[Tile], Tensor]) -> None:
        self._function = function
        self._held: dict[tuple[int, int], Tensor] = {}
        self._bytes_left = _CACHE_BYTES

    def __call__(self, tile: Tile) -> Tensor:
        place = tile.inner[0].start, tile.inner[1].start
        if place in self._held:
            return self._held[place]
        result = self._function(tile)
        if not self._held or result.nbytes <= self._bytes_left:
            self._held[place] = result
            self._bytes_left -= result.nbytes
        return result


def region_means(features: Callable[[Tile], Tensor], parts: list[Tile], regions: Regions, reduction: int) -> Tensor:
    """Return the mean over each region, (R, C), of the features (1, C, h, w) that a function gives for a tile."""
    total: Tensor | None = None
    for tile in parts:
        sums = tile.regions(regions, reduction, inner=True).sums(tile.crop(features(tile), reduction))
        total = sums if total is None else total + sums
    assert total is not None
    return total / regions.areas().to(total)[:, None]


def adapted(
    rat: RegionAdaptiveTransform,
    features: Callable[[Tile], Tensor],
    parts: list[Tile],
    prototypes_RC: Tensor,
    regions: Regions,
) -> Iterator[tuple[Tile, Tensor]]:
    """Give each tile's features (1, C, h, w) at 1/4 through a RAT, whose mean is over the whole picture."""
    mixed = Cached(lambda tile: rat.mix(features(tile), prototypes_RC, tile.regions(regions, 4)))
    total, count = torch.zeros(()), 0
    for tile in parts:
        inner = tile.crop(mixed(tile), 4)
        total = total.to(inner) + inner.sum(dim=(2, 3), keepdim=True)
        count += inner.shape[2] * inner.shape[3]
    for tile in parts:
        yield tile, rat.finish(features(tile), mixed(tile), total / count)


def _parts(side: int, inner: int) -> list[slice]:
    """Return a side in parts of about equal length, none longer than `inner`."""
    count = -(-side // inner)
    borders = [side * place // count // STEP * STEP for place in range(count)] + [side]
    return [slice(first, last) for first, last in itertools.pairwise(borders)]


def _widened(part: slice, side: int) -> slice:
    return slice(max(0, part.start - HALO), min(side, part.stop + HALO))


def _reduced(part: slice, reduction: int) -> slice:
    return slice(part.start // reduction, part.stop // reduction)
