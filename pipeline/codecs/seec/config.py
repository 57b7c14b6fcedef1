"""Config of the SEEC codec; free of torch."""

from dataclasses import dataclass
from typing import Literal

PATCH = 64
"""Side of the patches that the side codec describes; with `context = "patch"` also what a pixel's neighbours end at."""
MAX_CLASSES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SeecConfig:
    """Sizes of the networks, and what a pixel's distribution is predicted from.

    Raises: ValueError: a size is out of range.
    """

    num_classes: int = 2
    """Classes of pixels, each with an entropy model of its own; class 0 is drawn, 1 photographed. 1: a single model."""
    num_channels: int = 192
    """Hidden and latent channels of the side codec, which describes patches ahead of their pixels; 0 leaves it out."""
    num_features: int = 256
    """Channels of the feature map that the side codec gives."""
    num_heads: int = 8
    """Attention heads of the side codec."""
    context: Literal["patch", "picture"] = "patch"
    """`patch`: 22 neighbours within the patch, as published; `picture`: 22 neighbours anywhere, as differences."""
    copies: bool = False
    """Class 0 codes copies of colours seen before; needs `context = "picture"`."""
    num_hidden: int = 256
    """Width of the pixel networks."""
    num_blocks: int = 3
    """Layers within a head's skip connection."""
    num_mixtures: int = 5
    """Logistics a channel."""
    priced_pixels: int = 1
    """Training learns from one pixel of so many, chosen at random, in each picture."""
    direct_means: bool = False
    """A linear way from the neighbours to the means beside the head; needs `context = "picture"`."""
    multichannel: bool = True
    """Mixture weights for each channel, else one set for all three."""

    def __post_init__(self) -> None:
        ranges = {
            "num_classes": (1, MAX_CLASSES),
            "num_channels": (0, 1024),
            "num_features": (1, 1024),
            "num_heads": (1, 64),
            "num_hidden": (1, 1024),
            "num_blocks": (1, 16),
            "num_mixtures": (1, 16),
            "priced_pixels": (1, 64),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be {low}..{high}, got {getattr(self, name)}")
        if self.num_channels % self.num_heads:
            raise ValueError(f"num_channels {self.num_channels} must be a multiple of num_heads {self.num_heads}")
        if self.context == "patch" and not self.num_channels:
            raise ValueError('context = "patch" needs the side codec (num_channels above 0)')
        if (self.copies or self.direct_means) and self.context != "picture":
            raise ValueError('copies and direct_means need context = "picture"')

    @property
    def copying_class(self) -> int:
        """The class whose pixels may be copies; -1 for none."""
        return 0 if self.copies else -1
