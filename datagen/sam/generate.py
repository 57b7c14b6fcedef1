"""Every mask that Segment Anything finds in a picture, as the package's automatic generator finds them, in less time.

The package enlarges three masks of every prompt to the picture's full size before it looks at how good they are. Here
masks are scored first, drawn small if their predicted IoU is high enough, and enlarged a few at a time.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from datagen.geometry import Box, box
from datagen.masks_config import MasksConfig
from datagen.sam.decoder import PointDecoder, Scored
from datagen.sam.masks import SamMask, cropped, is_cut, without_duplicates, without_specks
from datagen.sam.memory import halving
from datagen.sam.prompts import Crop, crops
from pipeline.formats.picture import Pixels

if TYPE_CHECKING:
    from torch import Tensor

_LOGITS = 1 << 26
"""Numbers that enlarged masks may take at a time: 256 MiB."""


def prepared(sam: Any, picture: Pixels) -> "Tensor":
    """Return what the encoder takes of a picture (H, W, 3): (3, side, side), scaled to its longer side, and padded."""
    side = sam.image_encoder.img_size
    height, width = input_size(side, picture.shape[:2])
    scaled = np.array(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))
    values = torch.from_numpy(scaled).permute(2, 0, 1).float()
    values = (values - sam.pixel_mean.cpu()) / sam.pixel_std.cpu()
    return functional.pad(values, (0, side - width, 0, side - height))


def input_size(side: int, shape: Sequence[int]) -> tuple[int, int]:
    """Return (height, width) of a picture whose longer side is scaled to `side`, a pixel at least."""
    factor = side / max(shape[0], shape[1])
    height, width = (max(1, int(size * factor + 0.5)) for size in shape[:2])
    return height, width


def encode(sam: Any, inputs_N3HW: "Tensor", *, bf16: bool) -> "Tensor":
    """Return the embeddings of prepared pictures, (N, C, h, w) float32, in as many passes as memory asks for."""
    device = sam.device

    def one_pass(inputs: "Tensor") -> "Tensor":
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
            made: Tensor = sam.image_encoder(inputs.to(device, non_blocking=True))
        return made.float()

    return torch.cat(list(halving(one_pass, inputs_N3HW)))


def masks_of(sam: Any, config: MasksConfig, picture: Pixels, features_NChw: "Tensor") -> list[SamMask]:
    """Return a picture's masks, best first; `features_NChw` are the embeddings of its crops, as `crops_of` has them."""
    height, width = picture.shape[:2]
    whole = box(0, 0, width, height)
    found: list[SamMask] = []
    from_crop: list[float] = []
    looked = crops_of(config, picture)
    for crop, features in zip(looked, features_NChw, strict=True):
        masks = [one for one in _masks_of_crop(sam, config, crop, features) if not is_cut(one.area, crop.area, whole)]
        kept = without_duplicates(masks, [one.predicted_iou for one in masks], config.sam_box_nms_thresh)
        found += (masks[index] for index in kept)
        from_crop += [1 / (crop.area.width * crop.area.height)] * len(kept)
    if len(looked) > 1:
        # Of what several crops show, the smallest crop's counts.
        found = [found[index] for index in without_duplicates(found, from_crop, config.sam_box_nms_thresh)]
    if config.sam_min_mask_area:
        found = without_specks(found, config.sam_min_mask_area, config.sam_box_nms_thresh, whole)
    return [one for one in found if one.mask.size]


def crops_of(config: MasksConfig, picture: Pixels) -> list[Crop]:
    """Return where a picture (H, W, 3) is looked at."""
    height, width = picture.shape[:2]
    return crops(
        width,
        height,
        points_per_side=config.sam_points_per_side,
        num_layers=config.sam_crop_layers,
        overlap=config.sam_crop_overlap_ratio,
        shrink=config.sam_crop_points_downscale_factor,
    )


def part(picture: Pixels, area: Box) -> Pixels:
    """Return the pixels of a crop."""
    return np.ascontiguousarray(picture[area.y : area.bottom, area.x : area.right])


def _masks_of_crop(sam: Any, config: MasksConfig, crop: Crop, features_Chw: "Tensor") -> Iterator[SamMask]:
    decoder = PointDecoder(sam, features_Chw[None])
    shape = (crop.area.height, crop.area.width)
    size = input_size(sam.image_encoder.img_size, shape)
    scale = np.array([size[1] / shape[1], size[0] / shape[0]])
    points = torch.as_tensor(crop.points_N2 * scale, dtype=torch.float32, device=sam.device)
    for batch in torch.split(points, config.sam_points_per_batch):
        for scored in halving(decoder.score, batch):
            yield from _accepted(sam, config, decoder, scored, (size, shape), crop.area)


def _accepted(
    sam: Any,
    config: MasksConfig,
    decoder: PointDecoder,
    scored: Scored,
    sizes: tuple[tuple[int, int], tuple[int, int]],
    crop: Box,
) -> Iterator[SamMask]:
    """Give the masks of some prompts that are good and stable enough; `sizes` are the input's and the crop's (H, W)."""
    good = (scored.predicted_iou_BM > config.sam_pred_iou_thresh).nonzero()
    if not len(good):
        return
    side = sam.image_encoder.img_size
    per_mask = side * side + 2 * sizes[1][0] * sizes[1][1]
    for chosen in torch.split(good, max(1, _LOGITS // per_mask)):
        for prompts in halving(lambda chosen: (chosen, enlarged(decoder, scored, chosen, side, sizes)), chosen):
            rows, logits = prompts
            high, low = (
                (logits > sam.mask_threshold + shift).flatten(1).sum(1)
                for shift in (config.sam_stability_score_offset, -config.sam_stability_score_offset)
            )
            stability = high / low
            kept = (stability >= config.sam_stability_score_thresh).nonzero()[:, 0]
            masks = (logits[kept] > sam.mask_threshold).cpu().numpy()
            scores = scored.predicted_iou_BM[rows[kept, 0], rows[kept, 1]].tolist()
            for mask, score, stable in zip(masks, scores, stability[kept].tolist(), strict=True):
                yield cropped(mask, (crop.x, crop.y), score, stable)


def enlarged(
    decoder: PointDecoder,
    scored: Scored,
    chosen_K2: "Tensor",
    side: int,
    sizes: tuple[tuple[int, int], tuple[int, int]],
) -> "Tensor":
    """Return the logits of masks at the crop's size, (K, H, W): by way of the input's, as the package does it."""
    (height, width), shape = sizes
    small = decoder.draw(scored, chosen_K2[:, 0], chosen_K2[:, 1])[:, None].float()
    padded = functional.interpolate(small, (side, side), mode="bilinear", align_corners=False)
    return functional.interpolate(padded[..., :height, :width], shape, mode="bilinear", align_corners=False)[:, 0]


def num_prompts(config: MasksConfig, shape: Sequence[int]) -> int:
    """Return how many points are asked in a picture of (H, W)."""
    return sum(len(crop.points_N2) for crop in crops_of(config, np.empty((shape[0], shape[1], 0), dtype=np.uint8)))


def num_batches(config: MasksConfig, shape: Sequence[int]) -> int:
    """Return in how many batches they are asked."""
    looked = crops_of(config, np.empty((shape[0], shape[1], 0), dtype=np.uint8))
    return sum(math.ceil(len(crop.points_N2) / config.sam_points_per_batch) for crop in looked)
