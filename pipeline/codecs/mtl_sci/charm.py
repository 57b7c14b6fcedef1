"""MTL-SCI on the channel-conditional base: as on the hyperprior (codec.py), but y is coded slice by slice.

    y -> hyper analysis -> z -> round -> two hyper syntheses -> means, scales -> slices (charm.py) -> y_hat

Source: Heris and Bajic, arXiv:2302.02014 (the idea); Minnen and Singh, arXiv:2007.08739, as released in TensorFlow
Compression's ms2020.py (the base).

Shapes: N batch, H, W picture; h, w = ceil(H/16), ceil(W/16); M latent channels; y (N, M, h, w);
z (N, num_channels, ceil(h/4), ceil(w/4)).
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.codecs.blocks import analysis_transform, conv, deconv, synthesis_transform
from pipeline.codecs.charm import LATENT_FRACTION, ChannelSlices, CodeSlice, IntegerSlices
from pipeline.codecs.entropy import NORMAL_TABLE_WIDTH, NUM_SCALES, StoredTables, gaussian_tables, scales_at
from pipeline.codecs.frozen_prior import MEDIAN_FRACTION, FrozenPrior
from pipeline.codecs.gains import RATE_STEPS, FrozenGains, Gains, GainUnits, multiply, multiply_exactly, rate_number
from pipeline.codecs.initialise import start_as_wavelet
from pipeline.codecs.integer_net import FRACTION
from pipeline.codecs.integer_sequence import IntegerSequence
from pipeline.codecs.interface import AbstractCodec, CodecOutput, Coded, SideInputs
from pipeline.codecs.latent_check import check_latent
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.codecs.mtl_sci.frozen import FrozenSynthesis
from pipeline.codecs.mtl_sci.latent import (
    INDEX_BIAS,
    INDEX_GAIN,
    LATENT_GAIN,
    PICTURE_MEAN,
    SEGMENT_CRC,
    SEGMENT_Y,
    SEGMENT_Z,
    build_head,
    check_segments,
    gains_for,
    head_probability,
    latent_of,
    padded,
    rate_of,
    synthesise,
    with_extras,
)
from pipeline.codecs.priors import FactorisedPrior, normal_likelihood
from pipeline.codecs.slice_coding import SliceReader, SliceWriter
from pipeline.codecs.strips import STRIDE

_KERNELS = (5, 5, 3)


class MtlSciCharm(AbstractCodec):
    """The networks of one MTL-SCI codec on the channel-conditional base and, once frozen, its bytes."""

    def __init__(self, config: MtlSciConfig) -> None:
        super().__init__()
        self._config = config
        n, m = config.num_channels, config.num_latents
        between = (n + m) // 2
        self.analysis = analysis_transform(n, m)
        self.synthesis = synthesis_transform(m, n, 3)
        self.hyper_analysis = nn.Sequential(
            conv(m, m, kernel=3, stride=1), nn.ReLU(), conv(m, between), nn.ReLU(), conv(between, n, bias=False)
        )
        self.hyper_means, self.hyper_scales = (
            nn.Sequential(
                deconv(n, n), nn.ReLU(), deconv(n, between), nn.ReLU(), conv(between, m, kernel=3, stride=1), nn.ReLU()
            )
            for _ in range(2)
        )
        self.slices = ChannelSlices(
            _slice_net(config.slice_widths),
            num_latents=m,
            num_slices=config.num_slices,
            max_support=config.num_support_slices,
        )
        self.z_prior = FactorisedPrior(n)
        self.exact_pixels = config.synthesis == "integer"
        self.num_rates = config.num_rates
        self.gains = GainUnits(config.num_rates, num_latents=m, num_hyper=n) if config.num_rates > 1 else None
        self.frozen = _Frozen(self, config)
        self.head = build_head(config)
        start_as_wavelet(self.analysis, self.synthesis, gain=LATENT_GAIN)

    @property
    def config(self) -> MtlSciConfig:
        return self._config

    def forward(
        self,
        pictures_N3HW: Tensor,
        regions_NHW: Tensor | None = None,  # noqa: ARG002
        labels_NHW: Tensor | None = None,  # noqa: ARG002
        rates_N: Tensor | None = None,
    ) -> CodecOutput:
        height, width = pictures_N3HW.shape[2:]
        gains = gains_for(self.gains, rates_N, pictures_N3HW)
        y_NMhw = multiply(self.analysis(padded(pictures_N3HW)), gains.y)
        h, w = y_NMhw.shape[2:]
        z_hat, z_likelihoods = self.z_prior(multiply(self.hyper_analysis(y_NMhw), gains.z))
        z_hat = multiply(z_hat, gains.z_inverse)
        means, scales = (net(z_hat)[:, :, :h, :w] for net in (self.hyper_means, self.hyper_scales))
        predicted = self.slices(y_NMhw, means, scales)
        y_hat_NMhw = multiply(predicted.y_hat, gains.y_inverse)
        y_likelihoods = normal_likelihood(predicted.symbols, scales_at(predicted.scales * INDEX_GAIN + INDEX_BIAS))
        logits = None if self.head is None else self.head(y_hat_NMhw.abs())[:, :, :height, :width]
        return CodecOutput(
            reconstruction=self.synthesis(y_hat_NMhw)[:, :, :height, :width] + PICTURE_MEAN,
            likelihoods={"y": y_likelihoods, "z": z_likelihoods},
            label_logits=logits,
        )

    def aux_loss(self) -> Tensor:
        return self.z_prior.aux_loss()

    def aux_parameters(self) -> list[nn.Parameter]:
        return [self.z_prior.quantiles]

    def start_rates(self, lambdas: Sequence[float]) -> None:
        if self.gains is not None:
            self.gains.start(lambdas)

    def freeze(self) -> None:
        self.frozen.store(self)

    @torch.no_grad()
    def compress(self, picture: NDArray[np.uint8], side: SideInputs) -> Coded:
        height, width, _ = picture.shape
        rate = rate_number(side.rate, self.num_rates)
        z_symbols, y_hat_Mhw, writer = self._encode(picture, rate)
        y_data, z_data = writer.data(), self.frozen.z_prior.encode(z_symbols)
        return Coded(
            segments=with_extras({SEGMENT_Y: y_data, SEGMENT_Z: z_data}, y_hat_Mhw, codec=self, rate=rate),
            reconstruct=functools.cache(lambda: self._synthesise(y_hat_Mhw, height, width)),
            details={"bytes_y": float(len(y_data)), "bytes_z": float(len(z_data))},
        )

    @torch.no_grad()
    def decompress(self, segments: Mapping[int, bytes], *, height: int, width: int) -> NDArray[np.uint8]:
        return self._synthesise(self.decode_latent(segments, height=height, width=width), height, width)

    @torch.no_grad()
    def decode_latent(self, segments: Mapping[int, bytes], *, height: int, width: int) -> Tensor:
        """Return y_hat (M, h, w), integers of LATENT_FRACTION bits, the same on every machine.

        Raises: CorruptBitstream, TruncatedBitstream, ReconstructionMismatch: it is not the one that the encoder had.
        """
        check_segments(segments, exact_pixels=self.exact_pixels, num_rates=self.num_rates)
        gains = self.frozen.gains_at(rate_of(segments, num_rates=self.num_rates))
        h, w = -(-height // STRIDE), -(-width // STRIDE)
        z_shape = (self._config.num_channels, -(-h // 4), -(-w // 4))
        z_symbols = self.frozen.z_prior.decode(segments[SEGMENT_Z], z_shape, name="z")
        reader = SliceReader(segments[SEGMENT_Y], self.frozen.y_tables.load(), _indexes)
        y_hat_Mhw = self.frozen.latent(z_symbols, (h, w), gains, reader.take)
        reader.finish()
        if not self.exact_pixels:
            check_latent(y_hat_Mhw, segments[SEGMENT_CRC], codec="mtl_sci")
        return y_hat_Mhw

    @torch.no_grad()
    def _synthesise(self, y_hat_Mhw: Tensor, height: int, width: int) -> NDArray[np.uint8]:
        if self.exact_pixels:
            return self.frozen.synthesis.reconstruct(y_hat_Mhw, height, width)
        y_hat = (y_hat_Mhw * 2.0**-LATENT_FRACTION).float()
        return synthesise(self.synthesis, y_hat, size=(height, width), num_channels=self._config.num_channels)

    @torch.no_grad()
    def label_probability(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (H, W): the probability that a pixel of an RGB picture (H, W, 3) is natural, from the coded latent.

        Raises: CheckpointError: this codec was built without a segmentation head.
        """
        # At the highest rate: labelling writes no bytes that could be saved.
        _, y_hat_Mhw, _ = self._encode(picture, (self.num_rates - 1) * RATE_STEPS)
        y_hat = (y_hat_Mhw * 2.0**-LATENT_FRACTION).float()
        return head_probability(
            self.head, y_hat, size=(picture.shape[0], picture.shape[1]), num_channels=self._config.num_channels
        )

    def _encode(self, picture: NDArray[np.uint8], rate: int) -> tuple[Tensor, Tensor, SliceWriter]:
        """Return z's symbols, the dequantised latent and y's coded slices."""
        gains = self.frozen.gains_at(rate)
        y_Mhw = multiply(latent_of(self.analysis, picture, num_channels=self._config.num_channels), gains.y)
        z_symbols = self.frozen.z_prior.symbols(multiply(self.hyper_analysis(y_Mhw[None])[0], gains.z))
        writer = SliceWriter(y_Mhw, self.frozen.y_tables.load(), _indexes)
        y_hat_Mhw = self.frozen.latent(z_symbols, (y_Mhw.shape[1], y_Mhw.shape[2]), gains, writer.put)
        return z_symbols, y_hat_Mhw, writer


