"""Region maps: which pixels form one object, of no particular class.

Engines: `layout` (the boxes that the scene drew; exact), `felzenszwalb` (graph-based segmentation, any picture),
`sam` (Segment Anything, the user's checkpoint), `none`. Overlapping masks become one map with the smaller on top.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datagen.canvas import Region
from datagen.config import MasksConfig
from datagen.geometry import box
from datagen.survey_kernels import in_sight
from pipeline.formats.picture import Pixels

MAX_REGIONS = 0xFFFF
_MIN_SAM_AREA = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionMap:
    """A region map and how it was made."""

    regions: NDArray[np.uint16]
    """(H, W), ids dense from 1, 0 = none."""
    how_masked: str


def make_regions(config: MasksConfig, picture: Pixels, drawn: Sequence[Region] | None) -> RegionMap:
    """Return the region map of a picture (H, W, 3); `drawn` are the layout's regions, None for a captured screen.

    Raises: CheckpointError, UsageError: the sam engine cannot start.
    """
    engine = _resolve(config, drawn)
    height, width = picture.shape[:2]
    if engine == "none" or (engine == "layout" and drawn is None):
        return RegionMap(regions=np.zeros((height, width), dtype=np.uint16), how_masked="none")
    if engine == "layout":
        return RegionMap(regions=flatten(drawn or (), height, width), how_masked="layout")
    if engine == "felzenszwalb":
        return _felzenszwalb(config, picture)
    # Imported here: torch takes seconds to load and only this engine needs it.
    from datagen.sam import segment

    masks, how_masked = segment(config, picture)
    whole = box(0, 0, width, height)
    regions = [Region(area=whole, mask=mask) for mask in masks if mask.sum() >= _MIN_SAM_AREA]
    return RegionMap(regions=flatten(regions, height, width), how_masked=how_masked)


def flatten(regions: Sequence[Region], height: int, width: int) -> NDArray[np.uint16]:
    """Paint overlapping regions into one map (H, W), large ones first; equal sizes keep their order.

    Regions that end up hidden get no id; ids are dense from 1. At most 65535 are kept; the smallest go first.
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
    visible = [regions[index] for index, is_seen in zip(order, seen, strict=True) if is_seen]
    return painted if len(visible) == len(order) else _painted(visible, height, width)


def _painted(regions: Sequence[Region], height: int, width: int) -> NDArray[np.uint16]:
    painted = np.zeros((height, width), dtype=np.uint16)
    for place, region in enumerate(regions, start=1):
        view = painted[region.area.y : region.area.bottom, region.area.x : region.area.right]
        if region.mask is None:
            view[:] = place
        else:
            np.copyto(view, place, where=region.mask, casting="unsafe")
    return painted


def _resolve(config: MasksConfig, drawn: Sequence[Region] | None) -> str:
    if config.engine != "auto":
        return config.engine
    if config.sam_checkpoint is not None:
        return "sam"
    return "felzenszwalb" if drawn is None else "layout"


def _felzenszwalb(config: MasksConfig, picture: Pixels) -> RegionMap:
    # Imported here: scikit-image takes half a second to load and only this engine needs it.
    from skimage.segmentation import felzenszwalb

    height, width = picture.shape[:2]
    small = np.asarray(Image.fromarray(picture).reduce(config.downscale)) if config.downscale > 1 else picture
    segments = felzenszwalb(
        small,
        scale=config.felzenszwalb_scale,
        sigma=config.felzenszwalb_sigma,
        min_size=config.felzenszwalb_min_size,
    )
    ids = np.minimum(segments + 1, MAX_REGIONS).astype(np.uint16)
    enlarged = ids.repeat(config.downscale, axis=0).repeat(config.downscale, axis=1)[:height, :width]
    how_masked = (
        f"felzenszwalb scale={config.felzenszwalb_scale:g} sigma={config.felzenszwalb_sigma:g} "
        f"min_size={config.felzenszwalb_min_size} downscale={config.downscale}"
    )
    return RegionMap(regions=_dense(enlarged), how_masked=how_masked)


def _dense(ids: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Renumber to 1, 2, ... in the order of the old ids; 0 stays 0."""
    present = np.bincount(ids.reshape(-1), minlength=1) > 0
    present[0] = False
    table = np.where(present, np.cumsum(present), 0).astype(np.uint16)
    return table[ids]
