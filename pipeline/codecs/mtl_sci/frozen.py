"""What a frozen MTL-SCI codec decodes with: integer tables and integer networks, all of them buffers.

Shapes: M latent channels, C hidden channels; h, w latent rows and columns; y (M, h, w); z (C, ceil(h/4), ceil(w/4)).
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.codecs.blocks import Gdn
from pipeline.codecs.charm import LATENT_FRACTION
from pipeline.codecs.entropy import NORMAL_TABLE_WIDTH, NUM_SCALES, StoredTables, gaussian_tables, prior_tables
from pipeline.codecs.gains import FrozenGains, Gains, multiply_exactly
from pipeline.codecs.integer_net import FRACTION, IntegerConv, IntegerIgdn, requantise
from pipeline.codecs.priors import FactorisedPrior
from pipeline.codecs.strips import strip_rows, synthesise_in_strips

T = TypeVar("T", bound=nn.Module)

MAX_Y = 1 << 15
"""Largest magnitude of a symbol of y; the encoder clamps there."""
MAX_Z = 127
"""Largest magnitude of a symbol of z, counted from the channel's median."""
MEDIAN_FRACTION = 8
"""Fraction bits of a median of z."""
_MAX_MEDIAN = 1 << 20

_Z_WIDTH = 2 * MAX_Z + 3