class _Frozen(nn.Module):
    """What decodes, in exact arithmetic."""

    def __init__(self, codec: MtlSciCharm, config: MtlSciConfig) -> None:
        super().__init__()
        rates = {"num_latents": config.num_latents, "num_hyper": config.num_channels}
        self.gains = FrozenGains(config.num_rates, **rates) if config.num_rates > 1 else None
        self.y_tables = StoredTables(NUM_SCALES, NORMAL_TABLE_WIDTH)
        self.z_prior = FrozenPrior(config.num_channels)
        self.hyper_means, self.hyper_scales = (
            IntegerSequence(net, in_fraction=MEDIAN_FRACTION, out_fraction=LATENT_FRACTION)
            for net in (codec.hyper_means, codec.hyper_scales)
        )
        self.slices = IntegerSlices(codec.slices)
        self.synthesis = FrozenSynthesis(
            config.num_channels,
            config.num_latents,
            latent_fraction=LATENT_FRACTION,
            built=config.synthesis == "integer",
        )

    def store(self, codec: MtlSciCharm) -> None:
        if self.gains is not None and codec.gains is not None:
            self.gains.store(codec.gains)
        self.y_tables.store(gaussian_tables())
        self.z_prior.store(codec.z_prior)
        self.hyper_means.store(codec.hyper_means)
        self.hyper_scales.store(codec.hyper_scales)
        self.slices.store(codec.slices)
        self.synthesis.store_synthesis(codec.synthesis, offset=PICTURE_MEAN)

    def gains_at(self, number: int) -> Gains:
        """Return the gains of rate `number`; those of 1 where there is one rate."""
        return Gains() if self.gains is None else self.gains.at(number)

    def latent(self, z_symbols: Tensor, size: tuple[int, int], gains: Gains, code: CodeSlice) -> Tensor:
        """Return y_hat (M, h, w), LATENT_FRACTION bits; `code` gives or takes the symbols."""
        h, w = size
        z = self.z_prior.values(z_symbols.to(self.z_prior.medians.device), fraction=MEDIAN_FRACTION)
        z = multiply_exactly(z, gains.z_inverse)
        means, scales = (net(z)[:, :h, :w].contiguous() for net in (self.hyper_means, self.hyper_scales))
        y_hat: Tensor = self.slices(means, scales, code)
        return multiply_exactly(y_hat, gains.y_inverse)


def _slice_net(widths: tuple[int, ...]) -> Callable[[int, int], nn.Sequential]:
    def build(in_channels: int, out_channels: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for (inputs, outputs), kernel in zip(pairwise((in_channels, *widths, out_channels)), _KERNELS, strict=True):
            layers += [conv(inputs, outputs, kernel=kernel, stride=1), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    return build


def _indexes(scales: Tensor) -> Tensor:
    """Return the table of each symbol from the scale network's output, FRACTION bits."""
    # Products and sums of integers, exact in any order of evaluation; then one rounding.
    indexes = (scales * INDEX_GAIN + INDEX_BIAS * 2.0**FRACTION).mul_(2.0**-FRACTION)
    return indexes.round_().clamp_(0, NUM_SCALES - 1)
