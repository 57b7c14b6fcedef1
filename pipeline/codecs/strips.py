"""Running a convolutional transform strip by strip, so that memory is bounded whatever the picture's height.

Shapes: C channels, h, w rows and columns of the latent.
"""

from collections.abc import Callable

import torch
from torch import Tensor

# Elements of the largest hidden activation of one strip: 256 MiB in float64.
_STRIP_ELEMENTS = 1 << 25


def in_strips(
    latent_Chw: Tensor, transform: Callable[[Tensor], Tensor], *, num_channels: int, halo: int, rows: int = 0
) -> Tensor:
    """Return transform(latent), computed on strips of latent rows.

    `transform` takes (C, r, w) to (O, 16r, 16w); an output row depends on at most `halo` latent rows beyond its own
    on each side. Its largest hidden activation has `num_channels` channels at half the output's resolution.
    `rows` sets the rows of a strip; 0 chooses them so that a strip's memory is bounded.
    """
    height, width = latent_Chw.shape[1:]
    rows = rows or max(2 * halo, _STRIP_ELEMENTS // (64 * width * num_channels) - 2 * halo)
    if rows >= height:
        return transform(latent_Chw)
    parts = []
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        first = max(0, top - halo)
        part = transform(latent_Chw[:, first : min(height, bottom + halo)])
        parts.append(part[:, 16 * (top - first) : 16 * (bottom - first)])
    return torch.cat(parts, dim=1)
