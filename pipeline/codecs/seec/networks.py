"""The networks that predict pixels, in floating point, for training (SMEM; SEEC, arXiv:2509.07704).

Shapes: P pixels, I inputs, O outputs of a head.
"""

import math

import torch
from torch import Tensor, nn

from pipeline.codecs.integer_pointwise import LEAKY_SLOPE
from pipeline.codecs.seec.config import SeecConfig
from pipeline.codecs.seec.mixture import Layout
from pipeline.codecs.seec.neighbours import (
    COLOUR_UNIT,
    DIFFERENCE_UNIT,
    FLAG_UNIT,
    LOGARITHM_UNIT,
    NUM_COPY_FEATURES,
    NUM_DENSE,
    NUM_SOURCES,
)
from pipeline.codecs.seec.wavefront import TAPS

NUM_TAP_INPUTS = 3 * len(TAPS)
TAP_UNIT = 1.0 / 127.5
"""Published scaling: levels to [0, 2]."""
MAX_HIDDEN = 15.75
"""Sums within a network saturate here, as all hidden values do in coding."""


class Head(nn.Module):
    """One class's entropy model: 1x1, then layers with a skip around them, 1x1, LeakyReLU, 1x1."""

    def __init__(
        self, num_inputs: int, num_outputs: int, *, num_hidden: int, num_blocks: int, direct_means: bool = False
    ) -> None:
        super().__init__()
        self.first = nn.Linear(num_inputs, num_hidden)
        self.blocks = nn.ModuleList(nn.Linear(num_hidden, num_hidden) for _ in range(num_blocks))
        self.before_last = nn.Linear(num_hidden, num_hidden)
        self.last = nn.Linear(num_hidden, num_outputs)
        self.direct = nn.Linear(NUM_TAP_INPUTS, 3, bias=False) if direct_means else None
        with torch.no_grad():
            if self.direct is not None:
                self.direct.weight.zero_()
            # A start at which all pixels have the same wide distribution: units.py's offsets.
            self.last.weight.mul_(0.1)
            self.last.bias.zero_()

    def forward(self, x_PI: Tensor) -> Tensor:
        x = self.first(x_PI)
        rest = x
        for block in self.blocks:
            rest = nn.functional.leaky_relu(block(rest), LEAKY_SLOPE)
        x = saturated(x + rest)
        outputs: Tensor = self.last(nn.functional.leaky_relu(self.before_last(x), LEAKY_SLOPE))
        return outputs


class PixelNetworks(nn.Module):
    """What is shared by all classes, and a head for each."""

    def __init__(self, config: SeecConfig) -> None:
        super().__init__()
        self.config = config
        hidden = config.num_hidden
        features = config.num_features if config.num_channels else 0
        self.in_patch = config.context == "patch"
        if self.in_patch:
            self.context: nn.Linear | None = nn.Linear(NUM_TAP_INPUTS, hidden)
            self.fusion: nn.Linear | None = nn.Linear(hidden + features, hidden)
        else:
            self.context = self.fusion = None
        self.heads = nn.ModuleList(
            Head(
                self.num_inputs(of_class) if not self.in_patch else hidden,
                self.layout(of_class).num_outputs,
                num_hidden=hidden,
                num_blocks=config.num_blocks,
                direct_means=config.direct_means,
            )
            for of_class in range(config.num_classes)
        )

    def num_inputs(self, of_class: int) -> int:
        """Return the numbers that a pixel of a class is predicted from, side features last."""
        features = self.config.num_features if self.config.num_channels else 0
        if self.in_patch:
            return NUM_TAP_INPUTS + features
        return NUM_DENSE + (NUM_COPY_FEATURES if of_class == self.config.copying_class else 0) + features

    @staticmethod
    def layout_of(config: SeecConfig, of_class: int) -> Layout:
        """Return where the parameters of a class's head stand."""
        return Layout(
            num_mixtures=config.num_mixtures,
            multichannel=config.multichannel,
            num_copies=NUM_SOURCES + 1 if of_class == config.copying_class else 0,
        )

    def layout(self, of_class: int) -> Layout:
        """Return where a head's parameters stand."""
        return self.layout_of(self.config, of_class)

    def forward(self, inputs_PI: Tensor, of_class: int) -> Tensor:
        """Return a class's outputs (P, O), of pixels of that class."""
        if self.context is not None and self.fusion is not None:
            context = saturated(self.context(inputs_PI[:, :NUM_TAP_INPUTS]))
            inputs_PI = saturated(self.fusion(torch.cat([inputs_PI[:, NUM_TAP_INPUTS:], context], dim=1)))
        head = self.heads[of_class]
        assert isinstance(head, Head)
        outputs: Tensor = head(inputs_PI)
        if head.direct is not None:
            # The first inputs are the differences to the neighbours; each channel's means move together.
            layout = self.layout(of_class)
            moved = head.direct(inputs_PI[:, :NUM_TAP_INPUTS]).repeat_interleave(layout.num_mixtures, dim=1)
            outputs = outputs + layout.beside_means(moved)
        return outputs


def saturated(x: Tensor) -> Tensor:
    """Return x within +-MAX_HIDDEN."""
    return x.clamp(-MAX_HIDDEN, MAX_HIDDEN)


def input_units(config: SeecConfig, of_class: int) -> Tensor:
    """Return what each input's integer is worth, without side features."""
    if config.context == "patch":
        return torch.full((NUM_TAP_INPUTS,), TAP_UNIT, dtype=torch.float64)
    taps = (NUM_DENSE - 3) // 2
    units = [DIFFERENCE_UNIT] * taps + [LOGARITHM_UNIT] * taps + [COLOUR_UNIT] * 3
    if of_class == config.copying_class:
        units += [FLAG_UNIT] * NUM_COPY_FEATURES
    return torch.tensor(units, dtype=torch.float64)


def output_units(config: SeecConfig, layout: Layout) -> tuple[Tensor, Tensor]:
    """Return (gain, offset) of each output: what the mixture is given is gain * output + offset, in levels and nats.

    With the published context means are in [0, 2]; with ours they are distances from the base colour, in units of 32
    levels, which start apart.
    """
    k = layout.num_mixtures
    if config.context == "patch":
        mean_gain, means, log_scale = 127.5, torch.linspace(0.0, 255.0, k + 2)[1:-1], math.log(24.0)
    else:
        mean_gain, means, log_scale = 32.0, torch.linspace(-4.0, 4.0, k) if k > 1 else torch.zeros(1), 1.5
    num_rest = layout.num_outputs - layout.num_copies - 6 * k
    copies, ones = torch.ones(layout.num_copies), torch.ones(num_rest)
    gain = torch.cat([copies, torch.full((3 * k,), mean_gain), torch.ones(3 * k), ones])
    offset = torch.cat([0 * copies, means.repeat(3), torch.full((3 * k,), log_scale), 0 * ones])
    return gain.double(), offset.double()
