"""Layers that several codecs share, for training and for the encoder.

Shapes: N batch, C channels, H height, W width of the layer's input.
"""

import torch
from torch import Tensor, nn

from pipeline.codecs.priors import lower_bound

_BETA_MIN = 1e-6


class Gdn(nn.Module):
    """Generalised divisive normalisation, or its inverse: x / sqrt(beta + gamma x^2), x * sqrt(beta + gamma x^2).

    The equation and parametrisation are Balle, Laparra, Simoncelli, arXiv:1511.06281, as in CompressAI's GDN; written
    with a matrix product, which a CPU does 5 times faster than the same thing as a 1x1 convolution.
    """

    PEDESTAL = 2.0**-36
    """Parameters are stored as sqrt(value + PEDESTAL): never negative, and with a gradient even at 0."""

    def __init__(self, num_channels: int, *, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter((torch.ones(num_channels) + self.PEDESTAL).sqrt())
        self.gamma = nn.Parameter((0.1 * torch.eye(num_channels) + self.PEDESTAL).sqrt())

    def effective(self) -> tuple[Tensor, Tensor]:
        """Return beta (C,) > 0 and gamma (C, C) >= 0, rows are outputs."""
        beta = lower_bound(self.beta, (_BETA_MIN + self.PEDESTAL) ** 0.5).square() - self.PEDESTAL
        gamma = lower_bound(self.gamma, self.PEDESTAL**0.5).square() - self.PEDESTAL
        return beta, gamma

    def forward(self, x_NCHW: Tensor) -> Tensor:
        beta, gamma = self.effective()
        # Channels last, as CPU convolutions like their inputs and give their outputs.
        x_NHWC = x_NCHW.permute(0, 2, 3, 1)
        norm = nn.functional.linear(x_NHWC * x_NHWC, gamma, beta)
        if torch.is_grad_enabled():
            y_NHWC = x_NHWC * (norm.sqrt() if self.inverse else norm.rsqrt())
        else:
            y_NHWC = (norm.sqrt_() if self.inverse else norm.rsqrt_()).mul_(x_NHWC)
        return y_NHWC.permute(0, 3, 1, 2)


def conv(in_channels: int, out_channels: int, *, kernel: int = 5, stride: int = 2, bias: bool = True) -> nn.Conv2d:
    """Return a convolution whose output has ceil(size / stride) rows and columns."""
    return nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=bias)


def deconv(in_channels: int, out_channels: int) -> nn.ConvTranspose2d:
    """Return the 5x5 transposed convolution that doubles rows and columns."""
    return nn.ConvTranspose2d(in_channels, out_channels, 5, stride=2, padding=2, output_padding=1)


def analysis_transform(num_channels: int, num_latents: int) -> nn.Sequential:
    """Return picture (N, 3, 16h, 16w) -> latent (N, num_latents, h, w); Balle et al. 2018, arXiv:1802.01436."""
    layers: list[nn.Module] = []
    for in_channels in (3, num_channels, num_channels):
        layers += [conv(in_channels, num_channels), Gdn(num_channels)]
    return nn.Sequential(*layers, conv(num_channels, num_latents))


def synthesis_transform(num_latents: int, num_channels: int, out_channels: int) -> nn.Sequential:
    """Return latent (N, num_latents, h, w) -> (N, out_channels, 16h, 16w), the analysis transform's mirror."""
    layers: list[nn.Module] = []
    for in_channels in (num_latents, num_channels, num_channels):
        layers += [deconv(in_channels, num_channels), Gdn(num_channels, inverse=True)]
    return nn.Sequential(*layers, deconv(num_channels, out_channels))


class HalfTanh(nn.Module):
    """tanh(x) / 2, the bound of a latent residual prediction (Minnen and Singh 2020, arXiv:2007.08739)."""

    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * torch.tanh(x)
