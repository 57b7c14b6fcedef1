"""The libraries that compute an evaluation's figures: whether they are there, and which versions they are."""

import platform
from importlib.metadata import version

import numpy as np

from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.peers import find_peer
from pipeline.evaluation.perceptual import measure_perceptual

_ALWAYS = ("diptych", "numpy", "pillow", "pyarrow", "torch")
_PERCEPTUAL = ("psnr-hvsm", "scipy")


def check_libraries(config: EvaluateConfig) -> None:
    """Raise now what would end an evaluation after its first picture. Raises: MissingDependency."""
    for name in (*config.peers, *config.references):
        _ = find_peer(name).version
    if config.metrics == "all":
        blank = np.zeros((8, 8, 3), np.uint8)
        measure_perceptual(blank, blank)


def versions(config: EvaluateConfig) -> dict[str, str]:
    """Return the versions of what computes the figures; those of peers are in their rows."""
    names = (*_ALWAYS, *_PERCEPTUAL) if config.metrics == "all" else _ALWAYS
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
