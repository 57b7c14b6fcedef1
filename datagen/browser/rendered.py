"""A labelled picture of a page, from its three photographs and its boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.browser.difference import label_by_difference
from datagen.browser.survey import Item, agreement, label_from_boxes, regions_of, unknown_area
from datagen.browser.tab import Window
from datagen.canvas import Region
from pipeline.base.errors import PictureError
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, SYNTHETIC

MAX_UNSTABLE = 0.002
"""A page of which more pixels differ between its loads, photographs aside, is refused."""

_MARGIN = 2
"""Of a channel, for rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A labelled picture of a page."""

    picture: Pixels
    """(H, W, 3)."""
    label: NDArray[np.uint8]
    """(H, W), by difference."""
    boxes: NDArray[np.uint8]
    """(H, W), by the page's own boxes: the second opinion."""
    regions: list[Region]
    num_letters: int
    """How many characters of text are seen."""
    details: dict[str, Any]
    """Renderer facts for the sample's metadata."""


def finish(
    pictures: tuple[Pixels, Pixels, Pixels],
    items: Sequence[Item],
    window: Window,
    details: dict[str, Any],
    *,
    doubtful: NDArray[np.bool_] | None = None,
) -> Rendered:
    """Label the first of three pictures by its fillings (black, white); `doubtful` pixels (H, W) are ignored.

    Raises: PictureError: `unstable`.
    """
    difference = label_by_difference(*pictures)
    boxes = label_from_boxes(items, window.width, window.height)
    mixed = (difference.label == IGNORE) & (boxes == SYNTHETIC)
    unstable = difference.unstable + _restless(pictures, mixed)
    if unstable > MAX_UNSTABLE:
        found = f"{unstable:.2%} of the pixels differ between two loads"
        raise PictureError("unstable", f"{details['page']}: {found}, at most {MAX_UNSTABLE:.2%} may")
    label = difference.label
    label[unknown_area(items, window.width, window.height)] = IGNORE
    if doubtful is not None:
        label[doubtful] = IGNORE
    agreed = agreement(label, boxes)
    found_facts = {
        "unstable": unstable,
        "agreement": {
            "natural": round(agreed.natural, 6),
            "synthetic": round(agreed.synthetic, 6),
            "compared": round(agreed.compared, 6),
        },
    }
    return Rendered(
        picture=pictures[0],
        label=label,
        boxes=boxes,
        regions=regions_of(items, window.width, window.height),
        num_letters=sum(item.num_letters for item in items),
        details=details | found_facts,
    )


def _restless(pictures: tuple[Pixels, Pixels, Pixels], mixed: NDArray[np.bool_]) -> float:
    """Return the share of pixels that differ between the fillings in a way that no photograph explains.

    Looked at are the `mixed` ones (H, W): neither natural nor synthetic, and no photograph where they are. Had they a
    photograph's share, the picture would lie between the black and the white filling, with a margin for rounding.
    """
    picture, black, white = (pixels[mixed].astype(np.int16) for pixels in pictures)
    low, high = np.minimum(black, white) - _MARGIN, np.maximum(black, white) + _MARGIN
    outside = ((picture < low) | (picture > high)).any(axis=1)
    return float(outside.sum() / mixed.size)
