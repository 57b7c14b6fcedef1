"""Label maps from a trained codec: which pixels of a picture that nobody labelled are natural, and how sure that is.

The codec's segmentation head gives each pixel's probability of being natural. Where neither class reaches the wanted
confidence the label is 255, as for every pixel whose class is not known.

Same picture, weights and machine: same labels, whatever the number of threads. Probabilities are rounded to 1/256
before they are compared, which hides rounding errors except at a step; torch of another version, or another kind of
processor, may still move a latent value over a rounding border, and with it the labels of some 16 x 16 pixels.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import CheckpointError, MissingDependency
from pipeline.base.store import sha256_file
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC

if TYPE_CHECKING:
    from pipeline.codecs.checkpoint import LoadedCodec

WEIGHTS = "weights.safetensors"
"""Name of the weights in a checkpoint folder."""

_STEPS = 256
"""Of a probability."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What a labeller says about one picture."""

    label: NDArray[np.uint8]
    """(H, W): 0 synthetic, 1 natural, 255 where the confidence is too low."""
    confidence: float
    """Mean over all pixels of the likelier class's probability, 0.5 to 1."""
    how_labelled: str
    """Codec, first 12 digits of its weights' SHA-256, confidence wanted."""


class _Segmenter(Protocol):
    def label_probability(self, picture: Pixels) -> NDArray[np.float32]: ...


class Labeller:
    """A trained codec as labeller; load it once a process."""

    def __init__(self, checkpoint: str) -> None:
        """Load a checkpoint folder or a weights file.

        Raises: CheckpointError: no such checkpoint, or its codec has no segmentation head; MissingDependency.
        """
        try:
            from pipeline.codecs import checkpoint as checkpoints
        except ModuleNotFoundError as error:
            raise MissingDependency(
                f"{error.name} is not installed; labelling with a codec needs pip install 'diptych[codecs]'"
            ) from error
        loaded = checkpoints.load(checkpoint)
        self._segmenter = _segmenter(loaded, checkpoint)
        self._name = f"{loaded.spec.name} {loaded.weights_sha256[:12]}"

    def label(self, picture: Pixels, *, min_confidence: float) -> Labelled:
        """Label an RGB picture (H, W, 3) of any size; `min_confidence` 0.5..1, at 0.5 every pixel gets a class.

        Raises: ValueError: `min_confidence` is out of range.
        """
        if not 0.5 <= min_confidence <= 1.0:
            raise ValueError(f"min_confidence is {min_confidence}, must be 0.5..1")
        from pipeline.codecs.threads import torch_threads

        # How sums are split between threads changes their last digits.
        with torch_threads(1):
            probability = self._segmenter.label_probability(picture)
        natural = np.rint(probability * _STEPS).astype(np.uint16)
        wanted = math.ceil(min_confidence * _STEPS)
        label = np.full(natural.shape, IGNORE, np.uint8)
        label[natural <= _STEPS - wanted] = SYNTHETIC
        label[natural >= wanted] = NATURAL
        likelier = np.maximum(natural, _STEPS - natural)
        return Labelled(
            label=label,
            confidence=int(likelier.sum(dtype=np.int64)) / (_STEPS * likelier.size),
            how_labelled=f"{self._name} confidence>={min_confidence:g}",
        )


def weights_digest(checkpoint: str) -> str:
    """Return the SHA-256 of a checkpoint's weights file. Raises: StorageError: there is none."""
    path = Path(checkpoint)
    return sha256_file(path / WEIGHTS if path.is_dir() else path)


def _segmenter(loaded: "LoadedCodec", checkpoint: str) -> _Segmenter:
    """Return the codec if it can label."""
    if not hasattr(loaded.codec, "label_probability"):
        raise CheckpointError(f"{checkpoint}: its codec {loaded.spec.name} has no segmentation head; mtl_sci has one")
    segmenter = cast(_Segmenter, loaded.codec)
    try:
        segmenter.label_probability(np.zeros((1, 1, 3), np.uint8))
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint}: cannot label pictures: {error}") from error
    return segmenter
