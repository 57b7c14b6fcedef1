"""What a codec is: a module with a training-time `forward` and, beside it, `compress` and `decompress`.

Shapes: N batch, H height, W width of the picture; pictures are RGB.
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


@dataclass(frozen=True, slots=True, kw_only=True)
class SideInputs:
    """What the encoder may know beside the picture; the decoder never sees it. Each is (H, W) or None."""

    label: NDArray[np.uint8] | None = None
    """The class of each pixel, or 255."""
    regions: NDArray[np.uint16] | None = None
    exact: NDArray[np.bool_] | None = None
    """Which pixels a lossless codec keeps as they are; None: all."""
    exact_classes: tuple[int, ...] | None = None
    """The same by class, whether those are given by `label` or chosen by the codec; None: all."""
    background_step: int = 0
    """How the others are kept: to within half of it, or, if 0, as predicted."""
    saliency: NDArray[np.float32] | None = None
    """How much each pixel matters, in [0, 1]; None: the codec finds out by itself."""
    rate: float | None = None
    """Of a codec with several rates, which: 0 (fewest bytes) to `num_rates` - 1; None: its default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecOutput:
    """What `forward` gives a training objective."""

    reconstruction: Tensor
    """(N, 3, H, W), RGB, nominally in [0, 1], not clamped."""
    likelihoods: Mapping[str, Tensor]
    """Per latent, likelihoods of its (noisy) symbols; -log2 summed is the picture's rate in bits. Empty where training
    codes nothing."""
    label_logits: Tensor | None = None
    """(N, 1, H, W): logit of `natural`; None for a codec without a segmentation head."""
    class_logits: Tensor | None = None
    """(N, C): logits of what each picture shows; None for a codec that does not learn that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """What `compress` gives for one picture."""

    segments: dict[int, bytes]
    """Payload by tag (1..127), written to the bitstream in this order."""
    reconstruct: Callable[[], NDArray[np.uint8]]
    """Gives (H, W, 3): what `decompress` returns for these segments, here."""
    details: Mapping[str, float] = field(default_factory=dict)
    """Figures about the coding, such as bits per latent; informative only."""

    @property
    def reconstruction(self) -> NDArray[np.uint8]:
        """(H, W, 3); computed when it is first asked for."""
        return self.reconstruct()


@runtime_checkable
class Pretrainable(Protocol):
    """A codec part of whose weights may come from elsewhere."""

    def load_trunk(self, path: Path) -> None:
        """Replace those weights by a file's. Raises: UsageError, CheckpointError: the file is not there, or unfit."""


@runtime_checkable
class VariableRate(Protocol):
    """A codec whose weights code at `num_rates` rates and all between; its `forward` also takes `rates_N`, floats."""

    num_rates: int

    def start_rates(self, lambdas: Sequence[float]) -> None:
        """Set fresh weights up for levels of these lambdas, one each."""


class AbstractCodec(nn.Module, abc.ABC):
    """A codec's networks and its real bytes. Concrete codecs are final: never subclassed."""

    exact_pixels: bool = True
    """Whether a bitstream decodes to the same pixels on every machine. Where only its latents are the same, the codec
    checks those itself, and pixels may differ from the encoder's by the rounding of floats."""

    num_rates: int = 1
    """Rates that these weights were trained at. With several, the codec is a `VariableRate`."""

    @property
    @abc.abstractmethod
    def config(self) -> Any:
        """The frozen dataclass it was built from."""

    @abc.abstractmethod
    def forward(
        self, pictures_N3HW: Tensor, regions_NHW: Tensor | None = None, labels_NHW: Tensor | None = None
    ) -> CodecOutput:
        """Run training-time coding on RGB pictures in [0, 1]; H and W are at least 1.

        `regions_NHW` are class-agnostic region ids, `labels_NHW` classes (255: unknown), for the codecs whose table
        entry says that they train with them.
        """

    @abc.abstractmethod
    def aux_loss(self) -> Tensor:
        """Return the scalar loss whose parameters (`aux_parameters`) have an optimiser of their own."""

    @abc.abstractmethod
    def aux_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that only `aux_loss` trains (quantiles of entropy bottlenecks)."""

    @abc.abstractmethod
    def freeze(self) -> None:
        """Turn the trained floats into the integer tables and integer weights that coding uses (buffers).

        Must be called after training and before `compress`; saved with the weights, never re-derived at load time.
        """

    @abc.abstractmethod
    def compress(self, picture: NDArray[np.uint8], side: SideInputs) -> Coded:
        """Code one RGB picture (H, W, 3), any size from 1x1. Deterministic."""

    @abc.abstractmethod
    def decompress(self, segments: Mapping[int, bytes], *, height: int, width: int) -> NDArray[np.uint8]:
        """Return the (H, W, 3) picture; with `exact_pixels`, independent of threads, batch and machine.

        Raises: CorruptBitstream, TruncatedBitstream: the segments cannot come from `compress`.
        """

    @property
    def device(self) -> torch.device:
        """Where the parameters live."""
        return next(self.parameters()).device
