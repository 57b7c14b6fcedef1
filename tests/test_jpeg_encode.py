"""Picture and saliency map to an ordinary JPEG: what a file must be, whatever the map.

Pixels are compared between decoders: libjpeg-turbo (Pillow's and OpenCV's) and the IJG's libjpeg 6b.
"""

import io
from pathlib import Path

import cv2
import jpeglib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.base.errors import CorruptBitstream, PictureError
from pipeline.codecs.msroi_jpeg.composition import jpeg_scale, plain_jpeg
from pipeline.codecs.msroi_jpeg.encode import MAX_JPEG_SIDE, Request, decode_jpeg, encode_jpeg
from tests.jpeg_pictures import photograph, screen

ENCODERS = ("rdo", "paper")


def square_map(height: int, width: int) -> np.ndarray:
    saliency = np.zeros((height, width), np.float32)
    saliency[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4] = 1
    return saliency


def psnr(original: np.ndarray, decoded: np.ndarray, where: np.ndarray) -> float:
    error = (original.astype(float) - decoded)[where]
    return float(10 * np.log10(255**2 / np.mean(error**2)))


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
def test_decoders_agree_on_the_pixels(encoder: str, subsampling: str, tmp_path: Path) -> None:
    picture = photograph(200, 301)
    data = encode_jpeg(
        picture,
        square_map(200, 301),
        Request(encoder=encoder, quality=60, subsampling=subsampling),  # type: ignore[arg-type]
    )
    ours = decode_jpeg(data, height=200, width=301)
    theirs = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    assert np.abs(ours.astype(int) - theirs).max() <= 2
    (tmp_path / "picture.jpg").write_bytes(data)
    with jpeglib.version("6b"):
        elders = jpeglib.read_spatial(str(tmp_path / "picture.jpg")).spatial
    assert np.abs(ours.astype(int) - elders).max() <= 2
    assert psnr(picture, ours, np.ones(picture.shape[:2], bool)) > 24
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG" and image.info["jfif"]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_budget_is_kept_to_one_percent(encoder: str) -> None:
    for picture in (photograph(256, 320), screen(256, 320)):
        for quality in (30, 75, 92):
            budget = len(plain_jpeg(picture, jpeg_scale(quality), chroma_scale=2))
            for request in (
                Request(encoder=encoder, like_quality=quality),  # type: ignore[arg-type]
                Request(encoder=encoder, num_bytes=budget),  # type: ignore[arg-type]
            ):
                size = len(encode_jpeg(picture, square_map(256, 320), request))
                assert 0.99 * budget <= size <= budget, (quality, size / budget)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_budget_that_nothing_meets_is_refused(encoder: str) -> None:
    with pytest.raises(PictureError, match="100 bytes asked for"):
        encode_jpeg(photograph(64, 64), square_map(64, 64), Request(encoder=encoder, num_bytes=100))  # type: ignore[arg-type]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_same_input_gives_the_same_bytes(encoder: str) -> None:
    picture, saliency = photograph(120, 90), square_map(120, 90)
    request = Request(encoder=encoder, like_quality=70)  # type: ignore[arg-type]
    assert encode_jpeg(picture, saliency, request) == encode_jpeg(picture.copy(), saliency.copy(), request)


@pytest.mark.parametrize("quality", [5, 33, 50, 71, 75, 96, 100])
def test_paper_with_a_constant_map_is_plain_jpeg(quality: int) -> None:
    picture = photograph(72, 104)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="JPEG", quality=quality, subsampling="4:2:0")
    constant = np.full(picture.shape[:2], 0.3, np.float32)
    data = encode_jpeg(picture, constant, Request(encoder="paper", quality=quality, subsampling="4:2:0"))
    assert data == buffer.getvalue()


def test_rdo_with_a_constant_map_does_not_depend_on_its_value() -> None:
    picture = photograph(72, 104)
    files = {
        encode_jpeg(picture, np.full(picture.shape[:2], value, np.float32), Request(quality=60))
        for value in (0.0, 0.5, 1.0)
    }
    assert len(files) == 1


