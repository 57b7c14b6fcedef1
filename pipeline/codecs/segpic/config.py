"""The config of a SegPIC codec; free of torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SegPicConfig:
    """What fixes the shapes of all weights and tables.

    Raises: ValueError: a number is out of range.
    """

    num_channels: int = 192
    """N: channels of hidden layers and of the hyper-latent."""
    num_latents: int = 320
    """M: channels of the latent."""
    num_head_channels: int = 32
    """Channels at full resolution, before the last 1x1 convolution."""
    num_attention_heads: int = 8
    """Heads of each window attention; divides N and M."""
    num_prototype_channels: int = 96
    """Channels in which a region's prototype is coded."""
    num_slices: int = 10
    """Slices that the latent is coded in, one after another; divides M."""
    num_support_slices: int = 5
    """Of them, the first so many are seen by all later ones."""
    slice_widths: tuple[int, ...] = (224, 176, 128, 64)
    """Channels of the hidden layers of the slices' networks, of which each slice has three."""
    grid: int = 4
    """Without region maps (when coding) the regions are the cells of a grid, so many a side."""
    region_adaptive: bool = True
    """Build the region-adaptive transforms (RAT) and the prototypes that guide them; off for ablations."""
    scale_affine: bool = True
    """Build the scale-affine layers (SAL); off for ablations."""

    def __post_init__(self) -> None:
        for name in ("num_channels", "num_latents", "num_head_channels", "num_prototype_channels", "num_slices"):
            if not 1 <= getattr(self, name) <= 1024:
                raise ValueError(f"{name} must be 1..1024, got {getattr(self, name)}")
        heads = self.num_attention_heads
        if heads < 1 or self.num_channels % heads or self.num_latents % heads:
            raise ValueError(f"num_attention_heads {heads} must divide num_channels and num_latents")
        if self.num_latents % self.num_slices:
            raise ValueError(f"num_latents {self.num_latents} must be a multiple of num_slices {self.num_slices}")
        if not 0 <= self.num_support_slices <= self.num_slices:
            raise ValueError(f"num_support_slices must be 0..{self.num_slices}, got {self.num_support_slices}")
        if not self.slice_widths or not all(1 <= width <= 1024 for width in self.slice_widths):
            raise ValueError(f"slice_widths must be numbers of 1..1024, got {list(self.slice_widths)}")
        if not 1 <= self.grid <= MAX_GRID:
            raise ValueError(f"grid must be 1..{MAX_GRID}, got {self.grid}")


MAX_GRID = 16
