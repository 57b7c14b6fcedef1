"""SegPIC's layers without regions, against plain formulations."""

import pytest
import torch

from pipeline.codecs.segpic.layers import ResidualUnit, ScaleAffine, WindowAttention, WindowAttentionModule


@pytest.mark.parametrize(("window", "shift"), [(4, 0), (4, 2), (8, 4)])
@pytest.mark.parametrize("size", [(8, 8), (16, 24)])
def test_window_attention_is_dense_attention_within_windows(size: tuple[int, int], window: int, shift: int) -> None:
    torch.manual_seed(0)
    channels, heads = 6, 2
    layer = WindowAttention(channels, num_heads=heads, window=window, shift=shift).double()
    with torch.no_grad():
        layer.qkv.weight.mul_(30.0)  # logits in the hundreds
    x = torch.randn(2, channels, *size).double()
    rows, columns = (axis.flatten() for axis in torch.meshgrid(*map(torch.arange, size), indexing="ij"))
    zone = (rows - shift).div(window, rounding_mode="floor") * 1000 + (columns - shift).div(
        window, rounding_mode="floor"
    )
    tokens = x.flatten(2).transpose(1, 2)
    query, key, value = (
        part.unflatten(2, (heads, channels // heads)).transpose(1, 2) for part in layer.qkv(tokens).chunk(3, dim=2)
    )
    dy, dx = ((axis[:, None] - axis[None]).clamp(1 - window, window - 1) + window - 1 for axis in (rows, columns))
    bias = layer.bias_table[dy * (2 * window - 1) + dx].permute(2, 0, 1)
    logits = query @ key.transpose(2, 3) / (channels // heads) ** 0.5 + bias
    logits = logits.masked_fill(zone[:, None] != zone[None], -torch.inf)
    mixed = layer.out((logits.softmax(dim=-1) @ value).transpose(1, 2).flatten(2))
    expected = x + mixed.transpose(1, 2).view_as(x)
    torch.testing.assert_close(layer(x), expected)


def test_scale_affine_scales_and_shifts() -> None:
    torch.manual_seed(1)
    layer = ScaleAffine(5)
    x = torch.randn(2, 5, 3, 4)
    scale, offset = layer.net(x)[:, :5], layer.net(x)[:, 5:]
    torch.testing.assert_close(layer(x), x * (1 + scale) + offset)
    assert (layer(x) - x).abs().max() < 0.1, "starts almost as the identity"


def test_attention_module_gates_its_trunk() -> None:
    torch.manual_seed(2)
    module = WindowAttentionModule(6, num_heads=3, window=4, shift=2)
    assert sum(isinstance(one, ResidualUnit) for one in module.modules()) == 6
    x = torch.randn(1, 6, 8, 12)
    torch.testing.assert_close(module(x), x + module.trunk(x) * torch.sigmoid(module.gate(x)))
    assert (module(x) - x).abs().max() < 0.2 * x.abs().max(), "starts almost as the identity"
