"""The screen codec: every picture comes back, the same bytes from any number of threads, and fewer than its peers'."""

import hashlib
import io
import itertools
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from pipeline.codecs.interface import SideInputs
from pipeline.codecs.screen import codec as codec_module
from pipeline.codecs.screen.codec import SEGMENT_PIXELS, ScreenCodec, build, strip_tops
from pipeline.codecs.screen.config import EFFORTS, Effort, ScreenConfig
from pipeline.codecs.screen.tables import MAX_STRETCH, ONE, cost_table, squash_table, stretch_table
from pipeline.codecs.threads import torch_threads

Pixels = NDArray[np.uint8]


def flat(height: int, width: int, rng: np.random.Generator) -> Pixels:
    return np.full((height, width, 3), rng.integers(0, 256, 3), dtype=np.uint8)


def noise(height: int, width: int, rng: np.random.Generator) -> Pixels:
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def drawn(height: int, width: int, rng: np.random.Generator) -> Pixels:
    """Return rectangles, some repeated, with a few colours."""
    colours = rng.integers(0, 256, (5, 3), dtype=np.uint8)
    picture = np.tile(colours[0], (height, width, 1))
    for _ in range(12):
        top, left = int(rng.integers(height)), int(rng.integers(width))
        picture[top : top + int(rng.integers(1, 9)), left : left + int(rng.integers(1, 30))] = rng.choice(colours)
    return picture


def smooth(height: int, width: int, rng: np.random.Generator) -> Pixels:
    """Return a slope with noise, as photographs have."""
    rows, columns = np.mgrid[:height, :width]
    slope = 60 + 90 * np.sin(rows / 17 + 1) * np.cos(columns / 23)
    return np.clip(slope[:, :, None] + np.array([0, 9, 20]) + rng.normal(0, 3, (height, width, 3)), 0, 255).astype(
        np.uint8
    )


def mixed(height: int, width: int, rng: np.random.Generator) -> Pixels:
    picture = drawn(height, width, rng)
    picture[height // 3 :, width // 2 :] = smooth(height, width, rng)[height // 3 :, width // 2 :]
    return picture


def extremes(height: int, width: int, rng: np.random.Generator) -> Pixels:
    """Return levels 0 and 255 alone: the largest residuals there are."""
    return (rng.integers(0, 2, (height, width, 3)) * 255).astype(np.uint8)


KINDS: dict[str, Callable[[int, int, np.random.Generator], Pixels]] = {
    function.__name__: function for function in (flat, noise, drawn, smooth, mixed, extremes)
}
SIZES = ((1, 1), (1, 2), (2, 1), (1, 40), (40, 1), (3, 3), (17, 5), (64, 100))


def coded(picture: Pixels, effort: Effort = "default") -> bytes:
    return build(ScreenConfig(effort=effort)).compress(picture, SideInputs()).segments[SEGMENT_PIXELS]


def decoded(data: bytes, height: int, width: int) -> Pixels:
    return build(ScreenConfig()).decompress({SEGMENT_PIXELS: data}, height=height, width=width)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_size_and_kind_comes_back(kind: str, effort: Effort) -> None:
    for height, width in SIZES:
        picture = KINDS[kind](height, width, np.random.default_rng([height, width]))
        assert np.array_equal(decoded(coded(picture, effort), height, width), picture), (height, width)


@pytest.mark.parametrize("shape", [(8, 16384), (16384, 8)])
def test_long_pictures_come_back(shape: tuple[int, int]) -> None:
    picture = mixed(*shape, np.random.default_rng(1))
    assert np.array_equal(decoded(coded(picture), *shape), picture)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 30),
    width=st.integers(1, 30),
    kind=st.sampled_from(sorted(KINDS)),
    seed=st.integers(0, 1 << 20),
    effort=st.sampled_from(EFFORTS),
)
def test_any_picture_comes_back(height: int, width: int, kind: str, seed: int, effort: Effort) -> None:
    picture = KINDS[kind](height, width, np.random.default_rng(seed))
    assert np.array_equal(decoded(coded(picture, effort), height, width), picture)


def test_a_stream_that_outgrows_its_buffer_comes_back() -> None:
    rng = np.random.default_rng(3)
    # Flat rows promise a small stream; then comes what they did not promise.
    picture = np.concatenate([flat(300, 60, rng), extremes(200, 60, rng), smooth(200, 60, rng)])
    assert np.array_equal(decoded(coded(picture), *picture.shape[:2]), picture)


