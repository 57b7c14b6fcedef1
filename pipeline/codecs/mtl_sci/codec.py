"""MTL-SCI: a scale hyperprior whose latent is decoded twice, to the picture and to its segmentation.

    x -> analysis -> y -> round -> y_hat -> synthesis -> x_hat
                     |               \\-|.|-> head -----> logit of `natural` a pixel (training, labelling; costs no bit)
                     |y| -> hyper analysis -> z -> round -> hyper synthesis -> index of one of 64 scales for each y

Source: Heris and Bajic, arXiv:2302.02014 (the idea), Balle et al., arXiv:1802.01436 (the base codec). The head's
layers are not in any released source; here it mirrors the synthesis transform.

Shapes: N batch, H, W picture; h, w = ceil(H/16), ceil(W/16); M latent channels; y (N, M, h, w);
z (N, num_channels, ceil(h/4), ceil(w/4)).
"""

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.codecs import rans
from pipeline.codecs.blocks import analysis_transform, conv, deconv, synthesis_transform
from pipeline.codecs.entropy import scales_at
from pipeline.codecs.frozen_prior import channel_indexes, check_range
from pipeline.codecs.gains import RATE_STEPS, GainUnits, multiply, rate_number
from pipeline.codecs.initialise import start_as_wavelet
from pipeline.codecs.interface import AbstractCodec, CodecOutput, Coded, SideInputs
from pipeline.codecs.latent_check import check_latent
from pipeline.codecs.mtl_sci.charm import MtlSciCharm
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.codecs.mtl_sci.frozen import MAX_Y, MAX_Z, MEDIAN_FRACTION, FrozenDecoder
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
from pipeline.codecs.priors import FactorisedPrior, normal_likelihood, quantise
from pipeline.codecs.strips import STRIDE


def build(config: MtlSciConfig) -> AbstractCodec:
    """Build the codec with fresh weights (torch's global generator)."""
    return MtlSci(config) if config.base == "hyperprior" else MtlSciCharm(config)


