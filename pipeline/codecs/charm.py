"""A latent coded slice by slice of its channels, each slice's distribution predicted from the slices before it.

Source: Minnen and Singh, "Channel-wise autoregressive entropy models", 2020, arXiv:2007.08739.

Shapes: N batch, M latent channels, S slices of M / S channels, h, w rows and columns of the latent.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.codecs.blocks import HalfTanh
from pipeline.codecs.integer_net import FRACTION, MAX_ACTIVATION
from pipeline.codecs.integer_sequence import IntegerSequence
from pipeline.codecs.priors import quantise

LATENT_FRACTION = 10
"""Fraction bits of means and of the dequantised latent, which so reach +-65536."""
MAX_SYMBOL = 1 << 15
"""Largest magnitude of a symbol; the encoder clamps there."""

SliceNet = Callable[[int, int], nn.Sequential]
"""Builds the network of one slice: (channels in, channels out) -> convolutions and activations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """A latent and what predicted it."""

    y_hat: Tensor
    """(N, M, h, w): dequantised, by straight-through rounding, with the residual prediction added."""
    symbols: Tensor
    """(N, M, h, w): y less its mean; with noise in training, else rounded."""
    scales: Tensor
    """(N, M, h, w): the scale networks' output, whatever it stands for."""


class ChannelSlices(nn.Module):
    """The networks of all slices: mean, scale, and latent residual prediction."""

    def __init__(self, net: SliceNet, *, num_latents: int, num_slices: int, max_support: int) -> None:
        super().__init__()
        self.num_slices, self.max_support = num_slices, max_support
        self.width = num_latents // num_slices
        inputs = [num_latents + self.width * min(i, max_support) for i in range(num_slices)]
        self.means = nn.ModuleList(net(width, self.width) for width in inputs)
        self.scales = nn.ModuleList(net(width, self.width) for width in inputs)
        self.residuals = nn.ModuleList(
            nn.Sequential(*net(width + self.width, self.width), HalfTanh()) for width in inputs
        )

    def forward(self, y_NMhw: Tensor, means_NMhw: Tensor, scales_NMhw: Tensor) -> Predicted:
        """Predict and quantise y from the hyper-decoder's means and scales."""
        decoded: list[Tensor] = []
        symbols, scales = [], []
        for place, y in enumerate(y_NMhw.chunk(self.num_slices, dim=1)):
            support = decoded[: self.max_support]
            mean_input = torch.cat([means_NMhw, *support], dim=1)
            mean = self.means[place](mean_input)
            scales.append(self.scales[place](torch.cat([scales_NMhw, *support], dim=1)))
            residual = y - mean
            symbols.append(quantise(residual, training=self.training))
            # Rounded in value, but with the gradient of y: what the synthesis and the next slices will see.
            rounded = y + (residual.detach().round() - residual.detach())
            decoded.append(rounded + self.residuals[place](torch.cat([mean_input, rounded], dim=1)))
        return Predicted(
            y_hat=torch.cat(decoded, dim=1), symbols=torch.cat(symbols, dim=1), scales=torch.cat(scales, dim=1)
        )


CodeSlice = Callable[[int, Tensor, Tensor], Tensor]
"""(slice, means of LATENT_FRACTION bits, scale networks' output of FRACTION bits) -> symbols; all (M / S, h, w)."""


class IntegerSlices(nn.Module):
    """The same in integers: what encoder and decoder run, number for number."""

    def __init__(self, source: ChannelSlices) -> None:
        super().__init__()
        self.max_support = source.max_support
        self.means = _frozen(source.means, out_fraction=LATENT_FRACTION)
        self.scales = _frozen(source.scales, out_fraction=FRACTION)
        self.residuals = _frozen(source.residuals, out_fraction=LATENT_FRACTION)

    def store(self, source: ChannelSlices) -> None:
        """Quantise the trained networks."""
        for frozen, trained in (
            (self.means, source.means),
            (self.scales, source.scales),
            (self.residuals, source.residuals),
        ):
            for target, net in zip(_sequences(frozen), trained, strict=True):
                assert isinstance(net, nn.Sequential)
                target.store(net)

    def forward(self, means_Mhw: Tensor, scales_Mhw: Tensor, code: CodeSlice) -> Tensor:
        """Return y_hat (M, h, w), LATENT_FRACTION bits in float64; `code` gives or takes each slice's symbols."""
        decoded: list[Tensor] = []
        nets = zip(_sequences(self.means), _sequences(self.scales), _sequences(self.residuals), strict=True)
        for place, (mean_net, scale_net, residual_net) in enumerate(nets):
            support = decoded[: self.max_support]
            mean_input = torch.cat([means_Mhw, *support])
            mean = mean_net(mean_input)
            symbols = code(place, mean, scale_net(torch.cat([scales_Mhw, *support])))
            rounded = _bounded(symbols * 2.0**LATENT_FRACTION + mean)
            decoded.append(_bounded(rounded + residual_net(torch.cat([mean_input, rounded]))))
        return torch.cat(decoded)


def _frozen(nets: nn.ModuleList, *, out_fraction: int) -> nn.ModuleList:
    sequences = nn.ModuleList()
    for net in nets:
        assert isinstance(net, nn.Sequential)
        sequences.append(IntegerSequence(net, in_fraction=LATENT_FRACTION, out_fraction=out_fraction))
    return sequences


def _sequences(nets: nn.ModuleList) -> list[IntegerSequence]:
    return [net for net in nets if isinstance(net, IntegerSequence)]


def _bounded(values: Tensor) -> Tensor:
    return values.clamp_(-MAX_ACTIVATION, MAX_ACTIVATION)
