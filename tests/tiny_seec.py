"""SEEC codecs of the smallest sensible size, pictures for them, and what a machine may do differently."""

import functools
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.codecs.interface import CodecOutput, SideInputs
from pipeline.codecs.seec.codec import Seec
from pipeline.codecs.seec.config import SeecConfig
from pipeline.codecs.seec.networks import Head
from pipeline.codecs.threads import torch_threads
from tests.test_seec_side import open_gate

Pixels = NDArray[np.uint8]

_SMALL = SeecConfig(
    num_channels=16, num_features=8, num_heads=2, num_hidden=16, num_blocks=1, num_mixtures=2, context="patch"
)
CONFIGS: dict[str, SeecConfig] = {
    "patch": _SMALL,
    "screen": replace(_SMALL, num_channels=0, context="picture", copies=True),
    "both": replace(_SMALL, context="picture", copies=True),
    "one class": replace(_SMALL, num_classes=1, num_channels=0, context="picture", copies=True),
    "three classes": replace(_SMALL, num_classes=3, num_channels=0, context="picture", copies=True),
    "no copies": replace(_SMALL, num_channels=0, context="picture", multichannel=False, num_mixtures=1),
}
"""The presets' structures first; then other numbers of classes, and what is left without copies."""


def fresh_codec(config: SeecConfig, seed: int = 5) -> Seec:
    """Return a codec whose every part matters: outputs that vary from pixel to pixel, latents of several units."""
    torch.manual_seed(seed)
    codec = Seec(config)
    with torch.no_grad():
        for head in (module for module in codec.modules() if isinstance(module, Head)):
            # They start at 0.1, so that all pixels have much the same distribution.
            head.last.weight.mul_(20.0)
            head.before_last.weight.mul_(2.0)
            nn.init.normal_(head.last.bias)
        if codec.side is not None:
            for gate in (module for module in codec.side.modules() if type(module).__name__ == "WindowGate"):
                open_gate(gate)  # type: ignore[arg-type]
            for layer in codec.side.encoder:
                if isinstance(layer, nn.Conv2d):
                    layer.weight.mul_(30.0)
            codec.side.hyper_encoder[-1].weight.mul_(20.0)
            codec.side.hyper_scales[-1].weight.mul_(4.0)
            codec.side.hyper_scales[-1].bias.fill_(2.6)
    return codec.eval()


@functools.cache
def frozen_codec(name: str) -> Seec:
    """Return a frozen codec of random weights."""
    with torch_threads(1):
        codec = fresh_codec(CONFIGS[name])
        codec.freeze()
    return codec


@functools.cache
def trained_codec(name: str, *, steps: int = 30) -> Seec:
    """Return a frozen codec after a short training on `half_drawn` and its classes."""
    torch.manual_seed(6)
    codec = Seec(CONFIGS[name]).train()
    picture, label = half_drawn()
    x, labels = as_input(picture), torch.from_numpy(label % codec.config.num_classes)[None]
    aux = {id(parameter) for parameter in codec.aux_parameters()}
    optimiser = torch.optim.Adam([p for p in codec.parameters() if id(p) not in aux], lr=0.01)
    with torch_threads(1):
        for _ in range(steps):
            optimiser.zero_grad()
            bits_of(codec(x, None, labels)).backward()
            torch.nn.utils.clip_grad_norm_(codec.parameters(), 1e5)
            optimiser.step()
        codec.eval().freeze()
    return codec


def bits_of(output: CodecOutput) -> Tensor:
    """Return the rate of a forward."""
    return torch.stack([-likelihood.log2().sum() for likelihood in output.likelihoods.values()]).sum()


def as_input(picture: Pixels) -> Tensor:
    """Return (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0


def size_of(codec: Seec, picture: Pixels, side: SideInputs) -> int:
    """Return the bytes of all segments."""
    return sum(map(len, codec.compress(picture, side).segments.values()))


# --- pictures -------------------------------------------------------------------------------------------------------


def drawn(height: int, width: int, *, seed: int = 0) -> Pixels:
    """Return a picture like a screen: windows of flat colours, lines of 20 glyphs that come again and again."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), rng.integers(200, 256, 3), dtype=np.uint8)
    for _ in range(3):
        top, left = rng.integers(0, height), rng.integers(0, width)
        picture[top : top + height // 2, left : left + width // 2] = rng.integers(0, 256, 3)
    glyphs = rng.random((20, 7, 5)) < 0.4
    for top in range(2, height - 7, 11):
        for left in range(2, width - 5, 6):
            picture[top : top + 7, left : left + 5][glyphs[rng.integers(20)]] = 16
    return picture


def photographed(height: int, width: int, *, seed: int = 0) -> Pixels:
    """Return a smooth picture with noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [100 + 60 * np.sin(rows / (9 + c) + c) + 50 * np.cos(columns / (14 - c)) for c in range(3)]
    noisy = np.stack(planes, axis=2) + rng.normal(0, 9, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def noise(height: int, width: int, *, seed: int = 0) -> Pixels:
    """Return random levels."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def half_drawn(height: int = 64, width: int = 128) -> tuple[Pixels, Pixels]:
    """Return a picture whose right half is photographed, and its classes."""
    label = np.zeros((height, width), dtype=np.uint8)
    label[:, width // 2 :] = 1
    picture = np.where(label[:, :, None] == 1, photographed(height, width), drawn(height, width))
    return np.ascontiguousarray(picture), label


def blobs(height: int, width: int, num_classes: int, *, seed: int = 0) -> Pixels:
    """Return a map of rectangles of classes."""
    rng = np.random.default_rng(seed)
    classes = np.zeros((height, width), dtype=np.uint8)
    for number in range(1, 6):
        top, left = rng.integers(0, height), rng.integers(0, width)
        classes[top : top + height // 3 + 1, left : left + width // 3 + 1] = number % num_classes
    return classes
