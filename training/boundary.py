"""Which pixels lie at the boundary between drawn and photographed ones; the one definition of it."""

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.formats.sample import NATURAL, SYNTHETIC

BOUNDARY_PIXELS = 8
"""A pixel is at the boundary if pixels of both classes are within so many rows and columns of it, itself included."""


def boundary(labels_NHW: Tensor) -> Tensor:
    """Return (N, H, W) bool: pixels within BOUNDARY_PIXELS of a change of label, those labelled 255 among them.

    They are the synthetic and natural pixels at the seam over again, not a third class.
    """
    both = torch.stack([labels_NHW == SYNTHETIC, labels_NHW == NATURAL], dim=1).float()
    size = 2 * BOUNDARY_PIXELS + 1
    # Rows, then columns: 34 comparisons a pixel instead of 289.
    near = functional.max_pool2d(both, (size, 1), stride=1, padding=(BOUNDARY_PIXELS, 0))
    near = functional.max_pool2d(near, (1, size), stride=1, padding=(0, BOUNDARY_PIXELS))
    return near.amin(dim=1) > 0
