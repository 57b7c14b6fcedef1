"""SEEC's pixels coded as published, on a codec's float weights: what ours is compared with. Deliberately plain.

All patches of a picture go in one batch. Each of a patch's 190 steps

    runs the masked 7x7 convolution again over all patches' whole maps (the encoder, which has all pixels: once)
    runs every class's head on the step's pixels; the classes select
    turns the mixtures into 256 float probabilities a pixel and channel, none below 1/64800, and these into 16-bit CDFs
    codes R, then G, then B, each as a stream of its own: 570 streams

so, as published, whether it decodes depends on floats that come out the same on both sides: it is no format. Latents
are coded as ours are; they are a small part of bytes and time. Needs `context = "patch"`.

Source: SEEC, arXiv:2509.07704.

Shapes: B patches of P x P; F side features, C hidden channels, O outputs; n pixels of a step; K components.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.codecs.charm import LATENT_FRACTION
from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.intervals import IntervalReader, IntervalWriter, advance, peek
from pipeline.codecs.seec.codec import Seec
from pipeline.codecs.seec.config import PATCH
from pipeline.codecs.seec.mixture import MAX_LOG_SCALE, MAX_MEAN, MIN_LOG_SCALE, MIN_MEAN
from pipeline.codecs.seec.networks import TAP_UNIT, saturated
from pipeline.codecs.seec.patches import padded, to_patches
from pipeline.codecs.seec.side_layers import saturate
from pipeline.codecs.seec.wavefront import REACH, TAPS, steps

PROBABILITY_FLOOR = 1.0 / 64800
"""Times 2^16 it is above 1 even after all 256 are scaled to a sum of 1, so that rounded CDFs still rise."""
LEVELS = 256
NUM_LATENT_STREAMS = 2
NUM_CHANNELS = 3

Classes = NDArray[np.uint8]
Pixels = NDArray[np.uint8]


@torch.no_grad()
def encode(codec: Seec, picture: Pixels, classes: Classes) -> list[bytes]:
    """Return the streams y and z, then R, G, B of every step; of a picture (H, W, 3) and its classes (H, W)."""
    assert codec.side is not None and codec.frozen_side is not None
    x_13HW = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()
    latents, y_hat = codec.frozen_side.encode(codec.side, to_patches(padded(x_13HW / 255.0)))
    networks = _Networks(codec, y_hat, classes)
    height, width = classes.shape
    # Beyond the picture levels are 0; within the patches they are never coded.
    levels_B3PP = to_patches(nn.functional.pad(x_13HW, (0, -width % PATCH, 0, -height % PATCH)))
    context_BCPP = networks.context(levels_B3PP)
    streams = [latents["y"], latents["z"]]
    for rows, columns in _steps():
        inside = networks.inside(rows, columns)
        colours_n3 = levels_B3PP[:, :, rows, columns].permute(0, 2, 1)[inside]
        mixtures = [part[inside] for part in networks.mixtures(context_BCPP, rows, columns)]
        for channel in range(NUM_CHANNELS):
            cdfs = cdfs_of(mixtures, channel, colours_n3)
            symbols = colours_n3[:, channel].long().numpy()
            starts = np.take_along_axis(cdfs, symbols[:, None], axis=1)
            ends = np.take_along_axis(cdfs, symbols[:, None] + 1, axis=1)
            writer = IntervalWriter()
            writer.add(np.concatenate([starts, ends - starts - 1], axis=1).astype(np.uint16))
            streams.append(writer.data())
    return streams


@torch.no_grad()
def decode(codec: Seec, streams: Sequence[bytes], classes: Classes) -> Pixels:
    """Return the picture (H, W, 3) of `encode`'s streams; its size is the classes'."""
    assert codec.frozen_side is not None
    height, width = classes.shape
    down, across = -(-height // PATCH), -(-width // PATCH)
    networks = _Networks(codec, codec.frozen_side.decode(streams[0], streams[1], down * across), classes)
    levels_B3PP = torch.zeros(down * across, NUM_CHANNELS, PATCH, PATCH)
    left = iter(streams[NUM_LATENT_STREAMS:])
    for rows, columns in _steps():
        inside = networks.inside(rows, columns)
        colours_n3 = torch.zeros(int(inside.sum()), NUM_CHANNELS)
        of_step = networks.mixtures(networks.context(levels_B3PP), rows, columns)
        mixtures = [part[inside] for part in of_step]
        for channel in range(NUM_CHANNELS):
            reader = IntervalReader(next(left))
            symbols = np.empty(len(colours_n3), dtype=np.int64)
            compile_kernel(_decode_symbols)(cdfs_of(mixtures, channel, colours_n3), reader.words, reader.place, symbols)
            reader.finish()
            colours_n3[:, channel] = torch.from_numpy(symbols)
        step_B3n = torch.zeros(len(levels_B3PP), len(rows), NUM_CHANNELS)
        step_B3n[inside] = colours_n3
        levels_B3PP[:, :, rows, columns] = step_B3n.permute(0, 2, 1)
    split = levels_B3PP.view(down, across, NUM_CHANNELS, PATCH, PATCH).permute(0, 3, 1, 4, 2)
    picture: Pixels = split.reshape(down * PATCH, across * PATCH, NUM_CHANNELS)[:height, :width].byte().numpy()
    return np.ascontiguousarray(picture)


class _Networks:
    """What is predicted of pixels, all patches at once, in float32."""

    def __init__(self, codec: Seec, y_hat_BC44: Tensor, classes: Classes) -> None:
        networks = codec.pixels
        assert codec.side is not None and networks.context is not None and networks.fusion is not None
        self._codec, self._fusion, self._bias = codec, networks.fusion, networks.context.bias
        self._features_BFPP = saturate(codec.side.decoder(y_hat_BC44.float() * 2.0**-LATENT_FRACTION))
        side = 2 * REACH + 1
        self._kernel = networks.context.weight.new_zeros(len(self._bias), NUM_CHANNELS, side, side)
        for tap, (row, column) in enumerate(TAPS):
            weights = networks.context.weight[:, NUM_CHANNELS * tap : NUM_CHANNELS * (tap + 1)]
            self._kernel[:, :, REACH + row, REACH + column] = weights
        height, width = classes.shape
        filled = np.pad(classes.astype(np.int64), ((0, -height % PATCH), (0, -width % PATCH)), constant_values=-1)
        self._classes_BPP = to_patches(torch.from_numpy(filled)[None, None])[:, 0]

    def context(self, levels_B3PP: Tensor) -> Tensor:
        """Return the masked convolution of levels 0..255 over whole patches, (B, C, P, P)."""
        return nn.functional.conv2d(levels_B3PP * TAP_UNIT, self._kernel, self._bias, padding=REACH)

    def inside(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Return which of a step's pixels are in the picture (B, pixels of a patch)."""
        return self._classes_BPP[:, rows, columns] >= 0

    def mixtures(self, context_BCPP: Tensor, rows: Tensor, columns: Tensor) -> tuple[Tensor, ...]:
        """Return the mixtures (mixture.py's split) of a step's pixels, each (B, pixels of a patch, 3, K)."""
        context, features = (
            x_BXPP[:, :, rows, columns].permute(0, 2, 1).flatten(0, 1) for x_BXPP in (context_BCPP, self._features_BFPP)
        )
        fused = saturated(self._fusion(torch.cat([features, saturated(context)], dim=1)))
        of_heads = []
        for of_class, head in enumerate(self._codec.pixels.heads):
            gain, offset = self._codec.costs.gains[of_class]
            of_heads.append(head(fused) * gain + offset)
        # Pixels beyond the picture take the last class's; they are not coded.
        classes = self._classes_BPP[:, rows, columns].flatten()
        outputs = torch.stack(of_heads)[classes, torch.arange(len(classes))]
        split = self._codec.pixels.layout(0).split(outputs)
        return tuple(part.reshape(-1, len(rows), *part.shape[1:]) for part in split)


