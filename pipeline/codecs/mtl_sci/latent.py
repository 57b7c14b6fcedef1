"""What both bases of MTL-SCI share: from picture to latent, and from latent to label probability, strip by strip.

Shapes: H, W picture; M latent channels; h, w = ceil(H/16), ceil(W/16).
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import CheckpointError, CorruptBitstream
from pipeline.codecs.blocks import synthesis_transform
from pipeline.codecs.gains import Gains, GainUnits, default_rate, rate_segment, read_rate
from pipeline.codecs.interface import AbstractCodec
from pipeline.codecs.latent_check import latent_crc
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.codecs.strips import STRIDE, analyse_in_strips, strip_rows, synthesise_in_strips

LATENT_GAIN = 5.0
"""Of the latent at the start: near the quantisation that lambda = 0.01 ends at."""
PICTURE_MEAN = 0.5
"""Taken from the input and added to the output, so that the networks see values about 0."""
# The hyper synthesis states (index - INDEX_BIAS) / INDEX_GAIN: it starts near 0 and moves at the other layers' pace.
INDEX_BIAS = 18.0
INDEX_GAIN = 10.0


SEGMENT_Y = 1
SEGMENT_Z = 2
SEGMENT_CRC = 3
"""Of the dequantised latent; written where the synthesis is float, so that no CRC of pixels can stand in its place."""
SEGMENT_RATE = 4
"""Which of several rates; absent from the streams of weights with one."""


def build_head(config: MtlSciConfig) -> nn.Sequential | None:
    """Return the segmentation head with fresh weights, the mirror of an analysis transform, or None without one."""
    if not config.segmentation_head:
        return None
    head = synthesis_transform(config.num_latents, config.num_head_channels or config.num_channels, 1)
    with torch.no_grad():
        next(head.parameters()).div_(LATENT_GAIN)
    return head


def gains_for(units: GainUnits | None, rates_N: Tensor | None, pictures_N3HW: Tensor) -> Gains:
    """Return the gains of a batch's pictures, at the default rate if none are given; those of 1 without gain units."""
    if units is None:
        return Gains()
    if rates_N is None:
        rates_N = pictures_N3HW.new_full(pictures_N3HW.shape[:1], float(default_rate(units.num_rates)))
    gains: Gains = units(rates_N)
    return gains


def padded(pictures_N3HW: Tensor) -> Tensor:
    """Return what the analysis transform sees: whole latent rows and columns, values about 0."""
    height, width = pictures_N3HW.shape[2:]
    pad = (0, -width % STRIDE, 0, -height % STRIDE)
    return nn.functional.pad(pictures_N3HW, pad, mode="replicate") - PICTURE_MEAN


def latent_of(analysis: nn.Module, picture: NDArray[np.uint8], *, num_channels: int, rows: int = 0) -> Tensor:
    """Return y (M, h, w) of an RGB picture (H, W, 3); `rows` sets the latent rows of a strip."""
    height, width, _ = picture.shape
    edged = np.pad(picture, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)), mode="edge")
    x_3HW = torch.from_numpy(edged).permute(2, 0, 1)
    rows = rows or strip_rows(edged.shape[1] // STRIDE, num_channels, element_bytes=4)
    device = next(analysis.parameters()).device

    def analyse(strip_3HW: Tensor) -> Tensor:
        return run(strip_3HW.to(device).float() / 255.0 - PICTURE_MEAN)

    run = _unbatched(analysis)
    return analyse_in_strips(x_3HW, analyse, rows=rows)


def head_probability(
    head: nn.Sequential | None, y_hat_Mhw: Tensor, *, size: tuple[int, int], num_channels: int
) -> NDArray[np.float32]:
    """Return (H, W): the probability that a pixel is natural, as the head reads it from the dequantised latent.

    Raises: CheckpointError: there is no head.
    """
    if head is None:
        raise CheckpointError("this codec has no segmentation head (segmentation_head = false)")
    steps = [head[0:2], head[2:4], head[4:6], head[6:]]
    rows = strip_rows(y_hat_Mhw.shape[2], num_channels, element_bytes=4)
    logits = synthesise_in_strips(y_hat_Mhw.abs(), [_unbatched(step) for step in steps], rows=rows)
    probability: NDArray[np.float32] = torch.sigmoid(logits[0]).cpu().numpy()
    return np.ascontiguousarray(probability[: size[0], : size[1]])


def synthesise(
    synthesis: nn.Sequential, y_hat_Mhw: Tensor, *, size: tuple[int, int], num_channels: int
) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) of a dequantised latent by the float synthesis transform."""
    steps = [synthesis[0:2], synthesis[2:4], synthesis[4:6], synthesis[6:]]
    rows = strip_rows(y_hat_Mhw.shape[2], num_channels, element_bytes=4)
    x_3HW = synthesise_in_strips(y_hat_Mhw, [_unbatched(step) for step in steps], rows=rows)
    pixels = ((x_3HW + PICTURE_MEAN) * 255.0).round_().clamp_(0, 255).to(torch.uint8)
    return np.ascontiguousarray(pixels[:, : size[0], : size[1]].permute(1, 2, 0).cpu().numpy())


def check_segments(segments: Mapping[int, bytes], *, exact_pixels: bool, num_rates: int) -> None:
    """Raise CorruptBitstream unless these are the segments that an encoder writes."""
    wanted = {SEGMENT_Y, SEGMENT_Z} | (set() if exact_pixels else {SEGMENT_CRC})
    wanted |= {SEGMENT_RATE} if num_rates > 1 else set()
    if set(segments) != wanted:
        raise CorruptBitstream(f"mtl_sci needs the segments {sorted(wanted)}, got {sorted(segments)}")


def with_extras(segments: dict[int, bytes], y_hat_Mhw: Tensor, *, codec: AbstractCodec, rate: int) -> dict[int, bytes]:
    """Return the segments of y and z with those that only some codecs write."""
    if not codec.exact_pixels:
        segments[SEGMENT_CRC] = latent_crc(y_hat_Mhw)
    if codec.num_rates > 1:
        segments[SEGMENT_RATE] = rate_segment(rate)
    return segments


def rate_of(segments: Mapping[int, bytes], *, num_rates: int) -> int:
    """Return the rate that checked segments name, 0 if there is but one. Raises: as `read_rate`."""
    return read_rate(segments[SEGMENT_RATE], num_rates) if num_rates > 1 else 0


def _unbatched(step: nn.Module) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        # A batch of one is made where rows come first: x[None] would not be seen to have its channels last.
        out: Tensor = step(x.permute(1, 2, 0)[None].permute(0, 3, 1, 2))[0]
        return out

    return run
