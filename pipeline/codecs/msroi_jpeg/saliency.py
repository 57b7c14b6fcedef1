"""The saliency map of a picture: where in it are the things that the network knows.

The network sees the whole picture, scaled to a short side and with its aspect ratio, never a crop of its middle, and
its map is stretched back over exactly what it saw.

Source: Prakash et al., arXiv:1612.08712. `paper` is the form in the paper, `released` that of the authors' code, with
its weights; both are described in docs/codecs.md.

Shapes: H, W picture; h, w = a sixteenth of what the network sees; D features; C classes.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.func import functional_call

from pipeline.codecs.msroi_jpeg.config import MapForm
from pipeline.codecs.msroi_jpeg.network import STRIDE, MsRoi
from pipeline.formats.scaling import scaled

MAX_ASPECT = 4
"""What is longer than this many times its short side is squeezed: the network was not trained on strips."""
MAP_STEPS = 255
"""The map's values are multiples of one over this."""
CONSTANT = 128 / MAP_STEPS
"""The map of a picture without contrast, or of one that is equally salient everywhere."""
_GRID_STEPS = 65535
_RELEASED_CLASSES = 5
_LAST_CLASS_GAIN = 1.2
_FLAT = 1e-9


@torch.no_grad()
def saliency_map(
    network: MsRoi,
    picture: NDArray[np.uint8],
    *,
    form: MapForm = "paper",
    threshold_share: float = 0.5,
    short_side: int = 224,
) -> NDArray[np.float32]:
    """Return (H, W) in [0, 1] for an RGB picture (H, W, 3) of any size from 1x1; 1 is most salient.

    Same bytes every time and on any number of threads: dropout is off, and what is left of float rounding at double
    precision is absorbed by rounding the map twice, at the network's positions and at the pixels.
    """
    height, width = picture.shape[:2]
    if bool((picture == picture[0, 0]).all()):
        return np.full((height, width), CONSTANT, np.float32)
    seen = scaled(picture, *network_size(height, width, short_side=short_side))
    features_Dhw, logits_C = _run(network, seen)
    weights_CD = network.classifier.weight.double().cpu().numpy()
    if form == "paper":
        map_hw = paper_map(features_Dhw, logits_C, weights_CD, threshold_share=threshold_share)
    else:
        map_hw = released_map(features_Dhw, logits_C, weights_CD)
    grid_hw = np.rint(normalised(map_hw) * _GRID_STEPS) / _GRID_STEPS
    return spread(grid_hw, height, width)


def network_size(height: int, width: int, *, short_side: int) -> tuple[int, int]:
    """Return the (height, width) at which the network sees a picture: multiples of 16, the shorter near `short_side`.

    Multiples, so that every position of the map stands for the same share of the picture.
    """
    shorter = min(height, width)
    longest = MAX_ASPECT * short_side
    first, second = (
        max(1, round(min(longest, side * short_side / shorter) / STRIDE)) * STRIDE for side in (height, width)
    )
    return first, second


def paper_map(
    features_Dhw: NDArray[np.float64],
    logits_C: NDArray[np.float64],
    weights_CD: NDArray[np.float64],
    *,
    threshold_share: float,
) -> NDArray[np.float64]:
    """Return I(x, y) = sum over classes c with Z_c > T of sum_d f_d^c(x, y), where Z_c = sum_xy sum_d f_d^c(x, y).

    f_d^c is feature d times the weight of class c for it. Z_c is the class's logit times the number of positions, so
    logits are compared. T is `threshold_share` of the largest total. Where no class has a positive total, the best
    one's map is returned: softmax cares for differences only, so the sign alone says nothing.
    """
    best = logits_C.max()
    chosen_C = logits_C > threshold_share * best if best > 0 else logits_C == best
    if not chosen_C.any():
        chosen_C = logits_C == best
    return np.tensordot(weights_CD[chosen_C].sum(axis=0), features_Dhw, axes=1)


def released_map(
    features_Dhw: NDArray[np.float64], logits_C: NDArray[np.float64], weights_CD: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the likeliest five classes' maps, each normalised, folded from the fifth to the first: m = (m + next) / 2.

    The fifth counts 1.2 times: weights are 0.5, 0.25, 0.125, 0.0625 and 0.075. With fewer classes it is the last one.
    The released code normalises after scaling the maps to the picture's size, here it is before.
    """
    ranked = np.argsort(-logits_C, kind="stable")[:_RELEASED_CLASSES]
    maps = [normalised(np.tensordot(weights_CD[number], features_Dhw, axes=1)) for number in ranked]
    folded = _LAST_CLASS_GAIN * maps[-1]
    for map_hw in reversed(maps[:-1]):
        folded = (folded + map_hw) / 2
    return folded


def normalised(map_hw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a map stretched to [0, 1]; CONSTANT everywhere if it is flat up to rounding."""
    low, high = float(map_hw.min()), float(map_hw.max())
    # Written so that a map of NaN, or with infinities, is flat as well.
    if not high - low > _FLAT * max(1.0, abs(low), abs(high)) or not np.isfinite(high - low):
        return np.full_like(map_hw, CONSTANT)
    return (map_hw - low) / (high - low)


def spread(grid_hw: NDArray[np.float64], height: int, width: int) -> NDArray[np.float32]:
    """Return a grid in [0, 1] as a map (height, width): bilinear between its cells' centres, in steps of 1/255."""
    top, bottom, down = _between(grid_hw.shape[0], height)
    left, right, across = _between(grid_hw.shape[1], width)
    columns = grid_hw[:, left] * (1 - across) + grid_hw[:, right] * across
    result = np.empty((height, width), np.float32)
    # Row by row, since a whole map in double precision would take eight times the picture's memory.
    for row in range(height):
        values = columns[top[row]] * (1 - down[row]) + columns[bottom[row]] * down[row]
        result[row] = np.rint(values * MAP_STEPS) / MAP_STEPS
    return result


def _between(cells: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return for each of `size` pixels the two cells whose centres it lies between, and how far to the second, 0..1."""
    at: NDArray[np.float64] = np.clip((np.arange(size) + 0.5) * cells / size - 0.5, 0, cells - 1)
    first: NDArray[np.int64] = np.floor(at).astype(np.int64)
    return first, np.minimum(first + 1, cells - 1), at - first


def _run(network: MsRoi, picture: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return features (D, h, w) and logits (C,) of one picture, at double precision and without dropout."""
    state: dict[str, Tensor] = {
        name: tensor.double() for name, tensor in (*network.named_parameters(), *network.named_buffers())
    }
    pixels = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]
    was_training = network.training
    if was_training:
        network.eval()
    try:
        features, logits = functional_call(
            network, state, (pixels.to(network.classifier.weight.device).double() / 255,)
        )
    finally:
        if was_training:
            network.train()
    return features[0].cpu().numpy(), logits[0].cpu().numpy()