def test_rdo_spends_bytes_where_the_map_says() -> None:
    picture = photograph(256, 256)
    saliency = square_map(256, 256)
    inside = saliency > 0
    request = Request(like_quality=60)
    even = decode_jpeg(encode_jpeg(picture, 0 * saliency, request), height=256, width=256)
    steered = decode_jpeg(encode_jpeg(picture, saliency, request), height=256, width=256)
    assert psnr(picture, steered, inside) > psnr(picture, even, inside) + 0.5
    assert psnr(picture, steered, ~inside) < psnr(picture, even, ~inside)


def test_rdo_beats_plain_jpeg_inside_and_hardly_loses_outside() -> None:
    picture = photograph(256, 256)
    saliency = square_map(256, 256)
    inside = saliency > 0
    plain = decode_jpeg(plain_jpeg(picture, jpeg_scale(60), chroma_scale=2), height=256, width=256)
    ours = decode_jpeg(encode_jpeg(picture, saliency, Request(like_quality=60)), height=256, width=256)
    assert psnr(picture, ours, inside) > psnr(picture, plain, inside) + 1
    assert psnr(picture, ours, ~inside) > psnr(picture, plain, ~inside) - 1


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    encoder=st.sampled_from(ENCODERS),
    quality=st.integers(1, 100),
    seed=st.integers(0, 99),
)
def test_any_size_any_quality(height: int, width: int, encoder: str, quality: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    saliency = rng.random((height, width)).astype(np.float32)
    data = encode_jpeg(picture, saliency, Request(encoder=encoder, quality=quality))  # type: ignore[arg-type]
    assert decode_jpeg(data, height=height, width=width).shape == picture.shape


def test_a_grey_picture_is_a_grey_jpeg() -> None:
    grey = np.repeat(photograph(64, 80)[:, :, 1:2], 3, axis=2)
    for encoder in ENCODERS:
        data = encode_jpeg(grey, square_map(64, 80), Request(encoder=encoder, quality=90))  # type: ignore[arg-type]
        with Image.open(io.BytesIO(data)) as image:
            assert image.mode == "L"
        assert psnr(grey, decode_jpeg(data, height=64, width=80), np.ones((64, 80), bool)) > 30


def test_coloured_detail_keeps_its_chroma_and_photographs_do_not_need_it() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2, 0] = 255
    stripes[:, 1::2, 2] = 255
    for picture, factor in ((stripes, 1), (photograph(64, 64), 2)):
        data = encode_jpeg(picture, square_map(64, 64), Request(quality=60))
        with Image.open(io.BytesIO(data)) as image:
            assert image.layer[0][1] == factor  # type: ignore[attr-defined]


def test_what_is_no_jpeg_is_refused() -> None:
    data = encode_jpeg(photograph(64, 64), square_map(64, 64), Request(quality=50))
    for damaged in (b"", data[:40], data[: len(data) // 2], b"\x00" * 100):
        with pytest.raises(CorruptBitstream):
            decode_jpeg(damaged, height=64, width=64)
    with pytest.raises(CorruptBitstream, match="64x64, expected 65x64"):
        decode_jpeg(data, height=64, width=65)


def test_what_cannot_be_asked_for() -> None:
    for values in ({}, {"quality": 50, "num_bytes": 10}, {"quality": 0}, {"num_bytes": 0}, {"like_quality": 101}):
        with pytest.raises(ValueError):
            Request(**values)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="policy"):
        Request(quality=5, policy=7)
    with pytest.raises(ValueError, match="saliency map is"):
        encode_jpeg(photograph(8, 8), np.zeros((8, 9), np.float32), Request(quality=5))
    with pytest.raises(PictureError, match="at most 65500"):
        encode_jpeg(
            np.zeros((1, MAX_JPEG_SIDE + 1, 3), np.uint8),
            np.zeros((1, MAX_JPEG_SIDE + 1), np.float32),
            Request(quality=5),
        )
