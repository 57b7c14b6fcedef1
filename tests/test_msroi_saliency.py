"""Saliency maps: aligned with the whole picture at any aspect ratio, of any size, the same every time."""

import numpy as np
import pytest
import torch

from pipeline.codecs.msroi_jpeg.config import MapForm, MsRoiConfig
from pipeline.codecs.msroi_jpeg.network import MsRoi
from pipeline.codecs.msroi_jpeg.saliency import (
    CONSTANT,
    network_size,
    normalised,
    paper_map,
    released_map,
    saliency_map,
    spread,
)
from pipeline.codecs.threads import torch_threads

FORMS: tuple[MapForm, ...] = ("paper", "released")


def light(*, seed: int = 0, num_classes: int = 8) -> MsRoi:
    torch.manual_seed(seed)
    names = tuple(map(str, range(num_classes)))
    config = MsRoiConfig(trunk="light", class_names=names, width=8, num_channels=4, depth_multiplier=4)
    return MsRoi(config).eval()


def bright_finder() -> MsRoi:
    """Return a network whose only class's map is the brightness under each position."""
    config = MsRoiConfig(trunk="light", class_names=("bright",), width=1, num_channels=1, depth_multiplier=1)
    network = MsRoi(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        trunk = network.trunk
        # A mean over the four pixels in the middle of each kernel; what is normalised away comes back by the biases.
        trunk.stem.weight[:, :, 1:3, 1:3] = 1 / 12
        for block in trunk.blocks:
            middle = slice(1, 3) if block.depthwise.kernel_size[0] == 4 else slice(1, 2)
            block.depthwise.weight[:, :, middle, middle] = 0.25 if block.depthwise.kernel_size[0] == 4 else 1.0
            block.pointwise.weight.fill_(1 / block.pointwise.in_channels)
        for norm in (trunk.stem_norm, *(block.norm for block in trunk.blocks)):
            norm.weight.fill_(1.0)
            norm.bias.fill_(2.0)
        network.conv6_1.weight[:, :, 1, 1] = 1 / network.conv6_1.in_channels
        network.depth.weight[:, :, 1, 1] = 1.0
        network.conv6.weight[:, :, 1, 1] = 1.0
        network.classifier.weight.fill_(1.0)
    return network


def centre_of(saliency: np.ndarray) -> tuple[float, float]:
    """Return the centre of gravity (row, column) of what is above half."""
    rows, columns = np.nonzero(saliency > 0.5)
    return float(rows.mean()) + 0.5, float(columns.mean()) + 0.5


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("height", "width"), [(512, 768), (768, 512), (300, 300), (200, 790), (120, 600)])
def test_the_map_follows_a_bright_square_at_any_aspect_ratio(form: MapForm, height: int, width: int) -> None:
    network, side = bright_finder(), min(height, width) // 4
    for down, across in ((0.0, 0.0), (1.0, 1.0), (0.3, 0.8)):
        top, left = round(down * (height - side)), round(across * (width - side))
        picture = np.full((height, width, 3), 20, np.uint8)
        picture[top : top + side, left : left + side] = 240
        row, column = centre_of(saliency_map(network, picture, form=form))
        # Within half a position of the network, which is a 28th of the short side (a 56th of a strip's long one).
        assert abs(row - (top + side / 2)) < height / 28
        assert abs(column - (left + side / 2)) < max(width / 28, side / 8)


