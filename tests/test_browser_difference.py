"""Labels from three pictures of one page, and the comparison with boxes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from datagen.browser.difference import label_by_difference
from datagen.browser.survey import Item, Rounded, agreement, label_from_boxes, regions_of, unknown_area
from datagen.geometry import Box, box
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC


def row(*colours: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.asarray([colours], dtype=np.uint8)


def test_a_pixel_is_natural_where_all_of_it_follows_the_photographs() -> None:
    grey = (90, 90, 90)
    picture = row(grey, (7, 8, 9), grey, grey, grey)
    black = row(grey, (0, 0, 0), (60, 60, 60), (0, 0, 0), (0, 0, 9))
    white = row(grey, (255, 255, 255), (187, 187, 187), (254, 254, 254), (255, 255, 9))
    found = label_by_difference(picture, black, white)
    assert found.label.tolist() == [[SYNTHETIC, NATURAL, IGNORE, IGNORE, IGNORE]]
    assert found.unstable == 0


def test_an_inverted_photograph_is_ignored() -> None:
    found = label_by_difference(row((9, 9, 9)), row((255, 255, 255)), row((0, 0, 0)))
    assert found.label.tolist() == [[IGNORE]]


def test_drawn_pixels_that_differ_between_loads_are_ignored_and_counted() -> None:
    found = label_by_difference(row((1, 1, 1), (5, 5, 5)), row((1, 1, 2), (5, 5, 5)), row((1, 1, 2), (5, 5, 5)))
    assert found.label.tolist() == [[IGNORE, SYNTHETIC]]
    assert found.unstable == 0.5


def test_pictures_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        label_by_difference(row((1, 1, 1)), row((1, 1, 1), (2, 2, 2)), row((1, 1, 1)))


def item(kind: str, area: Box, *, radius: float = 0.0, region: bool = False) -> Item:
    shape = Rounded(x=area.x, y=area.y, width=area.width, height=area.height, radii=(radius,) * 4)
    return Item(kind=kind, shape=shape, seen=area, clips=(), region=region, num_letters=0)


def test_boxes_are_painted_one_over_another() -> None:
    items = [
        item("photo", box(0, 0, 8, 4)),
        item("cover", box(0, 0, 2, 4)),
        item("veil", box(4, 0, 8, 4)),
        item("text", box(10, 0, 2, 4)),
        item("unknown", box(2, 3, 1, 1)),
    ]
    label = label_from_boxes(items, 12, 4)
    assert label[0].tolist() == [0, 0, 1, 1, 255, 255, 255, 255, 0, 0, 0, 0]
    assert label[3, 2] == IGNORE
    assert unknown_area(items, 12, 4).sum() == 1
    assert not unknown_area([*items, item("cover", box(0, 0, 12, 4))], 12, 4).any()


def test_rounded_corners_are_left_out_of_labels_and_regions() -> None:
    items = [item("photo", box(0, 0, 20, 20), radius=10, region=True), item("photo", box(0, 0, 2, 2), region=True)]
    label = label_from_boxes(items[:1], 20, 20)
    assert label[0, 0] == SYNTHETIC and label[10, 10] == NATURAL
    assert abs(float((label == NATURAL).mean()) - np.pi / 4) < 0.02
    (region,) = regions_of(items, 20, 20)
    assert region.mask is not None and not region.mask[0, 0] and region.mask[10, 10]


def test_agreement_leaves_out_what_either_ignores() -> None:
    first = np.asarray([[1, 1, 0, 255, 0]], dtype=np.uint8)
    second = np.asarray([[1, 0, 0, 1, 255]], dtype=np.uint8)
    found = agreement(first, second)
    assert (found.natural, found.synthetic, found.compared) == (0.5, 0.5, 0.6)
    assert agreement(first[:, 2:3], second[:, 2:3]).natural == 1.0
