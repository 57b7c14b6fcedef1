"""The config of an MS-ROI JPEG codec; free of torch."""

from dataclasses import dataclass
from typing import Literal

MapForm = Literal["paper", "released"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MsRoiConfig:
    """What fixes the shapes of all weights, how the saliency map is made of them, and how a JPEG is coded by default.

    Raises: ValueError: a number is out of range, or a class name is not a name.
    """

    trunk: Literal["vgg16", "light"] = "vgg16"
    """`vgg16` is the published one; `light` are depthwise-separable convolutions for CPUs."""
    class_names: tuple[str, ...] = ()
    """The classes, in the order of the network's outputs. Empty before training: those of the training split are
    taken, sorted, and saved with the weights."""
    width: int = 32
    """Channels of the light trunk's first layer; the last has eight times as many. `vgg16` has its own."""
    num_channels: int = 32
    """Channels between the trunk and the depthwise convolution (conv6_1)."""
    depth_multiplier: int = 32
    """Outputs of the depthwise convolution for each of its inputs; `num_channels` times it are the last features."""
    keep_probability: float = 0.7
    """Share of activations that dropout keeps after every convolution, in training alone."""

    short_side: int = 224
    """The picture is scaled to this short side, in pixels, before the network looks for salient regions."""
    map_form: MapForm = "paper"
    """`paper`: the maps of all classes whose total is above a threshold, added up; `released`: the five likeliest
    classes' maps with falling weights, as in the authors' code."""
    threshold_share: float = 0.5
    """The threshold T of `paper` as a share of the largest class total; its value is not published."""

    encoder: Literal["rdo", "paper"] = "rdo"
    """How the map steers the JPEG, where a job says nothing else."""
    quality: int = 75
    """JPEG quality, 1..100, where a job says nothing else."""

    def __post_init__(self) -> None:
        for name, high in (("width", 256), ("num_channels", 1024), ("depth_multiplier", 256)):
            if not 1 <= getattr(self, name) <= high:
                raise ValueError(f"{name} must be 1..{high}, got {getattr(self, name)}")
        for name in ("keep_probability", "threshold_share"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be over 0 and at most 1, got {getattr(self, name)}")
        if not 32 <= self.short_side <= 2048:
            raise ValueError(f"short_side must be 32..2048 pixels, got {self.short_side}")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality must be 1..100, got {self.quality}")
        if not all(name and name.isprintable() for name in self.class_names):
            raise ValueError(f"class_names must be printable names, got {list(self.class_names)}")
        if len(set(self.class_names)) < len(self.class_names):
            raise ValueError(f"class_names hold a name twice: {list(self.class_names)}")
