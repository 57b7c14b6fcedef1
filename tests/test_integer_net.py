"""Integer networks: the sums of int64 arithmetic, within the bound that makes float64 exact."""

import pytest
import torch
from torch import nn

from pipeline.codecs import integer_net
from pipeline.codecs.blocks import Gdn, conv, deconv
from pipeline.codecs.integer_net import FRACTION, MAX_ACTIVATION, IntegerConv, IntegerIgdn, requantise


@pytest.mark.parametrize("by_digits", [False, True])
@pytest.mark.parametrize("upsample", [False, True])
@pytest.mark.parametrize("channels", [(3, 5), (16, 3)])
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (40, 9)])
def test_integer_convolution_is_exact(
    size: tuple[int, int], channels: tuple[int, int], upsample: bool, by_digits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that even these are cut into chunks.
    monkeypatch.setattr(integer_net._ByFloats, "patch_elements", 500)
    monkeypatch.setattr(integer_net._ByDigits, "patch_elements", 500)
    if not by_digits:
        monkeypatch.setattr(integer_net, "is_fast_on", lambda _: False)
    torch.manual_seed(1)
    source = deconv(*channels) if upsample else conv(*channels, kernel=3, stride=1)
    layer = IntegerConv(*channels, upsample=upsample)
    layer.store(source, fraction=FRACTION)
    x = torch.randint(-(1 << 26), 1 << 26, (channels[0], *size))
    weight, bias = layer.weight.long(), layer.bias[:, None, None]
    padded = nn.functional.pad(x, (2, 2, 2, 2))
    rows, columns = size
    if upsample:
        # Straight from the definition: input (i, j) adds its kernel at (2i - 2, 2j - 2).
        expected = torch.zeros(channels[1], 2 * rows + 4, 2 * columns + 4, dtype=torch.int64)
        for i in range(rows):
            for j in range(columns):
                expected[:, 2 * i : 2 * i + 5, 2 * j : 2 * j + 5] += (weight * x[:, i, j, None, None, None]).sum(0)
        expected = expected[:, 2 : 2 + 2 * rows, 2 : 2 + 2 * columns] + bias
    else:
        expected = bias.repeat(1, rows, columns)
        for dy in range(3):
            for dx in range(3):
                window = padded[:, 1 + dy : 1 + dy + rows, 1 + dx : 1 + dx + columns]
                expected += torch.einsum("oc,chw->ohw", weight[:, :, dy, dx], window)
    assert torch.equal(layer(x.double(), lambda sums: sums).long(), expected)


@pytest.mark.parametrize("magnitude", [1e-6, 0.3, 40.0, 1e6])
@pytest.mark.parametrize("upsample", [False, True])
def test_sums_of_a_convolution_stay_within_2_to_the_53(upsample: bool, magnitude: float) -> None:
    torch.manual_seed(0)
    source = deconv(50, 7) if upsample else conv(50, 7, kernel=3, stride=1)
    nn.init.normal_(source.weight, std=magnitude)
    assert source.bias is not None
    nn.init.normal_(source.bias, std=magnitude)
    layer = IntegerConv(50, 7, upsample=upsample)
    layer.store(source, fraction=FRACTION)
    sums = layer.weight.long().abs().sum(dim=(0, 2, 3) if upsample else (1, 2, 3))
    assert int((sums * int(MAX_ACTIVATION) + layer.bias.abs()).max()) <= 1 << 53
    # And the bound is used: more than 20 bits of the weights' sum remain.
    if magnitude in (0.3, 40.0):
        assert int(sums.max()) > 1 << 20


@pytest.mark.parametrize("magnitude", [1e-4, 0.1, 30.0])
def test_sums_of_an_igdn_stay_within_2_to_the_53(magnitude: float) -> None:
    torch.manual_seed(0)
    source = Gdn(40, inverse=True)
    nn.init.uniform_(source.gamma, 0, magnitude**0.5)
    nn.init.uniform_(source.beta, 0, 10 * magnitude**0.5)
    layer = IntegerIgdn(40)
    layer.store(source)
    most = int(layer.gamma.long().sum(dim=1).max()) * (int(MAX_ACTIVATION) ** 2 >> 18) + int(layer.beta.max())
    assert most <= 1 << 53
    x = torch.randint(-(1 << 22), 1 << 22, (40, 30)).double()
    with torch.no_grad():
        expected = source.double()((x * 2.0**-FRACTION)[None, :, :, None])[0, :, :, 0]
    actual = layer(x) * 2.0**-FRACTION
    torch.testing.assert_close(actual, expected.clamp(-1024, 1024), rtol=1e-4, atol=1e-4)
    assert torch.equal(
        layer(torch.full((40, 1), MAX_ACTIVATION).double()).abs() <= MAX_ACTIVATION, torch.ones(40, 1) > 0
    )


def test_activations_saturate() -> None:
    sums = torch.tensor([2.0**53, -(2.0**53), 3.0, 5.0], dtype=torch.float64)
    assert requantise(sums, 1).tolist() == [MAX_ACTIVATION, -MAX_ACTIVATION, 2.0, 2.0]
