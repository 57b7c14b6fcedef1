"""What a validation does: figures of all its crops, bitstreams of a few of them, and a few to look at.

N crops, H, W side of a crop.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.coding import compress_picture
from pipeline.codecs.interface import CodecOutput
from pipeline.codecs.table import find_codec
from training.config import TrainConfig, needs_labels
from training.data import Batch
from training.figures import coded_sums, measure, no_sums
from training.ranks import Ranks
from training.state import TrainState
from training.step import autocast, to_device


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One validation crop as a person looks at it; a part of a `Report`, of this rank's crops."""

    original: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    decoded: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    label: NDArray[np.uint8]
    """(H, W): 0 synthetic, 1 natural, 255 unknown."""
    natural: NDArray[np.float32] | None
    """(H, W): the probability of `natural` that the codec gives; None for one without a segmentation head."""


def validate(
    state: TrainState, config: TrainConfig, batches: Sequence[Batch], ranks: Ranks
) -> tuple[Tensor, tuple[Shown, ...]]:
    """Return the sums over all ranks' validation crops, as `measure` orders them, times 1 / num_ranks.

    And some of this rank's crops to look at. The averaged weights are validated where there are any.
    """
    device = state.codec.device
    sums = no_sums()
    shown: list[Shown] = []
    state.codec.eval()
    with state.averaged():
        with torch.no_grad(), autocast(config, device):
            for batch in batches:
                # Without region maps, as coding is: what training was told must not flatter the figures. Classes are
                # sent.
                there = to_device(batch, device)
                output = state.codec(there.pictures, None, there.labels if needs_labels(config) else None)
                sums += measure(output, there.pictures, there.labels, there.classes)
                shown += _shown(batch, output, num=config.validate_pictures - len(shown))
        sums += _coded(state, config, batches, ranks)
    state.codec.train()
    ranks.average(sums)
    return sums, tuple(shown)


def _coded(state: TrainState, config: TrainConfig, batches: Sequence[Batch], ranks: Ranks) -> Tensor:
    """Return the sums of this rank's share of the crops that are coded to whole bitstreams."""
    chosen = coded_numbers(config)
    if not chosen or not batches:
        return no_sums()
    state.codec.freeze()
    state.codec.eval()
    # A bitstream says of which weights it is in 8 bytes; which ones, nobody will ask.
    loaded = LoadedCodec(spec=find_codec(config.codec), codec=state.codec, weights_sha256="0" * 64)
    num_pixels = num_bytes = 0
    for place, picture in enumerate(_pictures(batches)):
        if ranks.rank + place * ranks.num_ranks in chosen:
            num_pixels += picture.shape[0] * picture.shape[1]
            num_bytes += len(compress_picture(loaded, picture).data)
    return coded_sums(num_pixels, num_bytes)


def coded_numbers(config: TrainConfig) -> frozenset[int]:
    """Return which of the validation crops, counted over all ranks, are coded: evenly spread ones."""
    num = min(config.validate_bitstreams, config.validate_crops)
    return frozenset(place * config.validate_crops // num for place in range(num))


def _pictures(batches: Sequence[Batch]) -> Iterator[NDArray[np.uint8]]:
    for batch in batches:
        yield from np.ascontiguousarray(batch.pictures.permute(0, 2, 3, 1).numpy())


def _shown(batch: Batch, output: CodecOutput, *, num: int) -> list[Shown]:
    num = max(0, min(num, len(batch.pictures)))
    decoded = (output.reconstruction[:num].float() * 255).round().clamp(0, 255).to("cpu", torch.uint8)
    originals = _pictures([batch])
    logits = None if output.label_logits is None else output.label_logits[:num, 0].float().sigmoid().cpu().numpy()
    return [
        Shown(
            original=next(originals),
            decoded=decoded[place].permute(1, 2, 0).contiguous().numpy(),
            label=batch.labels[place].numpy(),
            natural=None if logits is None else logits[place],
        )
        for place in range(num)
    ]
