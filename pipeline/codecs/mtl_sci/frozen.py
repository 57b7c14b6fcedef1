"""What a frozen MTL-SCI codec decodes with: integer tables and integer networks, all of them buffers.

Shapes: M latent channels, C hidden channels; h, w latent rows and columns; y (M, h, w); z (C, ceil(h/4), ceil(w/4)).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.codecs.entropy import NUM_SCALES, StoredTables, gaussian_tables, pack_tables
from pipeline.codecs.integer_net import FRACTION, IntegerConv, IntegerIgdn, requantise
from pipeline.codecs.priors import FactorisedPrior
from pipeline.codecs.strips import in_strips

MAX_Y = 1 << 15
"""Largest magnitude of a symbol of y; the encoder clamps there."""
MAX_Z = 127
"""Largest magnitude of a symbol of z, counted from the channel's median."""
MEDIAN_FRACTION = 8
_Y_WIDTH = 2509  # columns of the widest normal's table
_Z_WIDTH = 2 * MAX_Z + 3
_TAIL = 5e-7


class FrozenDecoder(nn.Module):
    """From symbols of z to scale indexes, and from symbols of y to pixels, in exact arithmetic."""

    medians: Tensor

    def __init__(self, num_channels: int, num_latents: int) -> None:
        super().__init__()
        n, m = num_channels, num_latents
        self.num_channels = n
        self.y_tables = StoredTables(NUM_SCALES, _Y_WIDTH)
        self.z_tables = StoredTables(n, _Z_WIDTH)
        self.register_buffer("medians", torch.zeros(n, dtype=torch.int32))
        self.hyper = nn.ModuleList(
            [
                IntegerConv(n, n, upsample=True),
                IntegerConv(n, n, upsample=True),
                IntegerConv(n, m, upsample=False),
            ]
        )
        self.convs = nn.ModuleList([IntegerConv(i, o, upsample=True) for i, o in ((m, n), (n, n), (n, n), (n, 3))])
        self.igdns = nn.ModuleList([IntegerIgdn(n) for _ in range(3)])

    def store_transforms(
        self, hyper_synthesis: nn.Sequential, synthesis: nn.Sequential, *, gain: float, bias: float
    ) -> None:
        """Quantise both transforms; the hyper synthesis states (index - bias) / gain."""
        first, second, third = (layer for layer in hyper_synthesis if not isinstance(layer, nn.ReLU))
        self.hyper[0].store(first, fraction=MEDIAN_FRACTION)
        self.hyper[1].store(second, fraction=FRACTION)
        self.hyper[2].store(third, fraction=FRACTION, gain=gain, offset=bias)
        for place, conv in enumerate(self.convs):
            last = place == len(self.convs) - 1
            conv.store(synthesis[2 * place], fraction=FRACTION if place else 0, offset=0.5 if last else 0.0)
        for place, igdn in enumerate(self.igdns):
            igdn.store(synthesis[2 * place + 1])

    def store_tables(self, z_prior: FactorisedPrior) -> None:
        """Quantise the prior of z and write down the fixed tables of y."""
        medians = (z_prior.medians * 2.0**MEDIAN_FRACTION).round()
        limit = 1 << 20
        self.medians.copy_(medians.clamp(-limit, limit).int())
        self.y_tables.store(gaussian_tables())
        offsets = torch.arange(-MAX_Z, MAX_Z + 1, device=medians.device)
        samples = self.medians[:, None, None] * 2.0**-MEDIAN_FRACTION + offsets
        with torch.no_grad():
            pmf_CS = z_prior.likelihood(samples)[:, 0].double().cpu().numpy()
        pmfs, firsts = [], []
        for pmf in pmf_CS:
            below = np.flatnonzero(np.cumsum(pmf) > _TAIL)
            above = np.flatnonzero(np.cumsum(pmf[::-1]) > _TAIL)
            low = int(below[0]) if below.size else MAX_Z
            high = 2 * MAX_Z - int(above[0]) if above.size else MAX_Z
            low, high = min(low, MAX_Z), max(high, MAX_Z)
            inner = pmf[low : high + 1]
            pmfs.append(np.append(inner, max(1.0 - float(inner.sum()), 0.0)))
            firsts.append(low - MAX_Z)
        self.z_tables.store(pack_tables(pmfs, firsts, width=_Z_WIDTH))

    def scale_indexes(self, z_symbols: Tensor, h: int, w: int) -> NDArray[np.uint8]:
        """Return the index of the scale of each y symbol, (M, h, w)."""
        medians = self.medians.cpu()[:, None, None]
        x = (z_symbols.int() * (1 << MEDIAN_FRACTION) + medians).double().to(self.medians.device)
        shift = MEDIAN_FRACTION
        for place, conv in enumerate(self.hyper):
            x = conv(x)
            shift += int(conv.shift)
            if place < 2:
                x = requantise(x, shift - FRACTION).clamp_(min=0.0)
                shift = FRACTION
        indexes = (x[:, :h, :w] * 2.0**-shift).round_().clamp_(0, NUM_SCALES - 1)
        return indexes.to(torch.uint8).cpu().numpy()

    def reconstruct(self, y_symbols: Tensor, height: int, width: int, *, rows: int = 0) -> NDArray[np.uint8]:
        """Return the picture (height, width, 3); `rows` sets the height of a strip and changes nothing else."""
        y = y_symbols.to(self.medians.device).double()
        picture = in_strips(y, self._synthesise, num_channels=self.num_channels, halo=2, rows=rows)
        return np.ascontiguousarray(picture[:, :height, :width].permute(1, 2, 0).cpu().numpy())

    def _synthesise(self, x: Tensor) -> Tensor:
        """Return pixels (3, 16h, 16w), uint8, of a strip of y."""
        fraction = 0
        for place, conv in enumerate(self.convs):
            x = conv(x)
            fraction += int(conv.shift)
            if place < len(self.igdns):
                x = self.igdns[place](requantise(x, fraction - FRACTION))
                fraction = FRACTION
        # Clamped before scaling: x is then at most 2^fraction, and the product rounds the same way everywhere.
        return (x.clamp_(0.0, 2.0**fraction) * (255.0 * 2.0**-fraction)).round_().to(torch.uint8)
