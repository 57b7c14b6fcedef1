"""The region-adaptive transform (RAT): a convolution whose kernels each position's region prototype helps to choose.

    CTL       t = 1x1, LeakyReLU, 1x1 of the input
    DKG       kernels from t and the prototypes: 1x1, LeakyReLU, 3x3, LeakyReLU, depthwise 3x3 to 9 taps a channel
    DPSConv   t convolved with them, times a channel attention (CAG), 1x1, plus the input

Source: Liu et al. 2024, section 3.2. The first layer of DKG sees the two inputs side by side; its half for the
prototypes is applied before they are spread over their regions, which is the same and costs R products, not H W.

Shapes: N batch, C channels, h, w rows and columns, R regions.
"""

import torch
from torch import Tensor, nn

from pipeline.codecs.segpic.dynamic import dynamic_depthwise
from pipeline.codecs.segpic.regions import Regions

_SLOPE = 0.1
_START = 0.1


class RegionAdaptiveTransform(nn.Module):
    """A RAT on C channels; `mix` and `finish` are its two halves, between which stands a mean over the picture."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        c = num_channels
        self.ctl = nn.Sequential(nn.Conv2d(c, c, 1), nn.LeakyReLU(_SLOPE), nn.Conv2d(c, c, 1))
        self.prototype_in = nn.Conv2d(2 * c, c, 1)
        self.hidden = nn.Conv2d(c, c, 3, padding=1)
        self.kernels = nn.Conv2d(c, 9 * c, 3, padding=1, groups=c)
        self.cag = nn.Sequential(nn.Conv2d(c, c, 1), nn.LeakyReLU(_SLOPE), nn.Conv2d(c, c, 1), nn.Sigmoid())
        self.out = nn.Conv2d(c, c, 1)
        with torch.no_grad():
            # Starts almost as the identity, and its dynamic kernels as a copy of the middle tap.
            self.out.weight.mul_(_START)
            assert self.out.bias is not None
            assert self.kernels.bias is not None
            self.out.bias.zero_()
            self.kernels.bias.view(c, 9)[:, 4].add_(1.0)

    def forward(self, x_NChw: Tensor, prototypes_RC: Tensor, regions: Regions) -> Tensor:
        mixed = self.mix(x_NChw, prototypes_RC, regions)
        return self.finish(x_NChw, mixed, mixed.mean(dim=(2, 3), keepdim=True))

    def mix(self, x_NChw: Tensor, prototypes_RC: Tensor, regions: Regions) -> Tensor:
        """Return the dynamic convolution's output (N, C, h, w)."""
        channels = x_NChw.shape[1]
        t = self.ctl(x_NChw)
        weight = self.prototype_in.weight
        hidden = nn.functional.conv2d(t, weight[:, :channels], self.prototype_in.bias)
        hidden = hidden + regions.expand(prototypes_RC @ weight[:, channels:, 0, 0].T)
        hidden = nn.functional.leaky_relu(hidden, _SLOPE)
        guide = nn.functional.leaky_relu(self.hidden(hidden), _SLOPE)
        bias = self.kernels.bias
        assert bias is not None
        return dynamic_depthwise(guide, t, self.kernels.weight.view(channels, 9, 3, 3), bias.view(channels, 9))

    def finish(self, x_NChw: Tensor, mixed_NChw: Tensor, mean_NC11: Tensor) -> Tensor:
        """Return the transform's output from its input, `mix` of it and the mean of that over the picture."""
        out: Tensor = x_NChw + self.out(mixed_NChw * self.cag(mean_NC11))
        return out