class MtlSci(AbstractCodec):
    """The networks of one MTL-SCI codec on the scale hyperprior and, once frozen, its bytes."""

    def __init__(self, config: MtlSciConfig) -> None:
        super().__init__()
        self._config = config
        n, m = config.num_channels, config.num_latents
        self.analysis = analysis_transform(n, m)
        self.synthesis = synthesis_transform(m, n, 3)
        self.hyper_analysis = nn.Sequential(
            conv(m, n, kernel=3, stride=1), nn.ReLU(), conv(n, n), nn.ReLU(), conv(n, n, bias=False)
        )
        self.hyper_synthesis = nn.Sequential(
            deconv(n, n), nn.ReLU(), deconv(n, n), nn.ReLU(), conv(n, m, kernel=3, stride=1)
        )
        self.z_prior = FactorisedPrior(n)
        self.exact_pixels = config.synthesis == "integer"
        self.num_rates = config.num_rates
        self.gains = GainUnits(config.num_rates, num_latents=m, num_hyper=n) if config.num_rates > 1 else None
        self.frozen = FrozenDecoder(n, m, with_synthesis=self.exact_pixels, num_rates=config.num_rates)
        # Last, so that its fresh weights take nothing from the generator before the others: same seed, same codec.
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
        z_hat, z_likelihoods = self.z_prior(multiply(self.hyper_analysis(y_NMhw.abs()), gains.z))
        scales_NMhw = self._scales(multiply(z_hat, gains.z_inverse), y_NMhw.shape[2], y_NMhw.shape[3])
        symbols_NMhw = quantise(y_NMhw, training=self.training)
        y_hat_NMhw = multiply(symbols_NMhw, gains.y_inverse)
        # Magnitudes, as for the hyper analysis: in short runs (200 to 300 steps) the head's cross-entropy came to 0.13
        # to 0.17 nats with them and to 0.41 to 0.47 with signs (docs/LOG.md).
        logits = None if self.head is None else self.head(y_hat_NMhw.abs())[:, :, :height, :width]
        return CodecOutput(
            reconstruction=self.synthesis(y_hat_NMhw)[:, :, :height, :width] + PICTURE_MEAN,
            likelihoods={"y": normal_likelihood(symbols_NMhw, scales_NMhw), "z": z_likelihoods},
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
        if self.frozen.gains is not None and self.gains is not None:
            self.frozen.gains.store(self.gains)
        self.frozen.store_hyper_synthesis(self.hyper_synthesis, gain=INDEX_GAIN, offset=INDEX_BIAS)
        self.frozen.store_synthesis(self.synthesis, offset=PICTURE_MEAN)
        self.frozen.store_tables(self.z_prior)

    @torch.no_grad()
    def compress(self, picture: NDArray[np.uint8], side: SideInputs) -> Coded:
        height, width, _ = picture.shape
        rate = rate_number(side.rate, self.num_rates)
        gains = self.frozen.gains_at(rate)
        y_Mhw = multiply(self._latent(picture), gains.y)
        z = multiply(self.hyper_analysis(y_Mhw.abs()[None])[0], gains.z)
        y_symbols = y_Mhw.round().clamp(-MAX_Y, MAX_Y).int().cpu()
        medians = self.frozen.medians.to(z) * 2.0**-MEDIAN_FRACTION
        z_symbols = (z - medians[:, None, None]).round().clamp(-MAX_Z, MAX_Z).int().cpu()
        z_data = rans.encode(z_symbols.numpy(), channel_indexes(z_symbols.shape), self.frozen.z_tables.load())
        indexes = self.frozen.scale_indexes(z_symbols, y_symbols.shape[1], y_symbols.shape[2], gains)
        y_data = rans.encode(y_symbols.numpy(), indexes, self.frozen.y_tables.load())
        y_hat_Mhw = self.frozen.latent(y_symbols, gains)
        return Coded(
            segments=with_extras({SEGMENT_Y: y_data, SEGMENT_Z: z_data}, y_hat_Mhw, rate=rate, codec=self),
            reconstruct=functools.cache(lambda: self._synthesise(y_hat_Mhw, height, width)),
            details={"bytes_y": float(len(y_data)), "bytes_z": float(len(z_data))},
        )

    @torch.no_grad()
    def decompress(self, segments: Mapping[int, bytes], *, height: int, width: int) -> NDArray[np.uint8]:
        check_segments(segments, exact_pixels=self.exact_pixels, num_rates=self.num_rates)
        gains = self.frozen.gains_at(rate_of(segments, num_rates=self.num_rates))
        h, w = -(-height // STRIDE), -(-width // STRIDE)
        z_shape = (self._config.num_channels, -(-h // 4), -(-w // 4))
        z_symbols = rans.decode(segments[SEGMENT_Z], channel_indexes(z_shape), self.frozen.z_tables.load())
        check_range("z", z_symbols, MAX_Z)
        indexes = self.frozen.scale_indexes(torch.from_numpy(z_symbols), h, w, gains)
        y_symbols = rans.decode(segments[SEGMENT_Y], indexes, self.frozen.y_tables.load())
        check_range("y", y_symbols, MAX_Y)
        y_hat_Mhw = self.frozen.latent(torch.from_numpy(y_symbols), gains)
        if not self.exact_pixels:
            check_latent(y_hat_Mhw, segments[SEGMENT_CRC], codec="mtl_sci")
        return self._synthesise(y_hat_Mhw, height, width)

    @torch.no_grad()
    def _synthesise(self, y_hat_Mhw: Tensor, height: int, width: int) -> NDArray[np.uint8]:
        if self.exact_pixels:
            return self.frozen.reconstruct(y_hat_Mhw, height, width)
        y_hat = (y_hat_Mhw * 2.0**-self.frozen.latent_fraction).float()
        return synthesise(self.synthesis, y_hat, size=(height, width), num_channels=self._config.num_channels)

    @torch.no_grad()
    def label_probability(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (H, W): the probability that a pixel of an RGB picture (H, W, 3) is natural, from the coded latent.

        Raises: CheckpointError: this codec was built without a segmentation head.
        """
        # At the highest rate: labelling writes no bytes that could be saved.
        gains = self.frozen.gains_at((self.num_rates - 1) * RATE_STEPS)
        y_hat_Mhw = multiply(multiply(self._latent(picture), gains.y).round(), gains.y_inverse)
        num_channels = self._config.num_channels
        return head_probability(
            self.head, y_hat_Mhw, size=(picture.shape[0], picture.shape[1]), num_channels=num_channels
        )

    def _scales(self, z_hat: Tensor, h: int, w: int) -> Tensor:
        """Return the standard deviations (N, M, h, w) that training uses: the index is left unrounded."""
        return scales_at(self.hyper_synthesis(z_hat)[:, :, :h, :w] * INDEX_GAIN + INDEX_BIAS)

    def _latent(self, picture: NDArray[np.uint8], *, rows: int = 0) -> Tensor:
        return latent_of(self.analysis, picture, num_channels=self._config.num_channels, rows=rows)
