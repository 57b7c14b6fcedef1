"""MTL-SCI: a scale hyperprior whose latent is decoded twice, to the picture and to its segmentation.

    x -> analysis -> y -> round -> y_hat -> synthesis -> x_hat
                     |               \\-|.|-> head -----> logit of `natural` a pixel (training, labelling; costs no bit)
                     |y| -> hyper analysis -> z -> round -> hyper synthesis -> index of one of 64 scales for each y

Source: Heris and Bajic, arXiv:2302.02014 (the idea), Balle et al., arXiv:1802.01436 (the base codec). The head's
layers are not in any released source; here it mirrors the synthesis transform.

Shapes: N batch, H, W picture; h, w = ceil(H/16), ceil(W/16); M latent channels; y (N, M, h, w);
z (N, num_channels, ceil(h/4), ceil(w/4)).
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import CheckpointError, CorruptBitstream
from pipeline.codecs import rans
from pipeline.codecs.blocks import analysis_transform, conv, deconv, synthesis_transform
from pipeline.codecs.entropy import NUM_SCALES, scale_table
from pipeline.codecs.initialise import start_as_wavelet
from pipeline.codecs.interface import AbstractCodec, CodecOutput, Coded, SideInputs
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.codecs.mtl_sci.frozen import MAX_Y, MAX_Z, MEDIAN_FRACTION, FrozenDecoder
from pipeline.codecs.priors import FactorisedPrior, normal_likelihood, quantise
from pipeline.codecs.strips import STRIDE, analyse_in_strips, strip_rows, synthesise_in_strips

SEGMENT_Y = 1
SEGMENT_Z = 2
# The hyper synthesis states (index - INDEX_BIAS) / INDEX_GAIN: it starts near 0 and moves at the other layers' pace.
INDEX_BIAS = 18.0
INDEX_GAIN = 10.0
LATENT_GAIN = 5.0
"""Of the latent at the start: near the quantisation that lambda = 0.01 ends at."""
PICTURE_MEAN = 0.5
"""Taken from the input and added to the output, so that the networks see values about 0."""


def build(config: MtlSciConfig) -> "MtlSci":
    """Build the codec with fresh weights (torch's global generator)."""
    return MtlSci(config)


class MtlSci(AbstractCodec):
    """The networks of one MTL-SCI codec and, once frozen, its bytes."""

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
        self.frozen = FrozenDecoder(n, m)
        # Last, so that its fresh weights take nothing from the generator before the others: same seed, same codec.
        self.head = synthesis_transform(m, config.num_head_channels or n, 1) if config.segmentation_head else None
        start_as_wavelet(self.analysis, self.synthesis, gain=LATENT_GAIN)
        if self.head is not None:
            with torch.no_grad():
                next(self.head.parameters()).div_(LATENT_GAIN)

    @property
    def config(self) -> MtlSciConfig:
        return self._config

    def forward(self, pictures_N3HW: Tensor) -> CodecOutput:
        height, width = pictures_N3HW.shape[2:]
        pad = (0, -width % STRIDE, 0, -height % STRIDE)
        y_NMhw = self.analysis(nn.functional.pad(pictures_N3HW, pad, mode="replicate") - PICTURE_MEAN)
        z_hat, z_likelihoods = self.z_prior(self.hyper_analysis(y_NMhw.abs()))
        scales_NMhw = self._scales(z_hat, y_NMhw.shape[2], y_NMhw.shape[3])
        y_hat_NMhw = quantise(y_NMhw, training=self.training)
        # Magnitudes, as for the hyper analysis: in short runs (200 to 300 steps) the head's cross-entropy came to 0.13
        # to 0.17 nats with them and to 0.41 to 0.47 with signs (docs/LOG.md).
        logits = None if self.head is None else self.head(y_hat_NMhw.abs())[:, :, :height, :width]
        return CodecOutput(
            reconstruction=self.synthesis(y_hat_NMhw)[:, :, :height, :width] + PICTURE_MEAN,
            likelihoods={"y": normal_likelihood(y_hat_NMhw, scales_NMhw), "z": z_likelihoods},
            label_logits=logits,
        )

    def aux_loss(self) -> Tensor:
        return self.z_prior.aux_loss()

    def aux_parameters(self) -> list[nn.Parameter]:
        return [self.z_prior.quantiles]

    def freeze(self) -> None:
        self.frozen.store_hyper_synthesis(self.hyper_synthesis, gain=INDEX_GAIN, offset=INDEX_BIAS)
        self.frozen.store_synthesis(self.synthesis, offset=PICTURE_MEAN)
        self.frozen.store_tables(self.z_prior)

    @torch.no_grad()
    def compress(self, picture: NDArray[np.uint8], side: SideInputs) -> Coded:  # noqa: ARG002 - the interface's
        height, width, _ = picture.shape
        y_Mhw = self._latent(picture)
        z = self.hyper_analysis(y_Mhw.abs()[None])[0]
        y_symbols = y_Mhw.round().clamp(-MAX_Y, MAX_Y).int().cpu()
        medians = self.frozen.medians.to(z) * 2.0**-MEDIAN_FRACTION
        z_symbols = (z - medians[:, None, None]).round().clamp(-MAX_Z, MAX_Z).int().cpu()
        z_data = rans.encode(z_symbols.numpy(), _channel_indexes(z_symbols.shape), self.frozen.z_tables.load())
        indexes = self.frozen.scale_indexes(z_symbols, y_symbols.shape[1], y_symbols.shape[2])
        y_data = rans.encode(y_symbols.numpy(), indexes, self.frozen.y_tables.load())
        return Coded(
            segments={SEGMENT_Y: y_data, SEGMENT_Z: z_data},
            reconstruction=self.frozen.reconstruct(y_symbols, height, width),
            details={"bytes_y": float(len(y_data)), "bytes_z": float(len(z_data))},
        )

    @torch.no_grad()
    def decompress(self, segments: Mapping[int, bytes], *, height: int, width: int) -> NDArray[np.uint8]:
        if set(segments) != {SEGMENT_Y, SEGMENT_Z}:
            raise CorruptBitstream(f"mtl_sci needs the segments {SEGMENT_Y} and {SEGMENT_Z}, got {sorted(segments)}")
        h, w = -(-height // STRIDE), -(-width // STRIDE)
        z_shape = (self._config.num_channels, -(-h // 4), -(-w // 4))
        z_symbols = rans.decode(segments[SEGMENT_Z], _channel_indexes(z_shape), self.frozen.z_tables.load())
        _check_range("z", z_symbols, MAX_Z)
        indexes = self.frozen.scale_indexes(torch.from_numpy(z_symbols), h, w)
        y_symbols = rans.decode(segments[SEGMENT_Y], indexes, self.frozen.y_tables.load())
        _check_range("y", y_symbols, MAX_Y)
        return self.frozen.reconstruct(torch.from_numpy(y_symbols), height, width)

    @torch.no_grad()
    def label_probability(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (H, W): the probability that a pixel of an RGB picture (H, W, 3) is natural, from the coded latent.

        Raises: CheckpointError: this codec was built without a segmentation head.
        """
        if self.head is None:
            raise CheckpointError("this codec has no segmentation head (segmentation_head = false)")
        y_hat_Mhw = self._latent(picture).round().abs()
        steps = [self.head[0:2], self.head[2:4], self.head[4:6], self.head[6:]]
        rows = strip_rows(y_hat_Mhw.shape[2], self._config.num_channels)
        logits = synthesise_in_strips(y_hat_Mhw, [_unbatched(step) for step in steps], rows=rows)
        probability: NDArray[np.float32] = torch.sigmoid(logits[0]).cpu().numpy()
        return np.ascontiguousarray(probability[: picture.shape[0], : picture.shape[1]])

    def _scales(self, z_hat: Tensor, h: int, w: int) -> Tensor:
        """Return the standard deviations (N, M, h, w) that training uses: the index is left unrounded."""
        indexes = self.hyper_synthesis(z_hat)[:, :, :h, :w] * INDEX_GAIN + INDEX_BIAS
        table = scale_table()
        log_step = float(np.log(table[-1] / table[0])) / (NUM_SCALES - 1)
        return float(table[0]) * torch.exp(log_step * indexes.clamp(0.0, NUM_SCALES - 1.0))

    def _latent(self, picture: NDArray[np.uint8], *, rows: int = 0) -> Tensor:
        """Return y (M, h, w) of an RGB picture (H, W, 3); `rows` sets the latent rows of a strip."""
        height, width, _ = picture.shape
        padded = np.pad(picture, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), mode="edge")
        x_3HW = torch.from_numpy(padded).permute(2, 0, 1)
        rows = rows or strip_rows(padded.shape[1] // STRIDE, self._config.num_channels)

        def analyse(strip_3HW: Tensor) -> Tensor:
            x = strip_3HW.to(self.device).float() / 255.0 - PICTURE_MEAN
            latent: Tensor = self.analysis(x[None])[0]
            return latent

        return analyse_in_strips(x_3HW, analyse, rows=rows)


def _unbatched(step: nn.Module) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        out: Tensor = step(x[None])[0]
        return out

    return run


def _channel_indexes(shape: tuple[int, ...] | torch.Size) -> NDArray[np.int32]:
    """Return (C, h, w): each symbol's channel, which is its table."""
    return np.broadcast_to(np.arange(shape[0], dtype=np.int32)[:, None, None], tuple(shape))


def _check_range(name: str, symbols: NDArray[np.int32], limit: int) -> None:
    if symbols.size and max(int(symbols.max()), -int(symbols.min())) > limit:
        raise CorruptBitstream(f"a symbol of {name} is beyond +-{limit}, which no encoder writes")
