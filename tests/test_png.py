"""PNG files: any reader gets the same samples back, with and without the fast libraries."""

import io
import struct
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.formats import png
from pipeline.formats.png import decode_png, encode_png

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


@pytest.mark.usefixtures("_libraries")
@pytest.mark.parametrize("level", [0, 2, 9])
def test_every_shape_and_depth_is_read_back(level: int) -> None:
    for array in arrays():
        found = decode_png(encode_png(array, compress_level=level))
        assert found.dtype == array.dtype
        assert np.array_equal(found, array)


@pytest.mark.usefixtures("_libraries")
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_files_of_other_writers_are_read_as_pillow_reads_them(mode: str) -> None:
    image = Image.fromarray(screen()).convert(mode) if mode != "I;16" else Image.fromarray(screen()[..., 0] * 257)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    with Image.open(io.BytesIO(buffer.getvalue())) as again:
        expected = np.array(again)
    found = decode_png(buffer.getvalue())
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)


@pytest.mark.usefixtures("_libraries")
def test_damaged_files_are_refused_with_an_error_that_callers_catch() -> None:
    data = encode_png(screen()[:40, :60], compress_level=2)
    rng = np.random.default_rng(8)
    for _ in range(300):
        damaged = bytearray(data)
        place = int(rng.integers(len(data)))
        damaged[place] ^= 1 << int(rng.integers(8))
        for wrong in (bytes(damaged), data[:place]):
            try:
                found = decode_png(wrong)
            except (OSError, SyntaxError, ValueError):
                continue
            # Only what says nothing about the pixels (the last chunk) may pass.
            assert np.array_equal(found, screen()[:40, :60])


def test_rows_without_a_filter_stand_for_themselves() -> None:
    rows = np.random.default_rng(9).integers(0, 256, (5, 8), dtype=np.uint8)
    filters = np.array([0, 2, 0, 2, 2], np.uint8)
    above = np.vstack([np.zeros((1, 8), np.uint8), rows[:-1]])
    stored = np.where(filters[:, None] == 2, rows - above, rows)
    data = b"\x89PNG\r\n\x1a\n" + png._chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 5, 8, 0, 0, 0, 0))
    data += png._chunk(b"IDAT", zlib.compress(np.column_stack([filters, stored]).tobytes())) + png._chunk(b"IEND", b"")
    assert np.array_equal(decode_png(data), rows)
