"""Region maps: which pixels form one object, of no particular class.

Engines: `layout` (the boxes that the scene drew; exact), `felzenszwalb` (graph-based segmentation, any picture),
`sam` (Segment Anything, the user's checkpoint), `none`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datagen.canvas import Region
from datagen.masks_config import MaskEngine, MasksConfig
from datagen.opencv import opencv
from datagen.region_map import dense, flatten, merge_slivers, without_holes
from pipeline.formats.picture import Pixels

if TYPE_CHECKING:
    from datagen.sam.engine import Segmenter
    from datagen.sam.masks import SamMask

_BUSY = 24
"""Difference of the lightest and the darkest value around a pixel, of 255, above which it belongs to a stroke."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionMap:
    """A region map and how it was made."""

    regions: NDArray[np.uint16]
    """(H, W), ids dense from 1, 0 = none."""
    how_masked: str
    quality: dict[str, list[float]] = field(default_factory=dict)
    """`predicted_iou` and `stability` of the masks that became regions 1, 2, ...; empty where the engine has none."""


def make_regions(config: MasksConfig, picture: Pixels, drawn: Sequence[Region] | None) -> RegionMap:
    """Return the region map of a picture (H, W, 3); `drawn` are the layout's regions, None for a captured screen.

    Raises: CheckpointError, UsageError, MissingDependency: the sam engine cannot start.
    """
    engine = resolve(config, drawn=drawn is not None)
    if engine == "layout" and drawn is not None:
        regions, _ = flatten(drawn, *picture.shape[:2])
        return RegionMap(regions=regions, how_masked="layout")
    if engine in ("none", "layout"):
        return RegionMap(regions=np.zeros(picture.shape[:2], dtype=np.uint16), how_masked="none")
    return next(segment(config, engine, [picture]))


def segment(config: MasksConfig, engine: MaskEngine, pictures: Iterable[Pixels]) -> Iterator[RegionMap]:
    """Give the region maps of pictures (H, W, 3) by `felzenszwalb` or `sam`, in their order.

    Raises: CheckpointError, UsageError, MissingDependency: the sam engine cannot start.
    """
    if engine == "felzenszwalb":
        yield from (_felzenszwalb(config, picture) for picture in pictures)
        return
    held = segmenter(config)
    sizes: list[tuple[int, int]] = []

    def noted() -> Iterator[Pixels]:
        for picture in pictures:
            sizes.append((picture.shape[0], picture.shape[1]))
            yield picture

    for masks in held.masks(noted()):
        yield _from_masks(config, masks, sizes.pop(0), held.describe())


def resolve(config: MasksConfig, *, drawn: bool) -> MaskEngine:
    """Return the engine for synthesized (`drawn`) or captured pictures."""
    if config.engine != "auto":
        return config.engine
    if config.sam_checkpoint is not None:
        return "sam"
    return "layout" if drawn else "felzenszwalb"


def said(config: MasksConfig) -> str:
    """Return which engine is used for what, such as `layout (synthesized), felzenszwalb (captured)`."""
    drawn, captured = (resolve(config, drawn=kind) for kind in (True, False))
    if captured == "layout":
        captured = "none"
    return drawn if drawn == captured else f"{drawn} (synthesized), {captured} (captured)"


@lru_cache(maxsize=1)
def segmenter(config: MasksConfig) -> "Segmenter":
    """Return the network that this process holds. Raises: CheckpointError, UsageError, MissingDependency."""
    # Imported here: torch takes seconds to load and only this engine needs it.
    from datagen.sam.engine import Segmenter

    return Segmenter(config)


def _from_masks(config: MasksConfig, masks: Sequence["SamMask"], shape: tuple[int, int], how_masked: str) -> RegionMap:
    """Return the map of overlapping masks: smaller on top, holes filled, slivers merged; one region if none is."""
    regions = [without_holes(Region(area=one.area, mask=one.mask)) for one in masks]
    painted, order = flatten(regions, *shape)
    ids, kept = dense(merge_slivers(painted, config.min_area))
    if not len(kept):
        return RegionMap(regions=np.ones(shape, dtype=np.uint16), how_masked=how_masked)
    shown = [masks[order[old - 1]] for old in kept.tolist()]
    quality = {
        "predicted_iou": [round(one.predicted_iou, 4) for one in shown],
        "stability": [round(one.stability, 4) for one in shown],
    }
    return RegionMap(regions=ids, how_masked=how_masked, quality=quality)


def _felzenszwalb(config: MasksConfig, picture: Pixels) -> RegionMap:
    # Imported here: scikit-image takes half a second to load and only this engine needs it.
    from skimage.segmentation import felzenszwalb

    height, width = picture.shape[:2]
    factor = max(1, min(config.downscale, height, width))
    small = np.asarray(Image.fromarray(picture).reduce(factor)) if factor > 1 else picture
    segments = felzenszwalb(
        _closed(small, config.felzenszwalb_closing),
        scale=config.felzenszwalb_scale,
        sigma=config.felzenszwalb_sigma,
        min_size=config.felzenszwalb_min_size,
    )
    ids, _ = dense(segments.astype(np.int64) + 1)
    enlarged = ids.repeat(factor, axis=0).repeat(factor, axis=1)[:height, :width]
    ids, _ = dense(merge_slivers(np.ascontiguousarray(enlarged), config.min_area))
    return RegionMap(regions=ids, how_masked=_describe_felzenszwalb(config))


def _describe_felzenszwalb(config: MasksConfig) -> str:
    wide, high = config.felzenszwalb_closing
    return (
        f"felzenszwalb scale={config.felzenszwalb_scale:g} sigma={config.felzenszwalb_sigma:g} "
        f"min_size={config.felzenszwalb_min_size} closing={wide}x{high} downscale={config.downscale} "
        f"min_area={config.min_area}"
    )


def _closed(picture: Pixels, reach: Sequence[int]) -> Any:
    """Return the picture with strokes that are nearer to each other than `reach` (width, height) run into bars.

    Where the picture is busy its local mean takes its place: the letters of a line become one bar, lines stay apart.
    """
    wide, high = reach
    if wide * high <= 1:
        return picture
    cv2 = opencv()
    around = np.ones((3, 3), np.uint8)
    spread = (cv2.dilate(picture, around).astype(np.int16) - cv2.erode(picture, around)).max(axis=2)
    busy = (spread >= _BUSY).astype(np.uint8)
    joined = cv2.morphologyEx(busy, cv2.MORPH_CLOSE, np.ones((high, wide), np.uint8)).astype(bool)
    mean = cv2.blur(picture, (2 * wide + 1, 2 * high + 1))
    return np.where(joined[:, :, None], mean, picture)
