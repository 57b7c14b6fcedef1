"""Where a batch's estimated bits lie in its pictures.

N crops, H, W side of a crop; h, w rows and columns of a latent.
"""

from collections.abc import Mapping

import torch
from torch import Tensor


def bit_map(likelihoods: Mapping[str, Tensor], shape: tuple[int, int, int]) -> Tensor | None:
    """Return (N, H, W): bits a pixel, of `shape` N, H, W, or None where likelihoods have no place in the picture.

    Each latent position's -log2 likelihoods, summed over its channels, are spread evenly over the pixels that lie
    nearest to it. It is an estimate twice over: of the rate, and of the place, since a latent sees more of the picture
    than that, and a hyper-latent's bits serve positions around it. All bits are in it, so that means over all pixels
    are the estimated rate.
    """
    num_crops, height, width = shape
    if not likelihoods or not all(_has_place(likelihood, shape) for likelihood in likelihoods.values()):
        return None
    bits = None
    for likelihood in likelihoods.values():
        bits_Nhw = likelihood.detach().float().log2().sum(dim=1).neg()
        h, w = bits_Nhw.shape[1:]
        rows = _nearest(height, h, device=bits_Nhw.device)
        columns = _nearest(width, w, device=bits_Nhw.device)
        covered_hw = torch.bincount(rows)[:, None] * torch.bincount(columns)[None, :]
        spread = (bits_Nhw / covered_hw)[:, rows][:, :, columns]
        bits = spread if bits is None else bits + spread
    assert bits is not None
    assert bits.shape == (num_crops, height, width)
    return bits


def _has_place(likelihood: Tensor, shape: tuple[int, int, int]) -> bool:
    return (
        likelihood.ndim == 4
        and likelihood.shape[0] == shape[0]
        and likelihood.shape[2] <= shape[1]
        and likelihood.shape[3] <= shape[2]
    )


def _nearest(num_pixels: int, num_positions: int, *, device: torch.device) -> Tensor:
    """Return (num_pixels,): the latent position of each pixel row or column."""
    return torch.arange(num_pixels, device=device) * num_positions // num_pixels