def test_the_map_is_not_shifted_to_one_side() -> None:
    network = bright_finder()
    picture = np.full((448, 672, 3), 20, np.uint8)
    picture[192:256, 288:384] = 240
    for flipped in (picture[:, ::-1], picture[::-1]):
        assert np.array_equal(flipped, picture), "the picture is its own mirror image"
    saliency = saliency_map(network, picture)
    assert np.abs(saliency - saliency[:, ::-1]).max() <= 1 / 255
    assert np.abs(saliency - saliency[::-1]).max() <= 1 / 255


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 500), (500, 3), (17, 31), (224, 224), (100, 1000)])
def test_a_map_has_the_picture_s_size_and_steps_of_a_255th(form: MapForm, size: tuple[int, int]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    saliency = saliency_map(light(), picture, form=form)
    assert (saliency.shape, saliency.dtype) == (size, np.float32)
    assert 0 <= saliency.min() <= saliency.max() <= 1
    assert np.abs(saliency * 255 - np.rint(saliency * 255)).max() < 1e-4


@pytest.mark.parametrize("form", FORMS)
def test_a_flat_picture_is_equally_salient_everywhere(form: MapForm) -> None:
    for level in (0, 7, 255):
        saliency = saliency_map(light(), np.full((30, 40, 3), level, np.uint8), form=form)
        assert (saliency == np.float32(CONSTANT)).all()


def test_maps_that_say_nothing_are_constant() -> None:
    for value in (0.0, 3.0, -1e12, np.nan):
        assert (normalised(np.full((3, 4), value)) == CONSTANT).all()
    assert (normalised(np.array([[0.0, np.inf]])) == CONSTANT).all()
    assert normalised(np.array([[2.0, 4.0, 3.0]])).tolist() == [[0.0, 1.0, 0.5]]


@pytest.mark.parametrize("form", FORMS)
def test_same_bytes_twice_in_training_mode_and_on_other_threads(form: MapForm) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (90, 140, 3), dtype=np.uint8)
    config = MsRoiConfig(trunk="light", class_names=("a", "b"), width=8, num_channels=4, depth_multiplier=4)
    network = MsRoi(config)
    first = saliency_map(network.train(), picture, form=form).tobytes()
    assert network.training, "the network is left as it was"
    for threads in (1, 2):
        with torch_threads(threads):
            assert saliency_map(network, picture, form=form).tobytes() == first
    assert saliency_map(network.eval(), picture, form=form).tobytes() == first


def test_the_network_sees_whole_pictures_in_multiples_of_sixteen() -> None:
    assert network_size(512, 768, short_side=224) == (224, 336)
    assert network_size(1080, 1920, short_side=224) == (224, 400)
    assert network_size(10, 1000, short_side=224) == (224, 896)
    assert network_size(1, 1, short_side=32) == (32, 32)


def test_the_paper_s_form_adds_up_the_classes_above_the_threshold() -> None:
    features = np.arange(12, dtype=np.float64).reshape(2, 2, 3)
    weights = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    logits = np.array([2.0, 1.2, 0.5])
    assert np.array_equal(paper_map(features, logits, weights, threshold_share=0.5), features.sum(axis=0))
    assert np.array_equal(paper_map(features, logits, weights, threshold_share=0.7), features[0])
    assert np.array_equal(paper_map(features, logits, weights, threshold_share=1.0), features[0])
    assert np.array_equal(paper_map(features, logits - 9, weights, threshold_share=0.5), features[0])


def test_the_released_form_has_the_released_weights() -> None:
    maps = np.eye(6).reshape(6, 2, 3)
    folded = released_map(maps, np.array([1.0, 6, 5, 4, 3, 2]), np.eye(6))
    assert folded.reshape(-1).tolist() == pytest.approx([0, 0.5, 0.25, 0.125, 0.0625, 0.075])
    assert released_map(maps, np.array([1.0, 2, 0, 0, 0, 0])[:2], np.eye(6)[:2]).reshape(-1)[:2].tolist() == [0.6, 0.5]


def test_a_grid_is_spread_between_its_centres() -> None:
    assert spread(np.array([[0.0, 1.0]]), 1, 4).tolist() == [pytest.approx([0, 64 / 255, 191 / 255, 1], abs=1e-6)]
    assert spread(np.array([[0.0], [1.0]]), 2, 3)[:, 1].tolist() == [0, 1]
    assert (spread(np.full((3, 5), 0.6), 7, 4) == np.float32(153 / 255)).all()
