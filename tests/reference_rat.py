"""The region-adaptive transform as one would first write it: unfold, einsum, and loops over pictures and regions.

What the tests and the benchmark compare `segpic.rat` with; takes that module's weights.
"""

import torch
from torch import Tensor, nn

from pipeline.codecs.segpic.rat import RegionAdaptiveTransform


def dynamic_depthwise(guide: Tensor, signal: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return (N, C, H, W): kernels for all positions, the signal's neighbourhoods for all positions, their products."""
    num_pictures, channels, height, width = signal.shape
    kernels = nn.functional.conv2d(
        guide, weight.reshape(9 * channels, 1, 3, 3), bias.flatten(), padding=1, groups=channels
    )
    patches = nn.functional.unfold(signal, 3, padding=1)
    kernels = kernels.view(num_pictures, channels, 9, height * width)
    patches = patches.view(num_pictures, channels, 9, height * width)
    return torch.einsum("nckp,nckp->ncp", kernels, patches).view_as(signal)


def region_means(features: Tensor, ids: Tensor) -> list[dict[int, Tensor]]:
    """Return the mean feature (C,) of each region, by picture and id."""
    return [
        {int(one): features[number][:, ids[number] == one].mean(dim=1) for one in ids[number].unique()}
        for number in range(len(features))
    ]


def expand(means: list[dict[int, Tensor]], ids: Tensor) -> Tensor:
    """Return (N, C, H, W): each position's region's value, region by region as a sum of one-hot maps."""
    pictures = []
    for number, values in enumerate(means):
        total = torch.zeros(())
        for one, value in values.items():
            total = total + (ids[number] == one).float() * value[:, None, None]
        pictures.append(total)
    return torch.stack(pictures)


def rat(module: RegionAdaptiveTransform, x: Tensor, prototypes: list[dict[int, Tensor]], ids: Tensor) -> Tensor:
    """Return the transform of x (N, C, H, W) by the module's weights."""
    channels = x.shape[1]
    t = module.ctl(x)
    hidden = module.prototype_in(torch.cat([t, expand(prototypes, ids)], dim=1))
    guide = nn.functional.leaky_relu(module.hidden(nn.functional.leaky_relu(hidden, 0.1)), 0.1)
    bias = module.kernels.bias
    assert bias is not None
    mixed = dynamic_depthwise(guide, t, module.kernels.weight.view(channels, 9, 3, 3), bias.view(channels, 9))
    out: Tensor = x + module.out(mixed * module.cag(mixed.mean(dim=(2, 3), keepdim=True)))
    return out
