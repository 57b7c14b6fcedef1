"""Saliency to qualities and weights."""

import numpy as np
import pytest

from pipeline.codecs.msroi_jpeg.blocks import components
from pipeline.codecs.msroi_jpeg.composition import compose
from pipeline.codecs.msroi_jpeg.rdo import source_of
from pipeline.codecs.msroi_jpeg.saliency_levels import POLICIES, of_units, qualities, weights
from tests.jpeg_pictures import photograph


def test_units_are_means_and_cover_the_edges() -> None:
    saliency = np.arange(20 * 13, dtype=np.float32).reshape(20, 13)
    units = of_units(saliency, 8)
    assert units.shape == (3, 2)
    assert units[0, 0] == pytest.approx(saliency[:8, :8].mean())
    assert units[2, 1] == pytest.approx(saliency[16:, 8:].mean())


@pytest.mark.parametrize("policy", POLICIES)
def test_qualities_rise_with_saliency(policy: int) -> None:
    saliency = np.random.default_rng(0).random((30, 40)).astype(np.float32)
    found = qualities(saliency, policy)
    order = np.argsort(saliency, axis=None)
    assert (np.diff(found.reshape(-1)[order]) >= 0).all()
    assert found.min() >= 10 and found.max() <= 100
    assert len(np.unique(found)) > 1


def test_the_default_policy_goes_by_deciles() -> None:
    saliency = np.linspace(0, 1, 1000, dtype=np.float32).reshape(10, 100)
    found, counts = np.unique(qualities(saliency, 3), return_counts=True)
    assert found.tolist() == [20, 30, 40, 50, 60, 70, 80, 90, 100]
    assert counts.tolist() == [100] * 8 + [200]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_constant_map_has_one_quality(policy: int) -> None:
    assert len(np.unique(qualities(np.full((4, 4), 0.4, np.float32), policy))) == 1


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="policy"):
        qualities(np.eye(4, dtype=np.float32), 9)


def test_weights_are_octaves_and_one_at_the_most_salient() -> None:
    assert weights(np.array([[0.0, 0.5, 1.0]], np.float32), 2.0).tolist() == [[0.25, 0.5, 1.0]]
    assert (weights(np.full((2, 2), 0.3, np.float32), 2.0) == 1).all()


@pytest.mark.parametrize("chroma_scale", [1, 2])
def test_every_block_of_an_mcu_is_worth_the_same_and_more_where_saliency_is_higher(chroma_scale: int) -> None:
    picture = photograph(50, 70)
    saliency = np.tile(np.linspace(0, 1, 70, dtype=np.float32), (50, 1))
    source = source_of(components(picture, chroma_scale=chroma_scale), saliency)
    for part, worth in zip(source.parts, source.worth, strict=True):
        assert worth.shape == part.coefficients.shape[:2]
        of_pixels = np.repeat(np.repeat(worth, 8 * part.scale, axis=0), 8 * part.scale, axis=1)[:50, :70]
        side = 8 * chroma_scale
        for column in range(0, 70, side):
            assert len(np.unique(of_pixels[:, column : column + side])) == 1
        assert (np.diff(of_pixels[0, ::side]) > 0).all()


@pytest.mark.parametrize("chroma_scale", [1, 2])
def test_compositions_change_at_units_borders_only(chroma_scale: int) -> None:
    """Each unit of the composed picture is that unit of one plain JPEG."""
    from pipeline.codecs.msroi_jpeg.composition import decode, jpeg_scale, plain_jpeg

    picture = photograph(50, 70)
    saliency = np.linspace(0, 1, 50 * 70, dtype=np.float32).reshape(50, 70)
    composed = compose(picture, saliency, policy=3, chroma_scale=chroma_scale)
    plain = {
        quality: decode(plain_jpeg(picture, jpeg_scale(quality), chroma_scale=chroma_scale))
        for quality in range(20, 101, 10)
    }
    side = 8 * chroma_scale
    for row in range(0, 50, side):
        for column in range(0, 70, side):
            unit = (slice(row, row + side), slice(column, column + side))
            assert any(np.array_equal(composed[unit], decoded[unit]) for decoded in plain.values())
