"""Region maps by engine: the layout, Felzenszwalb's segmentation, Segment Anything."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from datagen.canvas import Canvas, Region
from datagen.config import MasksConfig
from datagen.fonts import font
from datagen.geometry import box
from datagen.masks import make_regions, said, segment
from pipeline.base.errors import CheckpointError, UsageError
from pipeline.formats.picture import Pixels
from tests.small_corpus import noise
from tests.tiny_sam import save_tiny_sam


def half_and_half() -> Pixels:
    picture = np.full((90, 121, 3), 240, np.uint8)
    picture[:, 60:] = (20, 60, 160)
    return picture


def test_felzenszwalb_separates_what_differs_on_any_picture() -> None:
    made = make_regions(MasksConfig(engine="felzenszwalb"), half_and_half(), None)
    assert made.regions.shape == (90, 121)
    assert made.regions[45, 10] != made.regions[45, 110] and made.regions.min() == 1
    assert made.how_masked == "felzenszwalb scale=400 sigma=0.6 min_size=50 closing=3x1 downscale=2 min_area=64"
    again = make_regions(MasksConfig(engine="felzenszwalb"), half_and_half(), None)
    assert np.array_equal(made.regions, again.regions)


def test_auto_takes_the_layout_where_there_is_one() -> None:
    drawn = [Region(area=box(0, 0, 50, 50), mask=None)]
    assert make_regions(MasksConfig(), half_and_half(), drawn).how_masked == "layout"
    assert make_regions(MasksConfig(), half_and_half(), None).how_masked.startswith("felzenszwalb")
    assert make_regions(MasksConfig(engine="layout"), half_and_half(), None).how_masked == "none"
    none = make_regions(MasksConfig(engine="none"), half_and_half(), drawn)
    assert none.how_masked == "none" and not none.regions.any()


def test_what_auto_takes_is_said(tmp_path: Path) -> None:
    assert said(MasksConfig()) == "layout (synthesized), felzenszwalb (captured)"
    assert said(MasksConfig(engine="layout")) == "layout (synthesized), none (captured)"
    assert said(MasksConfig(sam_checkpoint="x")) == "sam" and said(MasksConfig(engine="felzenszwalb")) == "felzenszwalb"


def test_lines_of_text_become_regions_not_letters() -> None:
    canvas = Canvas(600, 260, (255, 255, 255))
    face = font("roboto", 16)
    for line in range(6):
        canvas.text(20, 40 + 36 * line, "Some words that stand in one line of text", face, (30, 30, 30))
    made = make_regions(MasksConfig(engine="felzenszwalb"), canvas.picture, None).regions
    # The ground, and a few parts of each line of 33 letters.
    assert 7 <= made.max() <= 1 + 3 * 6
    apart = MasksConfig(engine="felzenszwalb", felzenszwalb_closing=(1, 1))
    assert make_regions(apart, canvas.picture, None).regions.max() > 2 * made.max()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_sam(tmp_path_factory.mktemp("sam") / "tiny.pth")


def test_segment_anything_runs_from_a_checkpoint_whose_size_it_reads(checkpoint: Path) -> None:
    from datagen.sam.model import load_sam, model_name
    from pipeline.base.store import sha256_file

    sam = load_sam(checkpoint)
    encoder = sam.image_encoder
    assert (encoder.img_size, len(encoder.blocks), encoder.blocks[0].attn.num_heads) == (64, 3, 2)
    assert [block.window_size for block in encoder.blocks] == [3, 3, 0] and model_name(sam) == "vit-32x3"
    config = MasksConfig(sam_checkpoint=str(checkpoint), sam_points_per_side=3, min_area=0)
    made = make_regions(config, noise(4, height=60, width=80), [Region(area=box(0, 0, 5, 5), mask=None)])
    assert made.regions.shape == (60, 80) and made.regions.any()
    assert made.how_masked.startswith(
        f"sam vit-32x3 sha256={sha256_file(checkpoint)[:12]} points_per_side=3 pred_iou>0.88"
    )
    num_regions = int(made.regions.max())
    assert {name: len(values) for name, values in made.quality.items()} == {
        "predicted_iou": num_regions,
        "stability": num_regions,
    }
    assert all(value > 0.88 for value in made.quality["predicted_iou"])
    again = make_regions(config, noise(4, height=60, width=80), None)
    assert np.array_equal(made.regions, again.regions) and made.quality == again.quality


def test_pictures_of_any_size_give_the_same_maps_alone_and_together(checkpoint: Path) -> None:
    config = MasksConfig(sam_checkpoint=str(checkpoint), sam_points_per_side=2, sam_batch_pictures=3, min_area=4)
    pictures = [noise(1, height=40, width=90), np.zeros((50, 30, 3), np.uint8), noise(2, height=1, width=1)]
    pictures += [noise(3, height=200, width=16_000), noise(4, height=90, width=40)]
    together = list(segment(config, "sam", iter(pictures)))
    assert [one.regions.shape for one in together] == [picture.shape[:2] for picture in pictures]
    for picture, one in zip(pictures, together, strict=True):
        alone = make_regions(config, picture, None)
        assert np.array_equal(alone.regions, one.regions) and alone.quality == one.quality
        assert set(np.unique(one.regions)) - {0} == set(range(1, int(one.regions.max()) + 1))


@pytest.mark.parametrize("engine", ["sam", "felzenszwalb"])
def test_a_black_picture_is_one_region(engine: Literal["sam", "felzenszwalb"], tmp_path: Path) -> None:
    # A network that is sure of nothing: no mask is kept.
    unsure = save_tiny_sam(tmp_path / "unsure.pth", score=-1000.0)
    config = MasksConfig(engine=engine, sam_checkpoint=str(unsure), sam_points_per_side=2)
    made = make_regions(config, np.zeros((70, 90, 3), np.uint8), None)
    assert (made.regions == 1).all() and not made.quality


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (200, 16_000), (64, 3)])
def test_felzenszwalb_takes_any_size(size: tuple[int, int]) -> None:
    made = make_regions(MasksConfig(engine="felzenszwalb"), noise(1, height=size[0], width=size[1]), None)
    assert made.regions.shape == size and made.regions.min() == 1


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
    with pytest.raises(CheckpointError, match=r"holds vit-32x3, masks.sam_model says vit_b"):
        make_regions(MasksConfig(sam_checkpoint=str(checkpoint), sam_model="vit_b"), picture, None)


@pytest.mark.parametrize("device", ["nonsense", "", "cuda:99", "meta", "xpu", "hpu"])
def test_a_device_that_is_not_there_is_a_mistake_of_the_person(checkpoint: Path, device: str) -> None:
    config = MasksConfig(sam_checkpoint=str(checkpoint), sam_device=device)
    with pytest.raises(UsageError, match=f"masks.sam_device '{device}'"):
        make_regions(config, noise(4, height=60, width=80), None)
    with pytest.raises(UsageError, match="bf16 needs a GPU"):
        make_regions(
            MasksConfig(sam_checkpoint=str(checkpoint), sam_precision="bf16", sam_device="cpu"), noise(4), None
        )
