"""A picture's coefficients, beside those of an independent transform."""

import numpy as np
import pytest
from scipy.fft import dctn

from pipeline.codecs.msroi_jpeg.blocks import chroma_detail, components
from tests.jpeg_pictures import photograph


def reference(picture: np.ndarray, number: int, scale: int) -> np.ndarray:
    matrix = np.array(
        [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=np.float64
    )
    height, width = picture.shape[:2]
    side = 8 * scale
    padded = np.pad(picture, ((0, -height % side), (0, -width % side), (0, 0)), mode="edge").astype(np.float64)
    plane = padded @ matrix[number] - (128 if number == 0 else 0)
    rows, columns = plane.shape[0] // scale, plane.shape[1] // scale
    plane = plane.reshape(rows, scale, columns, scale).mean(axis=(1, 3))
    blocks = plane.reshape(rows // 8, 8, columns // 8, 8).transpose(0, 2, 1, 3)
    return dctn(blocks, axes=(2, 3), norm="ortho")


@pytest.mark.parametrize("chroma_scale", [1, 2])
@pytest.mark.parametrize("size", [(64, 48), (61, 50), (1, 1), (9, 130)])
def test_coefficients_are_the_dct_of_the_components(size: tuple[int, int], chroma_scale: int) -> None:
    picture = photograph(*size)
    parts = components(picture, chroma_scale=chroma_scale)
    for number, part in enumerate(parts):
        scale = chroma_scale if number else 1
        assert part.scale == scale
        expected = reference(picture, number, scale)
        assert part.coefficients.shape == expected.shape
        assert np.abs(part.coefficients - expected).max() < 0.01


def test_a_grey_picture_has_one_component() -> None:
    grey = np.repeat(photograph(20, 20)[:, :, :1], 3, axis=2)
    assert len(components(grey, chroma_scale=2)) == 1


def test_detail_of_chroma_is_what_averaging_it_loses() -> None:
    stripes = np.zeros((32, 32, 3), np.uint8)
    stripes[:, ::2, 0], stripes[:, 1::2, 2] = 255, 255
    assert chroma_detail(stripes) > 1000
    assert chroma_detail(np.repeat(np.repeat(stripes, 2, axis=0), 2, axis=1)) == 0
    assert chroma_detail(photograph(128, 128)) < 40
    assert chroma_detail(stripes[:1, :1]) == 0
