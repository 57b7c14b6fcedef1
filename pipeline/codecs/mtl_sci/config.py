"""The config of an MTL-SCI codec; free of torch."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class MtlSciConfig:
    """What fixes the shapes of all weights and tables.

    Raises: ValueError: a number is out of range.
    """

    base: Literal["hyperprior"] = "hyperprior"
    """Entropy model: `hyperprior` is the scale hyperprior of Balle et al. 2018 (arXiv:1802.01436)."""
    num_channels: int = 192
    """Channels of all hidden layers and of the hyper-latent."""
    num_latents: int = 192
    """Channels of the latent."""
    segmentation_head: bool = True
    """Build the second decoder, which tells natural from synthetic pixels. It never changes a byte."""
    num_head_channels: int | None = None
    """Channels of the head's hidden layers; as many as `num_channels` if not given."""

    def __post_init__(self) -> None:
        for name in ("num_channels", "num_latents", "num_head_channels"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= 1024:
                raise ValueError(f"{name} must be 1..1024, got {value}")
