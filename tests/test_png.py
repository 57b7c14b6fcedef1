"""PNG files: any reader gets the same samples back, with and without the fast libraries."""

import io
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.formats import png
from pipeline.formats.png import encode_png

SHAPES: list[tuple[int, ...]] = [
    (1, 1),
    (1, 40),
    (40, 1),
    (7, 5),
    (13, 9, 2),
    (1, 1, 3),
    (13, 9, 3),
    (300, 200, 3),
    (6, 7, 4),
]


def arrays() -> list[NDArray[Any]]:
    rng = np.random.default_rng(3)
    found: list[NDArray[Any]] = [rng.integers(0, 256, shape, dtype=np.uint8) for shape in SHAPES]
    found += [rng.integers(0, 65536, shape, dtype=np.uint16) for shape in SHAPES if len(shape) == 2]
    return [*found, np.zeros((50, 60, 3), np.uint8), np.full((40, 30), 65535, np.uint16)]


def screen() -> NDArray[np.uint8]:
    """Return a page of antialiased lines beside a smooth picture, (360, 480, 3)."""
    page = Image.new("RGB", (480, 360), (250, 250, 252))
    draw = ImageDraw.Draw(page)
    for number in range(20):
        draw.text(
            (12, 8 + 17 * number), f"{number:02d} def encode(row: bytes, level={number * 7919 % 97})", (30, 34, 40)
        )
    page.paste(Image.radial_gradient("L").resize((150, 200)), (310, 60))
    return np.array(page)


@pytest.fixture(params=["imagecodecs", "pillow alone"])
def _libraries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param == "pillow alone":
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
    png._deflate.cache_clear()
    yield
    png._deflate.cache_clear()


@pytest.mark.usefixtures("_libraries")
@pytest.mark.parametrize("level", [0, 1, 2, 6, 9])
def test_pillow_reads_every_shape_and_depth_back(level: int) -> None:
    for array in arrays():
        data = encode_png(array, compress_level=level)
        with Image.open(io.BytesIO(data)) as image:
            image.verify()
        with Image.open(io.BytesIO(data)) as image:
            assert np.array_equal(np.array(image), array)
        assert data == encode_png(array, compress_level=level)


@pytest.mark.usefixtures("_libraries")
def test_views_that_do_not_lie_in_one_piece_are_written_as_they_look() -> None:
    array = np.random.default_rng(5).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    for view in (array[:, ::2], array[::-1], array[:, :, 1], array[3:9, 4:11]):
        with Image.open(io.BytesIO(encode_png(view, compress_level=2))) as image:
            assert np.array_equal(np.array(image), view)


def test_the_fast_libraries_are_used_and_cost_no_bytes() -> None:
    buffer = io.BytesIO()
    Image.fromarray(screen()).save(buffer, format="PNG", compress_level=6)
    data = encode_png(screen(), compress_level=2)
    assert data != buffer.getvalue()
    assert len(data) < 1.05 * len(buffer.getvalue())
