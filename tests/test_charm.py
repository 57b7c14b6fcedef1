"""Slices coded one after another: the integer form follows the float one, and the stream gives back its symbols."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.base.errors import BitstreamError, CorruptBitstream
from pipeline.codecs.blocks import conv
from pipeline.codecs.charm import LATENT_FRACTION, MAX_SYMBOL, ChannelSlices, IntegerSlices
from pipeline.codecs.entropy import gaussian_tables
from pipeline.codecs.integer_net import FRACTION
from pipeline.codecs.slice_coding import SliceReader, SliceWriter

LATENTS, SLICES = 8, 4
TABLES = gaussian_tables()


def net(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for one, other in pairwise((inputs, 6, outputs)):
        layers += [conv(one, other, kernel=3, stride=1), nn.GELU()]
    return nn.Sequential(*layers[:-1])


def make_slices(max_support: int = 2) -> tuple[ChannelSlices, IntegerSlices]:
    torch.manual_seed(9)
    slices = ChannelSlices(net, num_latents=LATENTS, num_slices=SLICES, max_support=max_support).eval()
    frozen = IntegerSlices(slices)
    frozen.store(slices)
    return slices, frozen


def latent(height: int = 5, width: int = 7) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(10)
    y = torch.randn(LATENTS, height, width) * 6
    means, scales = ((torch.randn(2, LATENTS, height, width) * 2**LATENT_FRACTION).round()).double()
    return y, means, scales


def indexes(scales: torch.Tensor) -> torch.Tensor:
    return (scales * 2.0**-FRACTION).round().clamp(20, 50)


@pytest.mark.parametrize("max_support", [0, 2, 4])
def test_integer_slices_follow_the_float_ones(max_support: int) -> None:
    slices, frozen = make_slices(max_support)
    y, means, scales = latent()
    with torch.no_grad():
        as_float = [(x * 2.0**-LATENT_FRACTION).float()[None] for x in (means, scales)]
        expected = slices(y[None], *as_float)
    writer = SliceWriter(y, TABLES, indexes)
    y_hat = frozen(means, scales, writer.put)
    symbols = torch.cat(writer.symbols)
    same = symbols == expected.symbols[0]
    assert same.double().mean() > 0.99  # but for residuals that lie on a half
    assert ((y_hat * 2.0**-LATENT_FRACTION - expected.y_hat[0]).abs()[same] < 0.02).double().mean() > 0.97


def test_supports_are_the_first_slices() -> None:
    for max_support, expected in ((0, [8, 8, 8, 8]), (2, [8, 10, 12, 12]), (4, [8, 10, 12, 14])):
        slices, _ = make_slices(max_support)
        assert [one[0].in_channels for one in slices.means] == expected
        assert [one[0].in_channels for one in slices.residuals] == [width + 2 for width in expected]


def test_what_is_written_is_read() -> None:
    _, frozen = make_slices()
    y, means, scales = latent()
    writer = SliceWriter(y, TABLES, indexes)
    written = frozen(means, scales, writer.put)
    reader = SliceReader(writer.data(), TABLES, indexes)
    assert torch.equal(frozen(means, scales, reader.take), written)
    reader.finish()
    assert all(torch.equal(one, other) for one, other in zip(writer.symbols, reader.symbols, strict=True))


def test_far_values_are_clamped_where_the_decoder_can_follow() -> None:
    _, frozen = make_slices()
    y, means, scales = latent()
    y[3, 2, 2], y[0, 0, 0] = 1e9, -1e9
    writer = SliceWriter(y, TABLES, indexes)
    written = frozen(means, scales, writer.put)
    assert int(torch.cat(writer.symbols).abs().max()) == MAX_SYMBOL
    assert torch.equal(frozen(means, scales, SliceReader(writer.data(), TABLES, indexes).take), written)


def test_streams_that_are_none_are_refused() -> None:
    _, frozen = make_slices()
    y, means, scales = latent()
    writer = SliceWriter(y, TABLES, indexes)
    frozen(means, scales, writer.put)
    data = writer.data()
    rng = np.random.default_rng(0)
    for number in range(200):
        forged = data[: number % len(data)] if number % 2 else rng.bytes(len(data))
        with pytest.raises(BitstreamError):
            reader = SliceReader(forged, TABLES, indexes)
            frozen(means, scales, reader.take)
            reader.finish()
    unfinished = SliceReader(data, TABLES, indexes)
    unfinished.take(0, means[:2], scales[:2])
    with pytest.raises(CorruptBitstream):
        unfinished.finish()


def test_rounding_passes_gradients_and_noise_is_for_the_rate_only() -> None:
    slices, _ = make_slices()
    slices.train()
    y, means, scales = (x.float()[None].requires_grad_() for x in latent())
    predicted = slices(y, means * 2**-10, scales * 2**-10)
    fractions = (predicted.symbols - predicted.symbols.round()).detach().abs()
    assert 0.1 < float(fractions.mean()) < 0.4, "noise"
    predicted.y_hat.sum().backward()
    assert y.grad is not None
    assert y.grad.abs().min() > 0
