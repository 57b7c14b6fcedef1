"""From overlapping regions to one map: order, density, holes, slivers."""

import numpy as np
import pytest
from numpy.typing import NDArray

from datagen.canvas import Region
from datagen.geometry import box
from datagen.region_map import dense, flatten, merge_slivers, without_holes


def region(x: int, y: int, width: int, height: int) -> Region:
    return Region(area=box(x, y, width, height), mask=None)


def test_smaller_regions_lie_on_top_in_whatever_order_they_come() -> None:
    regions = [region(2, 2, 2, 2), region(0, 0, 8, 8), region(1, 1, 5, 5)]
    painted = flatten(regions, 8, 8)[0]
    assert painted[2, 2] == 3 and painted[1, 1] == 2 and painted[7, 7] == 1
    assert np.array_equal(painted, flatten(regions[::-1], 8, 8)[0])
    assert painted.dtype == np.uint16


def test_hidden_regions_get_no_id_and_ids_are_dense() -> None:
    regions = [region(0, 0, 4, 4), region(0, 0, 4, 4), region(5, 5, 2, 2)]
    assert set(np.unique(flatten(regions, 8, 8)[0])) == {0, 1, 2}


def test_a_masked_region_covers_its_mask_alone() -> None:
    mask = np.eye(4, dtype=bool)
    painted = flatten([Region(area=box(1, 2, 4, 4), mask=mask)], 8, 8)[0]
    assert painted.sum() == 4 and painted[2, 1] == painted[5, 4] == 1


def test_no_region_at_all_is_a_map_of_zeros() -> None:
    assert not flatten([], 5, 7)[0].any()


def test_more_regions_than_16_bits_keep_the_largest() -> None:
    regions = [region(index % 300, index // 300, 1, 1) for index in range(66_000)]
    regions.append(region(0, 250, 300, 40))
    painted = flatten(regions, 300, 300)[0]
    assert len(np.unique(painted)) - 1 == painted.max() == 65_535
    assert painted[270, 10] == 1


def test_what_each_id_was_is_told() -> None:
    regions = [region(0, 0, 4, 4), region(0, 0, 8, 8), region(0, 0, 4, 4), region(5, 5, 2, 2)]
    painted, order = flatten(regions, 8, 8)
    assert order == [1, 2, 3] and painted[0, 0] == 2 and painted[5, 5] == 3


def test_holes_are_filled() -> None:
    mask = np.ones((5, 6), dtype=bool)
    mask[2, 2:4] = mask[0, 0] = False
    filled = without_holes(Region(area=box(1, 1, 6, 5), mask=mask)).mask
    assert filled is not None and filled.sum() == 29 and not filled[0, 0]
    whole = region(1, 1, 3, 3)
    assert without_holes(whole) is whole


def parse(*rows: str) -> NDArray[np.uint16]:
    return np.array([[int(char) for char in row] for row in rows], dtype=np.uint16)


def test_slivers_go_to_the_neighbour_with_the_longest_border() -> None:
    ids = parse("1112222", "1132222", "1132222", "1114442")
    # 3 has three sides in common with 1 and two with 2; 4 has four sides with 2 and one with 1.
    assert np.array_equal(merge_slivers(ids, 4), parse("1112222", "1112222", "1112222", "1112222"))
    assert np.array_equal(merge_slivers(ids, 3), parse("1112222", "1112222", "1112222", "1114442"))
    assert merge_slivers(ids, 1) is ids and merge_slivers(ids, 0) is ids


def test_parts_of_one_id_are_looked_at_by_themselves_and_nothing_is_a_neighbour_too() -> None:
    ids = parse("0000000", "0100110", "0000110", "0000000")
    assert np.array_equal(merge_slivers(ids, 3), parse("0000000", "0000110", "0000110", "0000000"))
    hole = parse("1111", "1011", "1111")
    assert (merge_slivers(hole, 2) == 1).all()


def test_slivers_that_grow_together_are_kept() -> None:
    ids = parse("11112233", "11112233")
    # 2 goes to 1 (a border of 2, first in the picture); 3 then has 1 for its neighbour.
    assert (merge_slivers(ids, 5) == 1).all()
    # 1 goes to 2, which is large enough then; 3 goes to the first of two like neighbours, and so does 4.
    assert merge_slivers(parse("1234"), 2).tolist() == [[2, 2, 2, 2]]
    alone = parse("12", "12")
    assert len(np.unique(merge_slivers(alone, 100))) == 1


@pytest.mark.parametrize("seed", range(5))
def test_no_sliver_is_left_and_the_same_map_comes_out(seed: int) -> None:
    ids = np.random.default_rng(seed).integers(0, 4, (40, 50)).astype(np.uint16)
    merged = merge_slivers(ids, 30)
    assert np.array_equal(merged, merge_slivers(ids.copy(), 30)) and merged.dtype == np.uint16
    from skimage.measure import label

    areas = np.bincount(label(merged, background=-1, connectivity=1).ravel())[1:]
    assert areas.min() >= 30


def test_more_ids_than_16_bits_keep_the_first() -> None:
    ids, old = dense(np.arange(70_000).reshape(700, 100) * 3)
    assert ids.max() == 65_535 and len(old) == 65_535 and old[0] == 3 and ids[0, 0] == 0 and ids[-1, -1] == 0
