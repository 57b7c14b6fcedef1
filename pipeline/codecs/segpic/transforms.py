"""SegPIC's transforms between picture and latent, each cut where something of the whole picture is needed.

    encoder   picture -> fine: y' at 1/4 -> [RAT, guided by the prototypes of y'] -> coarse: y at 1/16
    decoder   y_hat -> coarse: features at 1/4 -> [RAT, guided by the same] -> fine: picture

Source: Liu et al. 2024, figure 2, and the authors' released code (the numbering E1-E7, D1-D8 is that of its modules).

Shapes: N batch, H, W picture, multiples of 64.
"""

import torch
from torch import nn

from pipeline.codecs.blocks import Gdn, conv, deconv
from pipeline.codecs.initialise import start_as_wavelet
from pipeline.codecs.segpic.config import SegPicConfig
from pipeline.codecs.segpic.layers import ScaleAffine, WindowAttentionModule
from pipeline.codecs.segpic.rat import RegionAdaptiveTransform

FINE_WINDOW, COARSE_WINDOW = 8, 4
"""Sides of the attention windows at 1/4 and at 1/16 of the picture's resolution."""

# Without an inverse normalisation in the decoder, both transforms divide: a larger gamma would flatten what is far from
# grey (10 dB lost on screens at 1e-2).
_START_NORMALISATION = 1e-4


class Encoder(nn.Module):
    """Picture (N, 3, H, W) -> y (N, M, H / 16, W / 16)."""

    def __init__(self, config: SegPicConfig) -> None:
        super().__init__()
        n, m = config.num_channels, config.num_latents
        self.fine = nn.Sequential(*_down(3, n, config), *_down(n, n, config), _fine_attention(config))
        self.rat = RegionAdaptiveTransform(n) if config.region_adaptive else None
        self.coarse = nn.Sequential(*_down(n, n, config), *_down(n, m, config), _coarse_attention(config))


class Decoder(nn.Module):
    """y_hat (N, M, H / 16, W / 16) -> picture (N, 3, H, W)."""

    def __init__(self, config: SegPicConfig) -> None:
        super().__init__()
        n, m = config.num_channels, config.num_latents
        self.coarse = nn.Sequential(_coarse_attention(config), *_up(m, n, config), *_up(n, n, config))
        self.rat = RegionAdaptiveTransform(n) if config.region_adaptive else None
        self.fine = nn.Sequential(
            _fine_attention(config),
            *_up(n, n, config),
            *_up(n, config.num_head_channels, config),
            nn.Conv2d(config.num_head_channels, 3, 1),
        )


def start(encoder: Encoder, decoder: Decoder, *, gain: float) -> None:
    """Let both begin near a wavelet transform and its inverse (initialise.py)."""
    down = nn.Sequential(*_only_transforms(encoder.fine), *_only_transforms(encoder.coarse))
    up = nn.Sequential(*_only_transforms(decoder.coarse), *_only_transforms(decoder.fine))
    start_as_wavelet(down, up, gain=gain, normalisation=_START_NORMALISATION)
    last = decoder.fine[-1]
    assert isinstance(last, nn.Conv2d)
    assert last.bias is not None
    with torch.no_grad():
        last.bias.zero_()
        last.weight.mul_(0.1)
        for colour in range(min(3, last.in_channels)):
            last.weight[colour, colour] += 1.0


def _down(inputs: int, outputs: int, config: SegPicConfig) -> list[nn.Module]:
    return [conv(inputs, outputs), Gdn(outputs), *_affine(outputs, config)]


def _up(inputs: int, outputs: int, config: SegPicConfig) -> list[nn.Module]:
    # Forward GDN in the decoder too: so in the paper's figure and in the released code.
    return [*_affine(inputs, config), deconv(inputs, outputs), Gdn(outputs)]


def _affine(num_channels: int, config: SegPicConfig) -> list[nn.Module]:
    return [ScaleAffine(num_channels)] if config.scale_affine else []


def _fine_attention(config: SegPicConfig) -> WindowAttentionModule:
    return WindowAttentionModule(
        config.num_channels, num_heads=config.num_attention_heads, window=FINE_WINDOW, shift=FINE_WINDOW // 2
    )


def _coarse_attention(config: SegPicConfig) -> WindowAttentionModule:
    return WindowAttentionModule(
        config.num_latents, num_heads=config.num_attention_heads, window=COARSE_WINDOW, shift=COARSE_WINDOW // 2
    )


def _only_transforms(module: nn.Sequential) -> list[nn.Module]:
    """Return what halves or doubles the sides, and the normalisations."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d, Gdn)
    return [layer for layer in module if isinstance(layer, kinds) and getattr(layer, "kernel_size", None) != (1, 1)]
