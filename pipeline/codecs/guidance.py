"""What a user may tell a codec about a picture beside its pixels: classes, and what has to stay exact."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import UsageError
from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.config import MAX_BACKGROUND_STEP
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.table import CodecSpec
from pipeline.formats.picture import Pixels, to_rgb
from pipeline.formats.sample import NATURAL, SYNTHETIC

Exact = Literal["all", "synthetic", "natural"]


@runtime_checkable
class Segmenter(Protocol):
    """A codec with a segmentation head."""

    def label_probability(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (H, W): the probability that a pixel is natural."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """Settings for all pictures of a job."""

    exact: Exact = "all"
    """Which pixels stay exact."""
    background_step: int = 0
    """The others are off by at most half of it; 0: they are what the codec predicts, at no cost."""
    rate: float | None = None
    """Which rate of a codec with several; None: its default."""
    labeller: LoadedCodec | None = None
    """Whose segmentation head tells the classes; None: the codec chooses what is cheapest."""


def check(guidance: Guidance, spec: CodecSpec) -> None:
    """Raise UsageError if the codec has no use for the guidance."""
    if not 0 <= guidance.background_step <= MAX_BACKGROUND_STEP:
        raise UsageError(f"background step {guidance.background_step}: expected 0..{MAX_BACKGROUND_STEP}")
    if guidance.exact != "all" and "exact" not in spec.side_inputs:
        raise UsageError(f"codec {spec.name} has no region of interest; one that has: seec")
    if guidance.labeller is not None and "label" not in spec.side_inputs:
        raise UsageError(f"codec {spec.name} takes no label map; one that does: seec")
    if guidance.labeller is not None and not isinstance(guidance.labeller.codec, Segmenter):
        raise UsageError(f"codec {guidance.labeller.spec.name} has no segmentation head; one that has: mtl_sci")


def check_rate(rate: float | None, loaded: LoadedCodec) -> None:
    """Raise UsageError if the weights do not code at this rate."""
    num_rates = loaded.codec.num_rates
    if rate is None or (num_rates > 1 and 0 <= rate <= num_rates - 1):
        return
    if num_rates == 1:
        raise UsageError(
            f"rate {rate:g}: these weights of {loaded.spec.name} have one rate; mtl_sci variable has several"
        )
    raise UsageError(f"rate {rate:g}: expected 0 (fewest bytes) to {num_rates - 1}, or a number between")


def side_inputs(
    guidance: Guidance,
    pixels: Pixels,
    *,
    label: NDArray[np.uint8] | None = None,
    exact: NDArray[np.bool_] | None = None,
) -> SideInputs:
    """Return what the encoder is told of a picture (H, W, C); a label map or an exact region of its own goes first."""
    labeller: object = None if guidance.labeller is None else guidance.labeller.codec
    if label is None and isinstance(labeller, Segmenter):
        is_natural = labeller.label_probability(to_rgb(pixels)) >= 0.5
        label = np.where(is_natural, NATURAL, SYNTHETIC).astype(np.uint8)
    classes = {"all": None, "synthetic": (SYNTHETIC,), "natural": (NATURAL,)}[guidance.exact]
    return SideInputs(
        label=label,
        exact=exact,
        exact_classes=None if exact is not None else classes,
        background_step=guidance.background_step,
        rate=guidance.rate,
    )
