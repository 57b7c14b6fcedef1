"""How region maps are made."""

from dataclasses import dataclass
from typing import Literal

MaskEngine = Literal["auto", "layout", "felzenszwalb", "sam", "none"]
SamModel = Literal["auto", "vit_b", "vit_l", "vit_h"]
Precision = Literal["auto", "float32", "bf16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MasksConfig:
    """One engine and what it is asked."""

    engine: MaskEngine = "auto"
    """`auto`: sam if a checkpoint is given, else layout for synthesized and felzenszwalb for captured samples."""
    min_area: int = 64
    """Regions of fewer pixels are merged into the neighbour that they have the longest border with; not those of
    `layout`, which are exact."""
    felzenszwalb_scale: float = 400.0
    """Larger values give larger regions (Felzenszwalb and Huttenlocher 2004, parameter k)."""
    felzenszwalb_sigma: float = 0.6
    """Width of the Gaussian smoothing before, in pixels of the downscaled copy."""
    felzenszwalb_min_size: int = 50
    """Smallest region, in pixels of the downscaled copy."""
    felzenszwalb_closing: tuple[int, ...] = (3, 1)
    """Width and height in pixels of the downscaled copy: strokes that are nearer to each other become one before, so
    that a line of text is a region and not each of its letters; (1, 1) = nothing is done."""
    downscale: int = 2
    """The graph is built on a copy reduced by this factor; region borders are exact to that many pixels."""
    sam_checkpoint: str | None = None
    """A checkpoint in Segment Anything's own format, by path or URL."""
    sam_model: SamModel = "auto"
    """What the checkpoint has to hold; `auto`: whatever it holds, which its weights say."""
    sam_device: str = "auto"
    """`cpu`, `cuda`, `cuda:1`; `auto`: a GPU if there is one."""
    sam_precision: Precision = "auto"
    """Of the encoder; `auto`: bf16 on a GPU, float32 on a CPU. Scores and masks are always float32."""
    sam_batch_pictures: int = 4
    """Pictures encoded at a time."""
    sam_points_per_side: int = 32
    """Prompt points along each side; the cost grows with its square."""
    sam_points_per_batch: int = 64
    """Prompts decoded at a time; 64 take about 1 GB."""
    sam_pred_iou_thresh: float = 0.88
    """Masks of which the network itself expects less are left out; 0..1."""
    sam_stability_score_thresh: float = 0.95
    """Masks that change more with the threshold are left out; 0..1."""
    sam_stability_score_offset: float = 1.0
    """By how much the threshold is changed for that, in logits."""
    sam_box_nms_thresh: float = 0.7
    """Of masks whose boxes overlap more (intersection over union) the best is kept; 0..1."""
    sam_crop_layers: int = 0
    """How many times the picture is looked at again in smaller crops: 4 in the first layer, 16 in the second."""
    sam_crop_overlap_ratio: float = 512 / 1500
    """How far the first layer's crops overlap, as a share of the picture's shorter side."""
    sam_crop_points_downscale_factor: int = 1
    """Points a side are divided by this from layer to layer."""
    sam_min_mask_area: int = 0
    """Holes and islands of a mask with fewer pixels are removed; 0 = none is."""

    def __post_init__(self) -> None:
        at_least_one = (
            *("downscale", "felzenszwalb_min_size", "sam_points_per_side", "sam_points_per_batch"),
            *("sam_batch_pictures", "sam_crop_points_downscale_factor"),
        )
        for name in at_least_one:
            if getattr(self, name) < 1:
                raise ValueError(f"masks: {name} is {getattr(self, name)}, must be 1 or more")
        for name in ("min_area", "felzenszwalb_sigma", "sam_crop_layers", "sam_min_mask_area"):
            if getattr(self, name) < 0:
                raise ValueError(f"masks: {name} is {getattr(self, name)}, must be 0 or more")
        shares = ("sam_pred_iou_thresh", "sam_stability_score_thresh", "sam_box_nms_thresh", "sam_crop_overlap_ratio")
        for name in shares:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"masks: {name} is {getattr(self, name)}, must be 0..1")
        if self.felzenszwalb_scale <= 0 or self.sam_stability_score_offset <= 0:
            raise ValueError("masks: felzenszwalb_scale and sam_stability_score_offset must be positive")
        if len(self.felzenszwalb_closing) != 2 or min(self.felzenszwalb_closing) < 1:
            raise ValueError("masks: felzenszwalb_closing must be [width, height], 1 or more")
        if self.sam_crop_layers > 3:
            raise ValueError(f"masks: sam_crop_layers is {self.sam_crop_layers}, must be 0..3")
        if self.engine == "sam" and self.sam_checkpoint is None:
            raise ValueError("masks: engine 'sam' needs sam_checkpoint")
