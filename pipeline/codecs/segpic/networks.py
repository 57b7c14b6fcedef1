"""SegPIC's hyper transforms, slices' networks and prototype codecs, by their widths (Liu et al. 2024, and its code)."""

from collections.abc import Callable
from itertools import pairwise

from torch import nn

from pipeline.codecs.blocks import conv
from pipeline.codecs.segpic.config import SegPicConfig
from pipeline.codecs.segpic.prototypes import PrototypeCodec


def prototype_codecs(config: SegPicConfig) -> tuple[PrototypeCodec, PrototypeCodec] | tuple[None, None]:
    """Return the codecs of the prototypes of y' and of y, or None without region-adaptive transforms."""
    if not config.region_adaptive:
        return None, None
    n, m, p = config.num_channels, config.num_latents, config.num_prototype_channels
    third, inner, outer = 2 * n // 3, 2 * m // 5, 3 * m // 5
    fine = PrototypeCodec((n, third, p, p), (p, third, n, n))
    return fine, PrototypeCodec((m, outer, inner, p), (p, inner, outer, m))


def hyper_analysis(n: int, m: int) -> nn.Sequential:
    """Return 3x3 convolutions from m to n channels, the third and fifth halving the sides."""
    widths = _widths(m, n)
    strides = (1, 1, 2, 1, 2)
    layers: list[nn.Module] = []
    for (inputs, outputs), stride in zip(pairwise((m, *widths)), strides, strict=True):
        layers += [conv(inputs, outputs, kernel=3, stride=stride), nn.GELU()]
    return nn.Sequential(*layers[:-1])


def hyper_synthesis(n: int, m: int) -> nn.Sequential:
    """Return 3x3 convolutions from n to m channels, the second and fourth doubling the sides by pixel shuffles."""
    layers: list[nn.Module] = []
    for place, (inputs, outputs) in enumerate(pairwise((n, *_widths(m, n)[::-1]))):
        if place in (1, 3):
            layers += [conv(inputs, 4 * outputs, kernel=3, stride=1), nn.PixelShuffle(2), nn.GELU()]
        else:
            layers += [conv(inputs, outputs, kernel=3, stride=1), nn.GELU()]
    return nn.Sequential(*layers[:-1])


def _widths(m: int, n: int) -> tuple[int, ...]:
    """Return five widths from m to n in equal steps: 320, 288, 256, 224, 192 at the paper's size."""
    return tuple(m - (m - n) * place // 4 for place in range(5))


def slice_net(widths: tuple[int, ...]) -> Callable[[int, int], nn.Sequential]:
    """Return the builder of a slice's network: 3x3 convolutions through these widths."""

    def build_net(in_channels: int, out_channels: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((in_channels, *widths, out_channels)):
            layers += [conv(inputs, outputs, kernel=3, stride=1), nn.GELU()]
        return nn.Sequential(*layers[:-1])

    return build_net
