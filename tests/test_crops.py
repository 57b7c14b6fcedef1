"""training/crops.py: where crops lie, and the shares of kinds that are asked for."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.base.config import from_table, to_table
from pipeline.base.errors import ConfigError
from pipeline.base.seeds import generator
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC
from tests.training_corpus import small_config, write_corpus
from training.config import TrainConfig
from training.crops import cut_crop, place_crop
from training.data import train_batches
from training.samples import Planes, SampleReader


def screen() -> NDArray[np.uint8]:
    """Return a label map (240, 320): a photograph of a tenth of the area, its 3 pixels wide seam ignored."""
    label = np.full((240, 320), SYNTHETIC, np.uint8)
    label[77:163, 97:193] = IGNORE
    label[80:160, 100:190] = NATURAL
    return label


def kind_at_centre(label: NDArray[np.uint8], corner: tuple[int, int], crop: int) -> set[str]:
    """Return which kinds the centre is: boundary is where both classes are within 5 pixels."""
    row, column = corner[0] + crop // 2, corner[1] + crop // 2
    near = label[max(0, row - 5) : row + 6, max(0, column - 5) : column + 6]
    kinds = {"natural"} if label[row, column] == NATURAL else set()
    kinds |= {"synthetic"} if label[row, column] == SYNTHETIC else set()
    return kinds | ({"boundary"} if {NATURAL, SYNTHETIC} <= set(near.flat) else set())


@pytest.mark.parametrize("crop", [32, 33, 64])
@pytest.mark.parametrize("kind", [0, 1, 2])
def test_the_centre_is_of_the_kind_that_is_asked_for_alone(crop: int, kind: int):
    label, shares = screen(), [float(number == kind) for number in range(3)]
    corners = set()
    for number in range(300):
        corner, fell_back = place_crop(label, crop, generator(4, number), shares=shares)
        assert not fell_back
        assert 0 <= corner[0] <= 240 - crop and 0 <= corner[1] <= 320 - crop
        assert ("natural", "synthetic", "boundary")[kind] in kind_at_centre(label, corner, crop)
        corners.add(corner)
    assert len(corners) > 40


def test_natural_centres_are_spread_over_the_photograph():
    corners = [place_crop(screen(), 32, generator(5, number), shares=(1.0, 0, 0))[0] for number in range(4000)]
    rows = np.bincount([(corner[0] + 16 - 80) // 20 for corner in corners], minlength=4)
    # Four bands of 1000 expected each; six standard deviations of a binomial are 164.
    assert all(abs(rows - 1000) < 164)


def test_shares_of_the_drawn_kinds_are_achieved():
    label, crop, num = screen(), 32, 6000
    found: Counter[str] = Counter()
    for number in range(num):
        # A rest of 0.2 lies anywhere, where 1 in 10 centres is natural and few are at a boundary.
        corner, fell_back = place_crop(label, crop, generator(6, number), shares=(0.3, 0.1, 0.4))
        assert not fell_back
        kinds = kind_at_centre(label, corner, crop)
        found["boundary" if "boundary" in kinds else min(kinds, default="none")] += 1
    anywhere = Counter()
    for number in range(num):
        kinds = kind_at_centre(label, place_crop(label, crop, generator(7, number))[0], crop)
        anywhere["boundary" if "boundary" in kinds else min(kinds, default="none")] += 1
    # Centres drawn as natural or synthetic can lie near the boundary as well; how many do is measured, not assumed.
    near = {
        kind: np.mean(
            [
                "boundary"
                in kind_at_centre(label, place_crop(label, crop, generator(8, number), shares=shares)[0], crop)
                for number in range(1500)
            ]
        )
        for kind, shares in (("natural", (1.0, 0, 0)), ("synthetic", (0, 1.0, 0)))
    }
    rest = {kind: 0.2 * anywhere[kind] / num for kind in anywhere}
    expected = {
        "natural": 0.3 * (1 - near["natural"]) + rest["natural"],
        "synthetic": 0.1 * (1 - near["synthetic"]) + rest["synthetic"],
        "boundary": 0.4 + 0.3 * near["natural"] + 0.1 * near["synthetic"] + rest["boundary"],
    }
    for kind, share in expected.items():
        assert found[kind] / num == pytest.approx(share, abs=0.04), kind


@pytest.mark.parametrize(("value", "shares"), [(SYNTHETIC, (1.0, 0, 0)), (NATURAL, (0, 1.0, 0)), (IGNORE, (0, 0, 1.0))])
def test_a_picture_without_the_kind_is_cut_anywhere_and_counted(value: int, shares: tuple[float, ...]):
    label = np.full((60, 80), value, np.uint8)
    placed = [place_crop(label, 32, generator(2, number), shares=shares) for number in range(50)]
    assert all(fell_back for _, fell_back in placed)
    assert len({corner for corner, _ in placed}) > 30


def test_boundaries_of_parts_smaller_than_the_coarse_grid_are_found():
    label = np.full((64, 64), SYNTHETIC, np.uint8)
    label[33:37, 33:37] = NATURAL
    (row, column), fell_back = place_crop(label, 16, generator(0, "small"), shares=(0, 0, 1.0))
    assert not fell_back
    assert abs(row + 8 - 35) <= 4 and abs(column + 8 - 35) <= 4


def test_no_shares_leave_crops_where_they_always_were():
    """The first numbers of the generator place a crop; a corpus's crops must not move between releases."""
    rng = generator(1, "crop", 0, "train-0001", 0)
    corner, fell_back = place_crop(screen(), 32, rng)
    again = generator(1, "crop", 0, "train-0001", 0)
    assert (corner, fell_back) == ((int(again.integers(209)), int(again.integers(289))), False)


def test_maps_agree_with_the_picture_wherever_a_crop_is_placed():
    label = screen()
    picture = np.stack([label, label // 2, np.zeros_like(label)], axis=2)
    planes = Planes(picture=picture, label=label, regions=label.astype(np.uint16) * 3)
    for number in range(40):
        crop = cut_crop(planes, 48, generator(3, number), flip_probability=0.5)
        assert np.array_equal(crop.picture[..., 0], crop.label)
        assert crop.regions is not None
        assert np.array_equal(crop.regions, crop.label.astype(np.uint16) * 3)


def test_batches_with_shares_are_the_same_again_and_count_what_fell_back(tmp_path: Path):
    split = open_split(Store(write_corpus(tmp_path)), "train")
    # Crops as wide as the pictures are high: of the halves, each has centres.
    config = small_config(crop_shares=(0.0, 0.0, 1.0), batch_size=8)
    first, second = (
        next(train_batches(SampleReader(split, cache_bytes=0), config, samples_seen=0, rank=0, num_ranks=1))
        for _ in range(2)
    )
    assert first.pictures.equal(second.pictures)
    assert first.spent.num_fallbacks == 0
    for label in first.labels.numpy():
        assert {NATURAL, SYNTHETIC} <= set(label[12:20, 10:22].flat)


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.5, 0.5, 0.5], [-0.1, 0.5, 0.5], [0.0, 0.0, 0.0]])
def test_impossible_shares_are_refused(shares: list[float]):
    with pytest.raises(ConfigError, match="crop_shares"):
        from_table(TrainConfig, to_table(small_config()) | {"crop_shares": shares}, where="test")
