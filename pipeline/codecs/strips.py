"""Running networks strip by strip, so that memory is bounded whatever the picture's height.

Shapes: C channels; h, w rows and columns of the latent; H, W of the picture.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from pipeline.codecs.threads import on_threads

STRIDE = 16
"""Picture rows or columns of one latent row or column."""
_ANALYSIS_HALO = 2
# Rows that each of the four doubling layers needs on either side of the rows wanted from it: it reaches one row
# beyond them, and it must give the next layer the rows that that one needs, of which two cost one of its own.
_SYNTHESIS_HALO = (2, 2, 2, 1)
# Of the largest hidden activation of one strip.
_STRIP_BYTES = 384 << 20

Layer = Callable[[Tensor], Tensor]


def strip_rows(width: int, num_channels: int, *, element_bytes: int) -> int:
    """Return how many latent rows of `width` a strip may have; hidden layers have `num_channels` at most."""
    half = STRIDE // 2  # the largest activation has half the picture's resolution
    return max(1, _STRIP_BYTES // (half * half * width * num_channels * element_bytes))


def synthesise_in_strips(latent_Chw: Tensor, layers: Sequence[Layer], *, rows: int, at_once: bool = False) -> Tensor:
    """Return (O, 16h, 16w): four layers after another, each doubling rows and columns, on strips of `rows` rows.

    An output row of a layer depends on its own input row and on the two next to it, zero outside the picture.
    `at_once` runs as many strips at a time as torch has threads, one thread each: for layers whose numbers are the same
    on any number of threads.
    """
    height = latent_Chw.shape[1]

    def strip(top: int) -> Tensor:
        bottom = min(height, top + rows)
        above, below = min(_SYNTHESIS_HALO[0], top), min(_SYNTHESIS_HALO[0], height - bottom)
        x = latent_Chw[:, top - above : bottom + below]
        for layer, needed in zip(layers, (*_SYNTHESIS_HALO[1:], 0), strict=True):
            x = layer(x)
            keep_above, keep_below = min(needed, 2 * above), min(needed, 2 * below)
            x = x[:, 2 * above - keep_above : x.shape[1] - (2 * below - keep_below)]
            above, below = keep_above, keep_below
        return x

    tops = range(0, height, rows)
    return torch.cat(on_threads(strip, tops) if at_once else [strip(top) for top in tops], dim=1)


def analyse_in_strips(picture_CHW: Tensor, layer: Layer, *, rows: int) -> Tensor:
    """Return (O, h, w) of a picture of whole latent rows: four stride-2 layers, on strips of `rows` latent rows.

    Each layer reaches two input rows beyond its own.
    """
    height = picture_CHW.shape[1] // STRIDE
    parts = []
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        first, last = max(0, top - _ANALYSIS_HALO), min(height, bottom + _ANALYSIS_HALO)
        part = layer(picture_CHW[:, STRIDE * first : STRIDE * last])
        parts.append(part[:, top - first : bottom - first])
    return torch.cat(parts, dim=1)
