"""Masks as Segment Anything's generator gives them: cropped to their box, cleaned of specks, without duplicates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen.geometry import Box, box
from datagen.opencv import opencv

_CROP_MARGIN = 20
"""A mask within this many pixels of a crop's edge is cut by it, and left to the other crops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamMask:
    """One mask."""

    area: Box
    """Smallest box that holds it, in pixels of the picture."""
    mask: NDArray[np.bool_]
    """(height, width) of `area`."""
    predicted_iou: float
    """The network's own guess of its intersection over union with the true object."""
    stability: float
    """Intersection over union of the masks at a higher and a lower threshold."""

    @property
    def num_pixels(self) -> int:
        return int(np.count_nonzero(self.mask))


def cropped(mask: NDArray[np.bool_], offset: tuple[int, int], predicted_iou: float, stability: float) -> SamMask:
    """Return a mask (H, W) whose upper left corner is at `offset` (x, y), without its empty margins."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return SamMask(area=box(*offset, 0, 0), mask=mask[:0, :0], predicted_iou=predicted_iou, stability=stability)
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    return SamMask(
        area=box(offset[0] + left, offset[1] + top, right - left, bottom - top),
        mask=mask[top:bottom, left:right].copy(),
        predicted_iou=predicted_iou,
        stability=stability,
    )


def is_cut(area: Box, crop: Box, picture: Box) -> bool:
    """Return whether a box ends near an edge of its crop that is no edge of the picture."""
    edges = ((area.x, crop.x, picture.x), (area.y, crop.y, picture.y))
    # The package's boxes end at their last pixel.
    ends = ((area.right - 1, crop.right, picture.right), (area.bottom - 1, crop.bottom, picture.bottom))
    return any(
        abs(edge - cut) <= _CROP_MARGIN and abs(edge - whole) > _CROP_MARGIN for edge, cut, whole in (*edges, *ends)
    )


def without_duplicates(masks: Sequence[SamMask], scores: Sequence[float], max_iou: float) -> list[int]:
    """Return the indices of masks whose boxes overlap no better one's by more than `max_iou`, best first."""
    if not masks:
        return []
    import torch
    from torchvision.ops import nms

    corners = [(one.area.x, one.area.y, one.area.right - 1, one.area.bottom - 1) for one in masks]
    # Boxes between first and last pixels, as in the package; an empty one stands at the origin.
    boxes = torch.tensor([place if one.mask.size else (0, 0, 0, 0) for place, one in zip(corners, masks, strict=True)])
    kept: list[int] = nms(boxes.float(), torch.tensor(scores, dtype=torch.float32), max_iou).tolist()
    return kept


def without_specks(masks: Sequence[SamMask], min_area: int, max_iou: float, picture: Box) -> list[SamMask]:
    """Fill holes and remove islands of fewer than `min_area` pixels, then what has become a duplicate."""
    cleaned = [_cleaned(one, min_area, picture) for one in masks]
    unchanged = [float(one is before) for one, before in zip(cleaned, masks, strict=True)]
    return [cleaned[index] for index in without_duplicates(cleaned, unchanged, max_iou)]


def _cleaned(one: SamMask, min_area: int, picture: Box) -> SamMask:
    # What is around the box hangs together, but for sides where the picture ends.
    area = one.area
    left, top = int(area.x > picture.x), int(area.y > picture.y)
    mask = np.pad(one.mask, ((top, int(area.bottom < picture.bottom)), (left, int(area.right < picture.right))))
    filled = mask | _small(~mask, min_area, at_least_one=False)
    solid = filled & ~_small(filled, min_area, at_least_one=True)
    if np.array_equal(solid, mask):
        return one
    return cropped(solid, (area.x - left, area.y - top), one.predicted_iou, one.stability)


def _small(mask: NDArray[np.bool_], min_area: int, *, at_least_one: bool) -> NDArray[np.bool_]:
    """Return the 8-connected parts of a mask with fewer than `min_area` pixels; `at_least_one` spares the largest."""
    _, labels, stats, _ = opencv().connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sizes = stats[:, -1]
    small = sizes < min_area
    small[0] = False
    if at_least_one and len(sizes) > 1 and small[1:].all():
        small[1 + int(np.argmax(sizes[1:]))] = False
    found: NDArray[np.bool_] = small[labels]
    return found
