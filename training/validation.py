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
from pipeline.codecs.gains import default_rate
from pipeline.codecs.interface import CodecOutput, SideInputs
from pipeline.codecs.table import find_codec
from training.config import TrainConfig
from training.data import Batch
from training.figures import coded_sums, measure, no_sums
from training.ranks import Ranks
from training.state import TrainState
from training.step import autocast, forward_inputs, lambdas_at, to_device


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

    One row for each rate of the codec, all of the same crops. And some of this rank's crops to look at, at the middle
    rate. The averaged weights are validated where there are any.
    """
    num_rates = state.codec.num_rates
    rows = []
    shown: tuple[Shown, ...] = ()
    state.codec.eval()
    with state.averaged():
        for rate in range(num_rates):
            num_shown = config.validate_pictures if rate == default_rate(num_rates) else 0
            sums, seen = _measured(state, config, batches, rate=rate, num_shown=num_shown)
            rows.append(sums)
            shown += seen
        sums_RS = torch.stack(rows) + _coded(state, config, batches, ranks)
    state.codec.train()
    ranks.average(sums_RS)
    return sums_RS, shown


def _measured(
    state: TrainState, config: TrainConfig, batches: Sequence[Batch], *, rate: int, num_shown: int
) -> tuple[Tensor, tuple[Shown, ...]]:
    device = state.codec.device
    sums = no_sums()
    shown: list[Shown] = []
    with torch.no_grad(), autocast(config, device):
        for batch in batches:
            there = to_device(batch, device)
            rates_N = there.pictures.new_full((len(there.pictures),), rate)
            # Without region maps, as coding is: what training was told must not flatter the figures. Classes are sent.
            output = state.codec(*forward_inputs(config, there, None, rates_N))
            planes = (there.pictures, there.labels, there.classes)
            sums += measure(output, *planes, lambdas_N=lambdas_at(config, rates_N))
            shown += _shown(batch, output, num=num_shown - len(shown))
    return sums, tuple(shown)


def _coded(state: TrainState, config: TrainConfig, batches: Sequence[Batch], ranks: Ranks) -> Tensor:
    """Return the sums of this rank's share of the crops that are coded to whole bitstreams, a row for each rate."""
    chosen, num_rates = coded_numbers(config), state.codec.num_rates
    if not chosen or not batches:
        return no_sums().repeat(num_rates, 1)
    state.codec.freeze()
    state.codec.eval()
    # A bitstream says of which weights it is in 8 bytes; which ones, nobody will ask.
    loaded = LoadedCodec(spec=find_codec(config.codec), codec=state.codec, weights_sha256="0" * 64)
    num_pixels, num_bytes = 0, [0] * num_rates
    for place, picture in enumerate(_pictures(batches)):
        if ranks.rank + place * ranks.num_ranks in chosen:
            num_pixels += picture.shape[0] * picture.shape[1]
            for rate in range(num_rates):
                side = SideInputs(rate=rate if num_rates > 1 else None)
                num_bytes[rate] += len(compress_picture(loaded, picture, side).data)
    return torch.stack([coded_sums(num_pixels, each) for each in num_bytes])


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
