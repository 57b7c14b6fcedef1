"""How single pictures are coded; free of torch."""

from dataclasses import dataclass
from pathlib import Path

PRESETS = Path(__file__).parent / "presets"
TEXT_EXACT_STEP = 8
"""Background step of "text exact, photographs light": no level is off by more than 4."""
MAX_BACKGROUND_STEP = 255
MAX_RATES = 64
"""Most rates that one set of weights may be trained at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingConfig:
    """Settings of `diptych compress` and `diptych decompress`. None of them changes what a bitstream decodes to.

    Raises: ValueError: a number is out of range.
    """

    threads: int = 1
    """CPU threads of the networks. On a busy machine one is faster than several, which wait for each other."""
    device: str = "cpu"
    """Where the networks run: `cpu`, `cuda`, ..."""
    max_pixels: int = 1 << 27
    """Larger pictures are refused."""

    def __post_init__(self) -> None:
        for name in ("threads", "max_pixels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
