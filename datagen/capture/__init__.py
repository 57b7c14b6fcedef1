"""Real screens as lossless PNGs: `run(config, out, display=..., progress=...)`."""

from datagen.capture.config import PRESETS, CaptureConfig, CaptureSummary
from datagen.capture.run import run

__all__ = ["PRESETS", "CaptureConfig", "CaptureSummary", "run"]