def cdfs_of(mixtures: Sequence[Tensor], channel: int, colours_n3: Tensor) -> NDArray[np.int32]:
    """Return the CDFs (n, 257), from 0 to 2^16, of a channel's levels, the channels before it being known."""
    means, log_scales, coefficients, logits = mixtures
    centres_nK = means[:, channel]
    for earlier in range(channel):
        # c0: R to G; c1, c2: R and G to B
        moved = torch.tanh(coefficients[:, earlier + channel - 1]) * colours_n3[:, earlier, None]
        centres_nK = centres_nK + moved
    centres_nK = centres_nK.clamp(MIN_MEAN, MAX_MEAN)
    inverse_nK = torch.exp(-log_scales[:, channel].clamp(MIN_LOG_SCALE, MAX_LOG_SCALE))
    edges = torch.arange(LEVELS - 1) + 0.5
    below = torch.sigmoid((edges[:, None] - centres_nK[:, None]) * inverse_nK[:, None])
    masses_nLK = nn.functional.pad(below, (0, 0, 0, 1), value=1.0) - nn.functional.pad(below, (0, 0, 1, 0))
    pmf_nL = (masses_nLK * nn.functional.softmax(logits[:, channel], dim=1)[:, None]).sum(dim=2)
    pmf_nL = pmf_nL.clamp(min=PROBABILITY_FLOOR)
    pmf_nL = pmf_nL / pmf_nL.sum(dim=1, keepdim=True)
    cdfs = np.zeros((len(pmf_nL), LEVELS + 1), dtype=np.int32)
    cdfs[:, 1:] = (pmf_nL.cumsum(dim=1) * 65536.0).round().int().numpy()
    cdfs[:, -1] = 1 << 16
    return cdfs


def _steps() -> Iterator[tuple[Tensor, Tensor]]:
    for rows, columns in steps(PATCH, PATCH):
        yield torch.from_numpy(rows).long(), torch.from_numpy(columns).long()


def _decode_symbols(cdfs: Any, words: Any, place: Any, symbols: Any) -> None:
    """Read a symbol by each CDF, found by bisection."""
    for p in range(len(symbols)):
        slot = peek(place)
        low, high = 0, cdfs.shape[1] - 2
        while low < high:
            middle = (low + high + 1) >> 1
            if cdfs[p, middle] <= slot:
                low = middle
            else:
                high = middle - 1
        advance(words, place, np.int64(cdfs[p, low]), np.int64(cdfs[p, low + 1] - cdfs[p, low]))
        symbols[p] = low
