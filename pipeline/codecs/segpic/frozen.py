"""What a frozen SegPIC codec decodes its latents with: integer tables and integer networks, all of them buffers.

The synthesis transform, which turns latents into pixels, is not among them: it stays in floating point, so two
machines' pixels may differ by rounding, their latents never.

Shapes: M latent channels; h, w latent rows and columns; z (N, h / 4, w / 4); P prototype channels, R regions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from pipeline.codecs.charm import LATENT_FRACTION, CodeSlice, IntegerSlices
from pipeline.codecs.entropy import NORMAL_TABLE_WIDTH, NUM_SCALES, StoredTables, gaussian_tables, scale_table
from pipeline.codecs.frozen_prior import MEDIAN_FRACTION, FrozenPrior
from pipeline.codecs.integer_net import FRACTION
from pipeline.codecs.integer_sequence import IntegerSequence
from pipeline.codecs.segpic.frozen_rat import IntegerRat
from pipeline.codecs.segpic.prototypes import PrototypeCodec

if TYPE_CHECKING:
    from pipeline.codecs.segpic.codec import SegPic


class FrozenPrototypes(nn.Module):
    """Prototypes <-> symbols <-> bytes."""

    def __init__(self, source: PrototypeCodec) -> None:
        super().__init__()
        self.prior = FrozenPrior(len(source.prior.quantiles))
        self.synthesis = IntegerSequence(source.synthesis, in_fraction=MEDIAN_FRACTION, out_fraction=LATENT_FRACTION)

    def store(self, source: PrototypeCodec) -> None:
        """Quantise the trained prior and synthesis."""
        self.prior.store(source.prior)
        self.synthesis.store(source.synthesis)

    def values(self, symbols_PR: Tensor) -> Tensor:
        """Return the prototypes (C, R) that symbols stand for, LATENT_FRACTION bits."""
        coded = self.prior.values(symbols_PR, fraction=MEDIAN_FRACTION)
        decoded: Tensor = self.synthesis(coded[:, :, None])[:, :, 0]
        return decoded


class FrozenSegPic(nn.Module):
    """From symbols to y_hat, in exact arithmetic."""

    thresholds: Tensor

    def __init__(self, codec: SegPic) -> None:
        super().__init__()
        self.y_tables = StoredTables(NUM_SCALES, NORMAL_TABLE_WIDTH)
        self.register_buffer("thresholds", torch.zeros(NUM_SCALES - 1, dtype=torch.int64))
        self.z_prior = FrozenPrior(len(codec.z_prior.quantiles))
        self.fine_prototypes, self.coarse_prototypes = (
            None if source is None else FrozenPrototypes(source)
            for source in (codec.fine_prototypes, codec.coarse_prototypes)
        )
        self.hyper_means, self.hyper_scales = (
            IntegerSequence(net, in_fraction=MEDIAN_FRACTION, out_fraction=LATENT_FRACTION)
            for net in (codec.hyper_means, codec.hyper_scales)
        )
        self.means_rat, self.scales_rat = (
            None if rat is None else IntegerRat(rat) for rat in (codec.means_rat, codec.scales_rat)
        )
        self.slices = IntegerSlices(codec.slices)

    def store(self, codec: SegPic) -> None:
        """Quantise the trained codec."""
        self.y_tables.store(gaussian_tables())
        # A scale takes the first table whose standard deviation is not below it.
        self.thresholds.copy_(torch.from_numpy(scale_table()[:-1] * 2.0**FRACTION).floor().long())
        self.z_prior.store(codec.z_prior)
        self.hyper_means.store(codec.hyper_means)
        self.hyper_scales.store(codec.hyper_scales)
        self.slices.store(codec.slices)
        for prototypes, trained in (
            (self.fine_prototypes, codec.fine_prototypes),
            (self.coarse_prototypes, codec.coarse_prototypes),
        ):
            if prototypes is not None and trained is not None:
                prototypes.store(trained)
        for rat, source in ((self.means_rat, codec.means_rat), (self.scales_rat, codec.scales_rat)):
            if rat is not None and source is not None:
                rat.store(source)

    def latent(self, z_symbols: Tensor, prototypes_MR: Tensor | None, index_hw: Tensor, code: CodeSlice) -> Tensor:
        """Return y_hat (M, h, w), LATENT_FRACTION bits; `code` gives or takes y's symbols.

        `prototypes_MR` are the decoded ones of y, None without region-adaptive transforms; `index_hw` tells which
        of them a position has.
        """
        z = self.z_prior.values(z_symbols, fraction=MEDIAN_FRACTION)
        means, scales = self.hyper_means(z), self.hyper_scales(z)
        if prototypes_MR is not None and self.means_rat is not None and self.scales_rat is not None:
            means = self.means_rat(means, prototypes_MR, index_hw)
            scales = self.scales_rat(scales, prototypes_MR, index_hw)
        y_hat: Tensor = self.slices(means, scales, code)
        return y_hat

    def indexes(self, scales: Tensor) -> Tensor:
        """Return the table of each symbol from the scale networks' output, FRACTION bits."""
        return torch.bucketize(scales.long(), self.thresholds)