def test_noise_does_not_grow() -> None:
    picture = noise(64, 64, np.random.default_rng(0))
    assert len(coded(picture)) <= picture.size + 1


def test_one_colour_takes_a_few_bytes() -> None:
    assert len(coded(flat(1080, 1920, np.random.default_rng(0)))) < 80


def test_strips_are_the_same_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec_module, "STRIP_PIXELS", 2000)
    picture = mixed(100, 90, np.random.default_rng(2))
    assert len(strip_tops(100, 90)) == 5
    streams = []
    for count in (1, 2, 4):
        with torch_threads(count):
            streams.append(coded(picture))
            assert np.array_equal(decoded(streams[-1], 100, 90), picture)
    assert streams[0] == streams[1] == streams[2]


def test_strips_cover_every_row_once_and_depend_on_the_size_alone() -> None:
    for height, width in ((1, 1), (1, 65536), (65536, 1), (1080, 1920), (4320, 7680), (65536, 2048)):
        tops = strip_tops(height, width)
        assert tops[0] == 0 and tops[-1] == height
        assert all(top < bottom for top, bottom in itertools.pairwise(tops))
        assert len(tops) - 1 <= codec_module.MAX_STRIPS
    assert len(strip_tops(1080, 1920)) == 2  # one strip: cutting costs bytes
    assert len(strip_tops(2160, 3840)) == 4


def test_the_same_bytes_in_another_process() -> None:
    script = (
        "import hashlib, numpy as np\n"
        "from tests.test_screen import coded, mixed\n"
        "print(hashlib.sha256(coded(mixed(50, 70, np.random.default_rng(5)))).hexdigest())\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    here = hashlib.sha256(coded(mixed(50, 70, np.random.default_rng(5)))).hexdigest()
    assert run.stdout.strip() == here


@pytest.mark.parametrize("kind", ["drawn", "mixed", "smooth"])
def test_fewer_bytes_than_webp(kind: str) -> None:
    picture = KINDS[kind](200, 300, np.random.default_rng(7))
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "WEBP", lossless=True, quality=100, method=6)
    assert len(coded(picture)) < out.tell()


def test_repetitions_are_found() -> None:
    # Rows of noise shown four times: the second to fourth time almost for nothing.
    tile = noise(30, 80, np.random.default_rng(8))
    once, often = len(coded(tile)), len(coded(np.concatenate([tile] * 4)))
    assert often < 1.2 * once


def test_the_codec_has_no_weights() -> None:
    codec = ScreenCodec(ScreenConfig())
    codec.freeze()
    assert not list(codec.parameters()) and not codec.state_dict() and not codec.aux_parameters()
    assert codec.device.type == "cpu" and codec.exact_pixels


def test_an_effort_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="effort must be one of default, fast"):
        ScreenConfig(effort="slow")  # type: ignore[arg-type]


def test_tables_are_monotone_inverses_and_never_change() -> None:
    squash, stretch = squash_table(), stretch_table()
    assert squash.min() >= 1 and squash.max() <= ONE - 1 and squash[MAX_STRETCH] == ONE // 2
    assert np.all(np.diff(squash) >= 0) and np.all(np.diff(stretch.astype(int)) >= 0)
    assert np.array_equal(squash + squash[::-1], np.full(len(squash), ONE))
    assert np.all(squash[stretch[1:].astype(int) + MAX_STRETCH] >= np.minimum(np.arange(1, ONE), squash.max()))
    # Decoding depends on every entry.
    joined = b"".join(table.astype("<i4").tobytes() for table in (squash, stretch, cost_table()))
    assert hashlib.sha256(joined).hexdigest()[:16] == "ef8f79f02a480fd8"


@pytest.mark.parametrize(("effort", "digest"), [("default", "3f3648665fdf6be9"), ("fast", "e2f6b80da30638ad")])
def test_streams_never_change(effort: Effort, digest: str) -> None:
    # Integers alone make this picture, so every machine has the same: what it decodes to is a promise.
    rng = np.random.default_rng(11)
    picture = drawn(120, 160, rng)
    slope = np.cumsum(rng.integers(-3, 4, (60, 80, 3)), axis=0) + np.arange(80)[None, :, None] + 90
    picture[40:100, 50:130] = np.clip(slope, 0, 255)
    data = coded(picture, effort)
    assert np.array_equal(decoded(data, 120, 160), picture)
    assert hashlib.sha256(data).hexdigest()[:16] == digest
