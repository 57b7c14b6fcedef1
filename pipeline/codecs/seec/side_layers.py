"""The layers of SEEC's side information codec, in floating point; frozen_side.py has those of its decoder in integers.

Source: SEEC, arXiv:2509.07704, and what it builds on, named at each layer.

Shapes: B patches, C channels, H rows, W columns of the layer's input.
"""

from typing import Any

import torch
from torch import Tensor, nn

from pipeline.codecs.blocks import Gdn, conv
from pipeline.codecs.integer_pointwise import LEAKY_SLOPE
from pipeline.codecs.seec.integer_patches import LIMIT
from pipeline.codecs.segpic.layers import ResidualUnit, WindowAttention

# A gate starts almost closed, so that its module starts almost as the identity: sigmoid(-4) = 0.018.
_START_GATE = -4.0


class _Saturate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        # A byte for each activation, and not the activation itself, waits for the way back.
        ctx.save_for_backward((x > LIMIT).char() - (x < -LIMIT).char())
        return x.clamp(-LIMIT, LIMIT)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (beyond,) = ctx.saved_tensors
        # Descent goes against the gradient: one of x's own sign leads back inside.
        inwards: Tensor = grads[0] * beyond >= 0
        return grads[0] * inwards


def saturate(x: Tensor) -> Tensor:
    """Return x within +-LIMIT, as integer layers keep it; a gradient that leads back inside still passes.

    It stands wherever the large maps' layers do that, so that training counts with it.
    """
    result: Tensor = _Saturate.apply(x)
    return result


class ResidualBlock(nn.Module):
    """x + two 3x3 convolutions, each with a LeakyReLU (Cheng et al. 2020, arXiv:2001.01568)."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.first = conv(num_channels, num_channels, kernel=3, stride=1)
        self.second = conv(num_channels, num_channels, kernel=3, stride=1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return saturate(x_BCHW + _leaky(self.second(_leaky(self.first(x_BCHW)))))


class AnalysisBlock(nn.Module):
    """Halves the sides: 3x3, LeakyReLU, 3x3 of stride 2, GDN, plus a 3x3 of stride 2; then a residual block."""

    def __init__(self, in_channels: int, num_channels: int) -> None:
        super().__init__()
        self.first = conv(in_channels, num_channels, kernel=3, stride=1)
        self.halve = conv(num_channels, num_channels, kernel=3, stride=2)
        self.normalise = Gdn(num_channels)
        self.skip = conv(in_channels, num_channels, kernel=3, stride=2)
        self.residual = ResidualBlock(num_channels)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        halved = self.normalise(self.halve(_leaky(self.first(x_BCHW))))
        refined: Tensor = self.residual(halved + self.skip(x_BCHW))
        return refined


class SynthesisBlock(nn.Module):
    """Doubles the sides: a residual block; then subpixel 3x3, IGDN, 3x3, LeakyReLU, plus a subpixel 3x3."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.residual = ResidualBlock(num_channels)
        self.upsample = subpixel(num_channels, num_channels)
        self.normalise = Gdn(num_channels, inverse=True)
        self.last = conv(num_channels, num_channels, kernel=3, stride=1)
        self.skip = subpixel(num_channels, num_channels)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        x_BCHW = self.residual(x_BCHW)
        upsampled = saturate(self.normalise(saturate(self.upsample(x_BCHW))))
        return saturate(_leaky(self.last(upsampled)) + saturate(self.skip(x_BCHW)))


class WindowGate(nn.Module):
    """x + trunk(x) * sigmoid(gate(x)) (SWin): the gate is window attention, 1x1, shifted window attention, 1x1.

    The trunk is three residual units. Source: Zou et al. 2022, arXiv:2203.08450, with the gate of SEEC. Maps have
    `side` rows and columns; one that is no larger than the window has nothing to shift.
    """

    def __init__(self, num_channels: int, *, num_heads: int, window: int, side: int) -> None:
        super().__init__()
        self.side = side
        shift = window // 2 if side > window else 0
        self.trunk = nn.Sequential(*(ResidualUnit(num_channels) for _ in range(3)))
        self.attention, self.shifted_attention = (
            WindowAttention(num_channels, num_heads=num_heads, window=window, shift=by) for by in (0, shift)
        )
        self.mix = conv(num_channels, num_channels, kernel=1, stride=1)
        self.last = conv(num_channels, num_channels, kernel=1, stride=1)
        assert self.last.bias is not None
        nn.init.constant_(self.last.bias, _START_GATE)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        gate = self.last(self.shifted_attention(self.mix(self.attention(x_BCHW))))
        return saturate(torch.addcmul(x_BCHW, self.trunk(x_BCHW), torch.sigmoid(gate)))


def subpixel(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return a 3x3 convolution whose outputs are shuffled into twice the rows and columns."""
    return nn.Sequential(conv(in_channels, 4 * out_channels, kernel=3, stride=1), nn.PixelShuffle(2))


def _leaky(x: Tensor) -> Tensor:
    return nn.functional.leaky_relu(saturate(x), LEAKY_SLOPE)


def hyper_analysis(num_channels: int) -> nn.Sequential:
    """Return y (B, C, 4, 4) -> z (B, C, 1, 1), in 1x1 convolutions."""
    layers: list[nn.Module] = [_pointwise(num_channels, num_channels)]
    for _ in range(2):
        layers += [nn.LeakyReLU(LEAKY_SLOPE), nn.PixelUnshuffle(2), _pointwise(4 * num_channels, num_channels)]
    for _ in range(2):
        layers += [nn.LeakyReLU(LEAKY_SLOPE), _pointwise(num_channels, num_channels)]
    return nn.Sequential(*layers)


def hyper_synthesis(num_channels: int) -> nn.Sequential:
    """Return z (B, C, 1, 1) -> means or scales (B, C, 4, 4), in 1x1 convolutions, so patches may lie side by side."""
    layers: list[nn.Module] = []
    for _ in range(2):
        layers += [_pointwise(num_channels, num_channels), nn.LeakyReLU(LEAKY_SLOPE)]
    for _ in range(2):
        layers += [_pointwise(num_channels, 4 * num_channels), nn.PixelShuffle(2), nn.LeakyReLU(LEAKY_SLOPE)]
    return nn.Sequential(*layers, _pointwise(num_channels, num_channels))


def _pointwise(in_channels: int, out_channels: int) -> nn.Conv2d:
    return conv(in_channels, out_channels, kernel=1, stride=1)
