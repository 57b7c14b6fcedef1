"""SegPIC's layers without regions: scale-affine layer, residual unit, window attention module.

Shapes: N batch, C channels, H rows, W columns; T positions of a window, B windows of the batch.
"""

import torch
from torch import Tensor, nn

# The usual -100 leaks where logits are in the hundreds, and then what is seen depends on how a picture is cut.
_FAR = -torch.inf
# A window attention module starts almost as the identity: sigmoid(-4) = 0.018.
_START_GATE = -4.0
# A scale-affine layer too: it multiplies by what it sees, so large values need a small start.
_START_AFFINE = 0.01


class ScaleAffine(nn.Module):
    """x * (1 + s) + b with s and b predicted from x by 1x1 convolutions (SAL; Liu et al. 2024, section 3.3)."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        last = nn.Conv2d(num_channels, 2 * num_channels, 1)
        self.net = nn.Sequential(nn.Conv2d(num_channels, num_channels, 1), nn.GELU(), last)
        _start(last, gain=_START_AFFINE, bias=0.0)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        scale, offset = self.net(x_NCHW).chunk(2, dim=1)
        return torch.addcmul(offset + x_NCHW, x_NCHW, scale)


class ResidualUnit(nn.Module):
    """GELU(x + 1x1, 3x3, 1x1 convolutions of half the channels) (Cheng et al. 2020, arXiv:2001.01568)."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        half = num_channels // 2
        self.net = nn.Sequential(
            nn.Conv2d(num_channels, half, 1),
            nn.GELU(),
            nn.Conv2d(half, half, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(half, num_channels, 1),
        )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return nn.functional.gelu(x_NCHW + self.net(x_NCHW))


class WindowAttention(nn.Module):
    """Self-attention within square windows, moved by `shift` positions (Liu et al. 2021, arXiv:2103.14030).

    Sides must be multiples of `window`; the result is added to the input.
    """

    relative_index: Tensor

    def __init__(self, num_channels: int, *, num_heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.num_heads, self.window, self.shift = num_heads, window, shift
        self.qkv = nn.Linear(num_channels, 3 * num_channels)
        self.out = nn.Linear(num_channels, num_channels)
        self.bias_table = nn.Parameter(torch.empty((2 * window - 1) ** 2, num_heads))
        nn.init.trunc_normal_(self.bias_table, std=0.02)
        rows, columns = (axis.flatten() for axis in torch.meshgrid(*[torch.arange(window)] * 2, indexing="ij"))
        dy, dx = (axis[:, None] - axis[None] + window - 1 for axis in (rows, columns))
        self.register_buffer("relative_index", dy * (2 * window - 1) + dx, persistent=False)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        _, num_channels, height, width = x_NCHW.shape
        window, shift = self.window, self.shift
        moved = torch.roll(x_NCHW, (-shift, -shift), (2, 3)) if shift else x_NCHW
        tokens_BTC = _to_windows(moved, window)
        num_windows, num_tokens, _ = tokens_BTC.shape
        qkv = self.qkv(tokens_BTC).view(num_windows, num_tokens, 3, self.num_heads, num_channels // self.num_heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        bias = self.bias_table[self.relative_index].permute(2, 0, 1)[None]
        if shift:
            mask = _shift_mask(height, width, window=window, shift=shift).to(bias)
            bias = bias + mask.repeat(num_windows // len(mask), 1, 1)[:, None]
        attended = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        mixed = self.out(attended.transpose(1, 2).flatten(2))
        moved = _from_windows(mixed, window, height=height, width=width)
        return x_NCHW + (torch.roll(moved, (shift, shift), (2, 3)) if shift else moved)


class WindowAttentionModule(nn.Module):
    """x + trunk(x) * sigmoid(gate(x)), the gate with window attention (WAM; Zou et al. 2022, arXiv:2203.08450)."""

    def __init__(self, num_channels: int, *, num_heads: int, window: int, shift: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*(ResidualUnit(num_channels) for _ in range(3)))
        last = nn.Conv2d(num_channels, num_channels, 1)
        self.gate = nn.Sequential(
            WindowAttention(num_channels, num_heads=num_heads, window=window, shift=shift),
            *(ResidualUnit(num_channels) for _ in range(3)),
            last,
        )
        _start(last, gain=1.0, bias=_START_GATE)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        return torch.addcmul(x_NCHW, self.trunk(x_NCHW), torch.sigmoid(self.gate(x_NCHW)))


def _start(layer: nn.Conv2d, *, gain: float, bias: float) -> None:
    """Scale a fresh layer's weights and set its bias."""
    assert layer.bias is not None
    with torch.no_grad():
        layer.weight.mul_(gain)
        layer.bias.fill_(bias)


def _to_windows(x_NCHW: Tensor, window: int) -> Tensor:
    """Return (N * windows, window^2, C)."""
    n, c, height, width = x_NCHW.shape
    split = x_NCHW.view(n, c, height // window, window, width // window, window)
    return split.permute(0, 2, 4, 3, 5, 1).reshape(-1, window * window, c)


def _from_windows(tokens_BTC: Tensor, window: int, *, height: int, width: int) -> Tensor:
    split = tokens_BTC.view(-1, height // window, width // window, window, window, tokens_BTC.shape[2])
    return split.permute(0, 5, 1, 3, 2, 4).reshape(-1, tokens_BTC.shape[2], height, width)


def _shift_mask(height: int, width: int, *, window: int, shift: int) -> Tensor:
    """Return (windows, T, T): 0, or minus infinity between positions that only the roll has made neighbours."""
    zones = []
    for side in (height, width):
        place = torch.arange(side)
        zones.append((place >= side - window).long() + (place >= side - shift).long())
    zone = (zones[0][:, None] * 3 + zones[1])[None, None]
    windows = _to_windows(zone, window)[:, :, 0]
    different = windows[:, :, None] != windows[:, None]
    return torch.zeros(different.shape).masked_fill(different, _FAR)
