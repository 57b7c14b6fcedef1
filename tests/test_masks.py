"""Region maps: overlaps, density, the engines, Segment Anything on a tiny checkpoint of its own format."""

from pathlib import Path

import numpy as np
import pytest

from datagen.canvas import Region
from datagen.config import MasksConfig
from datagen.geometry import box
from datagen.masks import flatten, make_regions
from pipeline.base.errors import CheckpointError, UsageError
from pipeline.formats.picture import Pixels
from tests.small_corpus import noise


def region(x: int, y: int, width: int, height: int) -> Region:
    return Region(area=box(x, y, width, height), mask=None)


def test_smaller_regions_lie_on_top_in_whatever_order_they_come() -> None:
    regions = [region(2, 2, 2, 2), region(0, 0, 8, 8), region(1, 1, 5, 5)]
    painted = flatten(regions, 8, 8)
    assert painted[2, 2] == 3 and painted[1, 1] == 2 and painted[7, 7] == 1
    assert np.array_equal(painted, flatten(regions[::-1], 8, 8))
    assert painted.dtype == np.uint16


def test_hidden_regions_get_no_id_and_ids_are_dense() -> None:
    regions = [region(0, 0, 4, 4), region(0, 0, 4, 4), region(5, 5, 2, 2)]
    assert set(np.unique(flatten(regions, 8, 8))) == {0, 1, 2}


def test_a_masked_region_covers_its_mask_alone() -> None:
    mask = np.eye(4, dtype=bool)
    painted = flatten([Region(area=box(1, 2, 4, 4), mask=mask)], 8, 8)
    assert painted.sum() == 4 and painted[2, 1] == painted[5, 4] == 1


def test_no_region_at_all_is_a_map_of_zeros() -> None:
    assert not flatten([], 5, 7).any()


def test_more_regions_than_16_bits_keep_the_largest() -> None:
    regions = [region(index % 300, index // 300, 1, 1) for index in range(66_000)]
    regions.append(region(0, 250, 300, 40))
    painted = flatten(regions, 300, 300)
    assert len(np.unique(painted)) - 1 == painted.max() == 65_535
    assert painted[270, 10] == 1


def half_and_half() -> Pixels:
    picture = np.full((90, 121, 3), 240, np.uint8)
    picture[:, 60:] = (20, 60, 160)
    return picture


def test_felzenszwalb_separates_what_differs_on_any_picture() -> None:
    made = make_regions(MasksConfig(engine="felzenszwalb"), half_and_half(), None)
    assert made.regions.shape == (90, 121)
    assert made.regions[45, 10] != made.regions[45, 110] and made.regions.min() == 1
    assert made.how_masked == "felzenszwalb scale=200 sigma=0.6 min_size=60 downscale=3"
    again = make_regions(MasksConfig(engine="felzenszwalb"), half_and_half(), None)
    assert np.array_equal(made.regions, again.regions)


def test_auto_takes_the_layout_where_there_is_one() -> None:
    drawn = [region(0, 0, 50, 50)]
    assert make_regions(MasksConfig(), half_and_half(), drawn).how_masked == "layout"
    assert make_regions(MasksConfig(), half_and_half(), None).how_masked.startswith("felzenszwalb")
    assert make_regions(MasksConfig(engine="layout"), half_and_half(), None).how_masked == "none"
    none = make_regions(MasksConfig(engine="none"), half_and_half(), drawn)
    assert none.how_masked == "none" and not none.regions.any()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Segment Anything checkpoint with random weights, small enough for a test."""
    torch = pytest.importorskip("torch")
    modeling = pytest.importorskip("segment_anything.modeling")
    from functools import partial

    torch.manual_seed(3)
    sam = modeling.Sam(
        image_encoder=modeling.ImageEncoderViT(
            img_size=64,
            patch_size=16,
            embed_dim=32,
            depth=3,
            num_heads=2,
            mlp_ratio=2,
            out_chans=32,
            qkv_bias=True,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            use_rel_pos=True,
            window_size=3,
            global_attn_indexes=(2,),
        ),
        prompt_encoder=modeling.PromptEncoder(
            embed_dim=32, image_embedding_size=(4, 4), input_image_size=(64, 64), mask_in_chans=8
        ),
        mask_decoder=modeling.MaskDecoder(
            num_multimask_outputs=3,
            transformer=modeling.TwoWayTransformer(depth=1, embedding_dim=32, mlp_dim=64, num_heads=8),
            transformer_dim=32,
            iou_head_depth=2,
            iou_head_hidden_dim=16,
        ),
    )
    # An untrained network is sure of nothing; large logits and scores let its masks pass the quality thresholds.
    with torch.no_grad():
        sam.mask_decoder.iou_prediction_head.layers[-1].bias.fill_(2.0)
        for head in sam.mask_decoder.output_hypernetworks_mlps:
            head.layers[-1].weight.mul_(100_000)
    path = tmp_path_factory.mktemp("sam") / "tiny.pth"
    torch.save(sam.state_dict(), path)
    return path


def test_segment_anything_runs_from_a_checkpoint_whose_size_it_reads(checkpoint: Path) -> None:
    from datagen.sam import load_sam
    from pipeline.base.store import sha256_file

    encoder = load_sam(checkpoint).image_encoder
    assert (encoder.img_size, len(encoder.blocks), encoder.blocks[0].attn.num_heads) == (64, 3, 2)
    assert [block.window_size for block in encoder.blocks] == [3, 3, 0]
    config = MasksConfig(sam_checkpoint=str(checkpoint), sam_points_per_side=3)
    made = make_regions(config, noise(4, height=60, width=80), [region(0, 0, 5, 5)])
    assert made.regions.shape == (60, 80) and made.regions.any()
    assert made.how_masked == f"sam sha256={sha256_file(checkpoint)} points_per_side=3"
    again = make_regions(config, noise(4, height=60, width=80), None)
    assert np.array_equal(made.regions, again.regions)


def test_other_files_are_refused_as_checkpoints(checkpoint: Path, tmp_path: Path) -> None:
    import torch

    text, tensors, code = tmp_path / "text.pth", tmp_path / "tensors.pth", tmp_path / "code.pth"
    text.write_text("weights")
    torch.save({"weight": torch.zeros(3)}, tensors)
    torch.save({"run": Path("/")}, code)
    picture = noise(4, height=60, width=80)
    for path in (text, tensors, code, tmp_path / "missing.pth"):
        with pytest.raises(CheckpointError, match=path.name):
            make_regions(MasksConfig(sam_checkpoint=str(path)), picture, None)


@pytest.mark.parametrize("device", ["nonsense", "", "cuda:99", "meta", "xpu", "hpu"])
def test_a_device_that_is_not_there_is_a_mistake_of_the_person(checkpoint: Path, device: str) -> None:
    config = MasksConfig(sam_checkpoint=str(checkpoint), sam_device=device)
    with pytest.raises(UsageError, match=f"masks.sam_device '{device}'"):
        make_regions(config, noise(4, height=60, width=80), None)
