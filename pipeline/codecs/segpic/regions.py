"""Regions as one number a position, over a whole batch: means of features, and means back to positions.

No loop over pictures or regions and no one-hot maps: a segment sum, and a gather.

Shapes: N batch, C channels, h, w rows and columns of the features, R regions of the whole batch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_MAX_ID = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """A partition of every picture of a batch."""

    index_Nhw: Tensor
    """(N, h, w) int64 in 0 .. num_regions - 1; no two pictures share a region, and none is empty."""
    num_regions: int

    def means(self, features_NChw: Tensor) -> Tensor:
        """Return the mean of the features over each region, (R, C)."""
        sums = self.sums(features_NChw)
        return sums / self.areas().to(sums)[:, None]

    def sums(self, features_NChw: Tensor) -> Tensor:
        """Return the sum of the features over each region, (R, C)."""
        rows = features_NChw.permute(0, 2, 3, 1).flatten(0, 2)
        return rows.new_zeros(self.num_regions, rows.shape[1]).index_add(0, self.index_Nhw.flatten(), rows)

    def areas(self) -> Tensor:
        """Return how many positions each region has, (R,)."""
        return torch.bincount(self.index_Nhw.flatten(), minlength=self.num_regions)

    def expand(self, values_RC: Tensor) -> Tensor:
        """Return each position's region's value, (N, C, h, w)."""
        rows = values_RC.index_select(0, self.index_Nhw.flatten())
        return rows.view(*self.index_Nhw.shape, -1).permute(0, 3, 1, 2)


def from_ids(ids_Nhw: Tensor) -> Regions:
    """Return the regions of region ids (0 .. 65535, of each picture its own); ids that do not occur cost nothing."""
    pictures = torch.arange(len(ids_Nhw), device=ids_Nhw.device).view(-1, 1, 1)
    unique, index = torch.unique(pictures * _MAX_ID + ids_Nhw.long(), return_inverse=True)
    return Regions(index_Nhw=index, num_regions=len(unique))


def grid_ids(size: tuple[int, int], grid: int) -> Tensor:
    """Return (h, w): the number of each position's cell in a grid of at most grid x grid cells, row by row.

    Cells are as equal as can be; a side shorter than the grid has as many cells as positions.
    """
    rows, columns = (torch.arange(side) * min(grid, side) // side for side in size)
    return rows[:, None] * min(grid, size[1]) + columns


def num_cells(size: tuple[int, int], grid: int) -> int:
    """Return how many cells `grid_ids` has."""
    return min(grid, size[0]) * min(grid, size[1])


def from_grid(size: tuple[int, int], grid: int, *, device: torch.device, num_pictures: int = 1) -> Regions:
    """Return the grid's cells as regions, for each picture of a batch."""
    cells = num_cells(size, grid)
    ids = grid_ids(size, grid).to(device)
    offsets = torch.arange(num_pictures, device=device).view(-1, 1, 1) * cells
    return Regions(index_Nhw=ids + offsets, num_regions=num_pictures * cells)
