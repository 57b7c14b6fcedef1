"""A SegPIC codec of the smallest sensible size, its weights fresh but its latents and scales as after some training."""

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.codecs.segpic.codec import SegPic
from pipeline.codecs.segpic.config import SegPicConfig

CONFIG = SegPicConfig(
    num_channels=12,
    num_latents=16,
    num_head_channels=6,
    num_attention_heads=2,
    num_prototype_channels=5,
    num_slices=4,
    num_support_slices=2,
    slice_widths=(10,),
    grid=2,
)


def make_codec(config: SegPicConfig = CONFIG, *, frozen: bool = True) -> SegPic:
    """Return a codec whose every part matters: prototypes move the transforms, scales vary about 16."""
    torch.manual_seed(5)
    codec = SegPic(config)
    with torch.no_grad():
        for rat in (module for module in codec.modules() if type(module).__name__ == "RegionAdaptiveTransform"):
            rat.out.weight.mul_(5.0)
            rat.prototype_in.weight.mul_(2.0)
        for net in codec.slices.scales:
            net[-1].weight.mul_(4.0)
            net[-1].bias.fill_(16.0)
        codec.hyper_analysis[-1].weight.mul_(4.0)
    if frozen:
        codec.freeze()
    return codec.eval()


def as_input(picture: NDArray[np.uint8]) -> torch.Tensor:
    """Return (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0
