"""Masks of Segment Anything, against the package's own generator."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from datagen.config import MasksConfig
from datagen.sam.generate import crops_of, encode, masks_of, part, prepared
from datagen.sam.masks import SamMask
from pipeline.formats.picture import Pixels
from tests.small_corpus import noise
from tests.tiny_sam import tiny_sam


@pytest.fixture(scope="module")
def sam() -> Any:
    return tiny_sam()


def ours(sam: Any, config: MasksConfig, picture: Pixels) -> list[SamMask]:
    inputs = torch.stack([prepared(sam, part(picture, crop.area)) for crop in crops_of(config, picture)])
    with torch.no_grad():
        return masks_of(sam, config, picture, encode(sam, inputs, bf16=False))


def theirs(sam: Any, config: MasksConfig, picture: Pixels) -> list[dict[str, Any]]:
    from segment_anything import SamAutomaticMaskGenerator

    generator = SamAutomaticMaskGenerator(
        sam,
        points_per_side=config.sam_points_per_side,
        points_per_batch=config.sam_points_per_batch,
        pred_iou_thresh=config.sam_pred_iou_thresh,
        stability_score_thresh=config.sam_stability_score_thresh,
        stability_score_offset=config.sam_stability_score_offset,
        box_nms_thresh=config.sam_box_nms_thresh,
        crop_n_layers=config.sam_crop_layers,
        crop_nms_thresh=config.sam_box_nms_thresh,
        crop_overlap_ratio=config.sam_crop_overlap_ratio,
        crop_n_points_downscale_factor=config.sam_crop_points_downscale_factor,
        min_mask_region_area=config.sam_min_mask_area,
    )
    found: list[dict[str, Any]] = generator.generate(picture)
    return [one for one in found if one["area"]]


def whole(one: SamMask, picture: Pixels) -> NDArray[np.bool_]:
    mask = np.zeros(picture.shape[:2], dtype=bool)
    mask[one.area.y : one.area.bottom, one.area.x : one.area.right] = one.mask
    return mask


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sam_stability_score_thresh": 0.5, "sam_box_nms_thresh": 0.4},
        {"sam_crop_layers": 1},
        {"sam_crop_layers": 2, "sam_crop_points_downscale_factor": 2, "sam_pred_iou_thresh": 0.5},
        {"sam_min_mask_area": 60, "sam_pred_iou_thresh": 0.3},
        {"sam_points_per_batch": 5},
    ],
)
@pytest.mark.parametrize("size", [(48, 80), (150, 90), (64, 64)])
def test_masks_are_those_of_the_package(sam: Any, changes: dict[str, Any], size: tuple[int, int]) -> None:
    config = MasksConfig(sam_points_per_side=6, **changes)
    picture = noise(5, height=size[0], width=size[1])
    found, expected = ours(sam, config, picture), theirs(sam, config, picture)
    assert len(found) == len(expected) > 0
    # Sums of floats in another order may move a mask's edge, and the order of masks with the same score.
    left = list(expected)
    for one in found:
        mask = whole(one, picture)
        near = min(left, key=lambda other: int((mask != other["segmentation"]).sum()))
        assert (mask != near["segmentation"]).sum() <= 0.002 * mask.size
        assert one.predicted_iou == pytest.approx(near["predicted_iou"], abs=1e-4)
        assert one.stability == pytest.approx(near["stability_score"], abs=2e-3)
        left = [other for other in left if other is not near]


def test_a_mask_knows_its_box_and_its_area(sam: Any) -> None:
    picture = noise(6, height=50, width=70)
    for one in ours(sam, MasksConfig(sam_points_per_side=4), picture):
        assert one.mask.shape == (one.area.height, one.area.width) and one.num_pixels == one.mask.sum() > 0
        for edge in (one.mask[0], one.mask[-1], one.mask[:, 0], one.mask[:, -1]):
            assert edge.any()


def test_some_prompts_pass_and_some_do_not(sam: Any) -> None:
    picture = noise(5, height=48, width=80)
    counts = [
        len(ours(sam, MasksConfig(sam_points_per_side=6, sam_pred_iou_thresh=t), picture)) for t in (0.0, 0.9, 1.0)
    ]
    assert counts[0] >= counts[1] >= counts[2]


@pytest.mark.gpu
def test_a_gpu_finds_the_same_masks() -> None:
    picture = noise(5, height=48, width=80)
    config = MasksConfig(sam_points_per_side=6)
    on_cpu, on_gpu = ours(tiny_sam(), config, picture), ours(tiny_sam().cuda(), config, picture)
    assert len(on_cpu) == len(on_gpu)