class FrozenSynthesis(nn.Module):
    """From the dequantised latent to pixels, in exact arithmetic; holds nothing if the codec's synthesis is float."""

    def __init__(self, num_channels: int, num_latents: int, *, latent_fraction: int, built: bool = True) -> None:
        super().__init__()
        n, m = num_channels, num_latents
        self.num_channels = n
        self.latent_fraction = latent_fraction
        widths = ((m, n), (n, n), (n, n), (n, 3)) if built else ()
        self.convs = nn.ModuleList([IntegerConv(i, o, upsample=True) for i, o in widths])
        self.igdns = nn.ModuleList([IntegerIgdn(n) for _ in widths[:-1]])

    def store_synthesis(self, transform: nn.Sequential, *, offset: float) -> None:
        """Quantise the synthesis transform, which gives pixels / 255 - offset, if it is to be integer."""
        if not self.convs:
            return
        convs = zip(_only(IntegerConv, self.convs), _only(nn.ConvTranspose2d, transform), strict=True)
        for place, (conv, source) in enumerate(convs):
            last = place == len(self.convs) - 1
            conv.store(source, fraction=FRACTION if place else self.latent_fraction, offset=offset if last else 0.0)
        for igdn, layer in zip(_only(IntegerIgdn, self.igdns), _only(Gdn, transform), strict=True):
            igdn.store(layer)

    def reconstruct(self, y_Mhw: Tensor, height: int, width: int, *, rows: int = 0) -> NDArray[np.uint8]:
        """Return the picture (height, width, 3) of integers y, `latent_fraction` bits.

        `rows` sets the height of a strip and changes nothing else.
        """
        first = next(self.buffers())
        y_Mhw = y_Mhw.to(first.device).double()
        at_once = torch.get_num_threads() if y_Mhw.device.type == "cpu" else 1
        if not rows:
            rows = strip_rows(y_Mhw.shape[2], self.num_channels, element_bytes=8 * at_once)
            rows = min(rows, -(-y_Mhw.shape[1] // at_once))
        picture = synthesise_in_strips(y_Mhw, self._layers(), rows=rows, at_once=at_once > 1)
        return np.ascontiguousarray(picture[:, :height, :width].permute(1, 2, 0).cpu().numpy())

    def _layers(self) -> list[Callable[[Tensor], Tensor]]:
        """Return the synthesis transform's four steps, the last of which gives pixels, uint8."""
        first, second, third, last = _only(IntegerConv, self.convs)
        igdns = _only(IntegerIgdn, self.igdns)
        inputs = ((first, self.latent_fraction), (second, FRACTION), (third, FRACTION))
        layers = [_normalise(conv, fraction, igdn) for (conv, fraction), igdn in zip(inputs, igdns, strict=True)]
        return [*layers, lambda x: last(x, _to_pixels(int(last.shift) + FRACTION)).to(torch.uint8)]


class FrozenDecoder(FrozenSynthesis):
    """From symbols of z to scale indexes, and from symbols of y to y_hat and pixels, in exact arithmetic."""

    medians: Tensor

    def __init__(self, num_channels: int, num_latents: int, *, with_synthesis: bool = True, num_rates: int = 1) -> None:
        latent_fraction = LATENT_FRACTION if num_rates > 1 else 0
        super().__init__(num_channels, num_latents, latent_fraction=latent_fraction, built=with_synthesis)
        n, m = num_channels, num_latents
        self.gains = FrozenGains(num_rates, num_latents=m, num_hyper=n) if num_rates > 1 else None
        self.y_tables = StoredTables(NUM_SCALES, NORMAL_TABLE_WIDTH)
        self.z_tables = StoredTables(n, _Z_WIDTH)
        self.register_buffer("medians", torch.zeros(n, dtype=torch.int32))
        self.hyper = nn.ModuleList(
            [IntegerConv(n, n, upsample=True), IntegerConv(n, n, upsample=True), IntegerConv(n, m, upsample=False)]
        )

    def store_hyper_synthesis(self, transform: nn.Sequential, *, gain: float, offset: float) -> None:
        """Quantise the hyper synthesis, which gives (index - offset) / gain."""
        first, second, third = _only(IntegerConv, self.hyper)
        (last,) = _only(nn.Conv2d, transform)
        for conv, source, fraction in zip(
            (first, second), _only(nn.ConvTranspose2d, transform), (MEDIAN_FRACTION, FRACTION), strict=True
        ):
            conv.store(source, fraction=fraction)
        third.store(last, fraction=FRACTION, gain=gain, offset=offset)

    def store_tables(self, z_prior: FactorisedPrior) -> None:
        """Quantise the prior of z and write down the fixed tables of y."""
        medians = (z_prior.medians * 2.0**MEDIAN_FRACTION).round().clamp(-_MAX_MEDIAN, _MAX_MEDIAN)
        self.medians.copy_(medians.int())
        distances = torch.arange(-MAX_Z, MAX_Z + 1, device=medians.device)
        with torch.no_grad():
            pmfs_C1S = z_prior.likelihood(medians[:, None, None] * 2.0**-MEDIAN_FRACTION + distances)
        self.z_tables.store(prior_tables(pmfs_C1S[:, 0].double().cpu().numpy(), first=-MAX_Z))
        self.y_tables.store(gaussian_tables())

    def gains_at(self, number: int) -> Gains:
        """Return the gains of rate `number`; those of 1 where there is one rate."""
        return Gains() if self.gains is None else self.gains.at(number)

    def latent(self, y_symbols: Tensor, gains: Gains) -> Tensor:
        """Return y_hat (M, h, w), integers of `latent_fraction` bits."""
        device = self.medians.device
        return multiply_exactly(y_symbols.to(device), gains.y_inverse, bits=self.latent_fraction)

    def scale_indexes(self, z_symbols: Tensor, h: int, w: int, gains: Gains) -> NDArray[np.uint8]:
        """Return the index of the scale of each y symbol, (M, h, w)."""
        x = (z_symbols.int() * (1 << MEDIAN_FRACTION)).to(self.medians.device) + self.medians[:, None, None]
        x = multiply_exactly(x, gains.z_inverse).double()
        first, second, third = _only(IntegerConv, self.hyper)
        for conv, fraction in ((first, MEDIAN_FRACTION), (second, FRACTION)):
            x = conv(x, _rectify(int(conv.shift) + fraction - FRACTION))
        scale = 2.0 ** -(int(third.shift) + FRACTION)
        indexes = third(x, lambda sums: sums.mul_(scale).round_().clamp_(0, NUM_SCALES - 1))
        return np.ascontiguousarray(indexes[:, :h, :w].to(torch.uint8).cpu().numpy())


def _only(kind: type[T], modules: Iterable[nn.Module]) -> list[T]:
    """Return the modules, typed."""
    return [module for module in modules if isinstance(module, kind)]


def _rectify(bits: int) -> Callable[[Tensor], Tensor]:
    return lambda sums: requantise(sums, bits).clamp_(min=0.0)


def _normalise(conv: IntegerConv, fraction: int, igdn: IntegerIgdn) -> Callable[[Tensor], Tensor]:
    """Return the layer igdn(conv(x)) for x with `fraction` bits."""
    bits = int(conv.shift) + fraction - FRACTION
    return lambda x: conv(x, lambda sums: igdn(requantise(sums, bits)))


def _to_pixels(bits: int) -> Callable[[Tensor], Tensor]:
    # Clamped first: what is scaled is then a whole number up to 2^bits, and its product is rounded as IEEE 754 says.
    return lambda sums: sums.clamp_(0.0, 2.0**bits).mul_(255.0 * 2.0**-bits).round_()
