"""The pixel networks frozen into integers, and the tables of the logistic mixtures.

Shapes: P pixels, I inputs, O outputs of a head.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import CheckpointError
from pipeline.codecs.seec.config import SeecConfig
from pipeline.codecs.seec.integer_linear import HIDDEN_FRACTION, Hidden, IntegerLinear, Prepared
from pipeline.codecs.seec.mixture import Layout
from pipeline.codecs.seec.networks import NUM_TAP_INPUTS, Head, PixelNetworks, input_units, output_units

FEATURE_FRACTION = 8
"""Fraction bits of the side codec's features."""
OUTPUT_FRACTION = 8
"""Fraction bits of a head's outputs: levels, and logarithms to the base 2."""
MAX_OUTPUT = float(1 << 20)

SIGMOID_STEPS_LOG2 = 10
SIGMOID_RANGE = 16
"""The logistic function is stored on [0, 16), where it comes to 1 - 2^-23."""


class LogisticTables(nn.Module):
    """Values of the logistic function and of 2^x, 16 bits: stored, since two libraries may differ in the last bit."""

    sigmoid: Tensor
    power: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("sigmoid", torch.zeros((1 << SIGMOID_STEPS_LOG2) + 1, dtype=torch.int32))
        self.register_buffer("power", torch.zeros((1 << OUTPUT_FRACTION) + 1, dtype=torch.int32))

    def store(self) -> None:
        """Write down the values."""
        steps = range((1 << SIGMOID_STEPS_LOG2) + 1)
        values = [round(65536 / (1 + math.exp(-i * SIGMOID_RANGE / (1 << SIGMOID_STEPS_LOG2)))) for i in steps]
        self.sigmoid.copy_(torch.tensor(values))
        fractions = range((1 << OUTPUT_FRACTION) + 1)
        self.power.copy_(torch.tensor([round(65536 * 2 ** (i / (1 << OUTPUT_FRACTION))) for i in fractions]))

    def load(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (sigmoid, power). Raises: CheckpointError: never stored, or not rising as they must."""
        sigmoid, power = (table.cpu().numpy().astype(np.int64) for table in (self.sigmoid, self.power))
        rises = bool((np.diff(sigmoid) >= 0).all() and (np.diff(power) > 0).all())
        if not rises or sigmoid[0] != 1 << 15 or sigmoid[-1] > 1 << 16 or power[0] != 1 << 16 or power[-1] != 1 << 17:
            raise CheckpointError("the weights hold no logistic tables (was the codec frozen?)")
        return sigmoid, power


class FrozenHead(nn.Module):
    """One class's head."""

    def __init__(self, num_inputs: int, num_outputs: int, config: SeecConfig) -> None:
        super().__init__()
        width = config.num_hidden
        self.layers = nn.ModuleList(
            [
                IntegerLinear(num_inputs, width),
                *(IntegerLinear(width, width) for _ in range(config.num_blocks + 1)),
                IntegerLinear(width, num_outputs),
            ]
        )
        self.direct = IntegerLinear(NUM_TAP_INPUTS, 3) if config.direct_means else None

    def store(self, head: Head, *, in_units: Tensor, gain: Tensor, offset: Tensor, means: slice) -> None:
        """Quantise a trained head; `means` are the places of one mean of each channel among its outputs."""
        first, *inner, last = linear_layers(self.layers)
        units = torch.full((head.last.in_features,), 2.0**-HIDDEN_FRACTION, dtype=torch.float64)
        first.store(head.first, in_units=in_units)
        for layer, source in zip(inner, [*head.blocks, head.before_last], strict=True):
            assert isinstance(source, nn.Linear)
            layer.store(source, in_units=units)
        last.store(head.last, in_units=units, gain=gain, offset=offset)
        if self.direct is not None and head.direct is not None:
            self.direct.store(head.direct, in_units=in_units[:NUM_TAP_INPUTS], gain=gain[means])


class RunningHead:
    """A head ready to run."""

    def __init__(self, head: FrozenHead, layout: Layout) -> None:
        first, *inner, last = linear_layers(head.layers)
        self._first = first.prepared()
        self._blocks = [layer.prepared() for layer in inner[:-1]]
        self._before_last = inner[-1].prepared()
        self._last = last.prepared(out_fraction=OUTPUT_FRACTION)
        self._direct = None if head.direct is None else head.direct.prepared(out_fraction=OUTPUT_FRACTION)
        self._layout = layout

    def __call__(self, x_PI: Hidden) -> NDArray[np.int32]:
        """Return outputs (P, O), OUTPUT_FRACTION bits."""
        x = self._first.hidden(x_PI)
        rest = x
        for place, block in enumerate(self._blocks):
            is_last = place == len(self._blocks) - 1
            rest = block.hidden(rest, leaky=True, skip_PO=x if is_last else None)
        outputs = self._last.outputs(self._before_last.hidden(rest, leaky=True), limit=MAX_OUTPUT)
        if self._direct is not None:
            k, first = self._layout.num_mixtures, self._layout.num_copies
            moved = self._direct.outputs(np.ascontiguousarray(x_PI[:, :NUM_TAP_INPUTS]), limit=MAX_OUTPUT)
            # Below 2^21: the coder's means are clamped later.
            outputs[:, first : first + 3 * k] += moved.repeat(k, axis=1)
        return outputs


class FrozenPixels(nn.Module):
    """All that predicts pixels, as buffers."""

    def __init__(self, config: SeecConfig, networks: PixelNetworks) -> None:
        super().__init__()
        self.config = config
        self.tables = LogisticTables()
        width = config.num_hidden
        features = config.num_features if config.num_channels else 0
        self.context = IntegerLinear(NUM_TAP_INPUTS, width) if networks.in_patch else None
        self.fusion = IntegerLinear(width + features, width) if networks.in_patch else None
        self.heads = nn.ModuleList(
            FrozenHead(
                width if networks.in_patch else networks.num_inputs(of_class),
                networks.layout(of_class).num_outputs,
                config,
            )
            for of_class in range(config.num_classes)
        )

    def store(self, networks: PixelNetworks) -> None:
        """Quantise trained networks."""
        config = self.config
        self.tables.store()
        num_features = config.num_features if config.num_channels else 0
        feature_units = torch.full((num_features,), 2.0**-FEATURE_FRACTION, dtype=torch.float64)
        hidden_units = torch.full((config.num_hidden,), 2.0**-HIDDEN_FRACTION, dtype=torch.float64)
        if self.context is not None and self.fusion is not None:
            assert networks.context is not None and networks.fusion is not None
            self.context.store(networks.context, in_units=input_units(config, 0))
            self.fusion.store(networks.fusion, in_units=torch.cat([feature_units, hidden_units]))
        for of_class, (frozen, head) in enumerate(zip(self.heads, networks.heads, strict=True)):
            assert isinstance(frozen, FrozenHead) and isinstance(head, Head)
            layout = networks.layout(of_class)
            units = hidden_units if networks.in_patch else torch.cat([input_units(config, of_class), feature_units])
            gain, offset = _coded_units(*output_units(config, layout), layout.num_copies, layout.num_mixtures)
            means = slice(layout.num_copies, layout.num_copies + 3 * layout.num_mixtures, layout.num_mixtures)
            frozen.store(head, in_units=units, gain=gain, offset=offset, means=means)

    def running(self) -> "RunningPixels":
        """Return the networks ready to run on integers."""
        return RunningPixels(self)


class RunningPixels:
    """Integer networks from a class's inputs to its outputs."""

    def __init__(self, frozen: FrozenPixels) -> None:
        self._context: Prepared | None = None if frozen.context is None else frozen.context.prepared()
        self._fusion: Prepared | None = None if frozen.fusion is None else frozen.fusion.prepared()
        layouts = (PixelNetworks.layout_of(frozen.config, of_class) for of_class in range(len(frozen.heads)))
        heads = [head for head in frozen.heads if isinstance(head, FrozenHead)]
        self._heads = [RunningHead(head, layout) for head, layout in zip(heads, layouts, strict=True)]

    def shared(self, inputs_PI: Hidden) -> Hidden:
        """Return what all heads start from: the inputs, or the fusion of context and side features."""
        if self._context is None or self._fusion is None:
            return inputs_PI
        context = self._context.hidden(np.ascontiguousarray(inputs_PI[:, :NUM_TAP_INPUTS]))
        return self._fusion.hidden(np.concatenate([inputs_PI[:, NUM_TAP_INPUTS:], context], axis=1))

    def head(self, x_PI: Hidden, of_class: int) -> NDArray[np.int32]:
        """Return a class's outputs (P, O)."""
        return self._heads[of_class](x_PI)


def linear_layers(modules: nn.ModuleList) -> list[IntegerLinear]:
    """Return the modules, typed."""
    return [module for module in modules if isinstance(module, IntegerLinear)]


def _coded_units(gain: Tensor, offset: Tensor, num_copies: int, k: int) -> tuple[Tensor, Tensor]:
    """Turn the mixture's units into the coder's: logarithms to the base 2, and those of inverse scales.

    The means and the coefficients, ahead of tanh, keep theirs.
    """
    to_base_2 = 1.0 / math.log(2.0)
    factor = torch.full_like(gain, to_base_2)
    means, scales, coefficients = (slice(num_copies + i * 3 * k, num_copies + (i + 1) * 3 * k) for i in range(3))
    factor[means] = 1.0
    factor[scales] = -to_base_2
    factor[coefficients] = 1.0
    return gain * factor, offset * factor
