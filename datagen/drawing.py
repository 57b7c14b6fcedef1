"""What every renderer gives: a picture, its labels, and what is known about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.canvas import Region
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A screen and what is known about it."""

    kind: str
    """Scene, or `capture`."""
    picture: Pixels
    """(H, W, 3)."""
    label: NDArray[np.uint8]
    """(H, W)."""
    how_labelled: str
    regions: Sequence[Region] | None
    """The layout's objects, None if it is not known."""
    num_letters: int | None
    """How many characters are visible, None if that is not known."""
    sources: tuple[Source, ...]
    details: dict[str, Any]
