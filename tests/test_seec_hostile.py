"""SEEC streams that are damaged or made up: a typed error, or a picture of the promised shape, soon."""

import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.memory import peak_mib
from pipeline.base.errors import BitstreamError, CorruptBitstream, ReconstructionMismatch, TruncatedBitstream
from pipeline.base.store import Store
from pipeline.codecs import checkpoint
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.seec.codec import SEGMENT_BACKGROUND, SEGMENT_CLASSES, SEGMENT_PIXELS, SEGMENT_Y, SEGMENT_Z, Seec
from pipeline.codecs.threads import torch_threads
from pipeline.formats.bitstream import Bitstream, pack, unpack
from tests.forging import forged
from tests.tiny_seec import CONFIGS, blobs, drawn, frozen_codec

NAMES = ("patch", "screen", "both", "three classes", "no copies")
SIZES = ((1, 1), (1, 70), (33, 20), (64, 66))
MAX_SECONDS = 60.0  # a guard against loops without end; a stream takes milliseconds


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with torch_threads(1):
        yield


def loaded_codec(name: str, folder: Path) -> checkpoint.LoadedCodec:
    checkpoint.save(Store(folder), "seec", frozen_codec(name), provenance={})
    return checkpoint.load(folder)


def good_streams(loaded: checkpoint.LoadedCodec) -> list[Bitstream]:
    """Return streams of several sizes, of the whole picture and of regions of either kind."""
    streams = []
    for seed, (height, width) in enumerate(SIZES):
        label = blobs(height, width, CONFIGS["three classes"].num_classes if _has_three(loaded) else 2, seed=seed)
        picture = drawn(height, width, seed=seed)
        exacts = (None, label == 0, blobs(height, width, 2, seed=seed + 9) == 0)
        for exact, step in zip(exacts, (0, 0, 8), strict=True):
            side = SideInputs(label=label, exact=exact, background_step=step)
            streams.append(unpack(compress_picture(loaded, picture, side).data))
    return streams


def _has_three(loaded: checkpoint.LoadedCodec) -> bool:
    return bool(loaded.codec.config.num_classes == 3)


# --- damage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["patch", "screen", "both"])
def test_every_truncation_and_changed_byte_of_a_file_is_reported(name: str, tmp_path: Path) -> None:
    loaded = loaded_codec(name, tmp_path)
    data = compress_picture(loaded, drawn(9, 11)).data
    for size in range(len(data)):
        with pytest.raises(BitstreamError):
            decompress_picture(loaded, data[:size])
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        with pytest.raises(BitstreamError):
            decompress_picture(loaded, bytes(damaged))


@pytest.mark.parametrize("name", NAMES)
def test_segments_that_end_early_or_go_on_are_refused(name: str) -> None:
    codec, label = frozen_codec(name), blobs(40, 50, CONFIGS[name].num_classes)
    exact = blobs(40, 50, 2, seed=3) == 0
    picture = drawn(40, 50)
    for side in (SideInputs(label=label), SideInputs(label=label, exact=exact, background_step=8)):
        segments = codec.compress(picture, side).segments
        for tag, data in segments.items():
            cuts = {size for size in (0, 1, 2, len(data) // 3, len(data) - 4, len(data) - 1) if 0 <= size < len(data)}
            for wrong in [data[:size] for size in sorted(cuts)] + [data + b"\1\2\3\4"]:
                began = time.perf_counter()
                try:
                    decoded = codec.decompress({**segments, tag: wrong}, height=40, width=50)
                except (TruncatedBitstream, CorruptBitstream):
                    pass
                else:
                    # By chance part of a map is a map; then all other segments must happen to go with it.
                    assert tag in (SEGMENT_CLASSES, SEGMENT_BACKGROUND), (tag, len(wrong))
                    assert decoded.shape == (40, 50, 3)
                assert time.perf_counter() - began < MAX_SECONDS


@pytest.mark.parametrize("name", NAMES)
def test_pixels_that_end_early_are_noticed_before_the_last_step(name: str) -> None:
    codec = frozen_codec(name)
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    segments = codec.compress(picture, SideInputs(label=blobs(64, 64, 2))).segments
    data = segments[SEGMENT_PIXELS]
    cut = data[: 1 + data[0] + 4 * ((len(data) - 1 - data[0]) // 4 // 10)]
    with pytest.raises(TruncatedBitstream, match="ends before its last"):
        codec.decompress({**segments, SEGMENT_PIXELS: cut}, height=64, width=64)


@pytest.mark.parametrize("name", NAMES)
def test_missing_and_extra_segments_are_refused(name: str) -> None:
    codec = frozen_codec(name)
    segments = codec.compress(drawn(20, 30), SideInputs(label=blobs(20, 30, 2))).segments
    expected = {SEGMENT_PIXELS, SEGMENT_CLASSES} | ({SEGMENT_Y, SEGMENT_Z} if codec.config.num_channels else set())
    assert set(segments) == expected
    for tag in segments:
        fewer = {kept: data for kept, data in segments.items() if kept != tag}
        with pytest.raises(CorruptBitstream, match="segments"):
            codec.decompress(fewer, height=20, width=30)
    for tag in {SEGMENT_Y, 6, 100} - expected:
        with pytest.raises(CorruptBitstream, match="segments"):
            codec.decompress({**segments, tag: b"x"}, height=20, width=30)


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        (b"", CorruptBitstream),
        (b"\0", CorruptBitstream),
        (b"\0\2\0\0", CorruptBitstream),  # no such way
        (b"\0\0\0", CorruptBitstream),
        (b"\0\0\0\0\0", CorruptBitstream),
        (b"\0\0\3\0", CorruptBitstream),  # both classes exact: no background
        (b"\0\1", TruncatedBitstream),
        (b"\0\1\0\1", CorruptBitstream),  # a map that is exact everywhere
        (b"\0\1\0\0\0", CorruptBitstream),
    ],
)
def test_forged_backgrounds_are_refused(payload: bytes, error: type[BitstreamError]) -> None:
    codec, label = frozen_codec("screen"), blobs(20, 30, 2)
    segments = codec.compress(drawn(20, 30), SideInputs(label=label, exact=label == 0)).segments
    with pytest.raises(error):
        codec.decompress({**segments, SEGMENT_BACKGROUND: payload}, height=20, width=30)


def test_another_picture_than_promised_is_reported(tmp_path: Path) -> None:
    loaded = loaded_codec("screen", tmp_path)
    first, second = (unpack(compress_picture(loaded, drawn(20, 30, seed=seed)).data) for seed in (0, 1))
    with pytest.raises(ReconstructionMismatch, match="promised"):
        decompress_picture(loaded, pack(replace(first, segments=second.segments)))


# --- forgeries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_three_hundred_hostile_streams(name: str, tmp_path: Path) -> None:
    _attack(name, tmp_path, count=300)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_ten_thousand_hostile_streams(name: str, tmp_path: Path) -> None:
    _attack(name, tmp_path, count=10_000)


def _attack(name: str, folder: Path, *, count: int) -> None:
    loaded = loaded_codec(name, folder)
    good = good_streams(loaded)
    outcomes = {"refused": 0, "another picture": 0, "unchanged": 0}
    for number in range(count):
        rng = np.random.default_rng([number, zlib.crc32(name.encode())])
        wrong = forged(good, rng, last=_a_background, sides=(1, 16, 17, 64, 65))
        began = time.perf_counter()
        assert isinstance(loaded.codec, Seec)
        try:
            pixels = loaded.codec.decompress(wrong.segments, height=wrong.height, width=wrong.width)
        except BitstreamError:
            outcomes["refused"] += 1
        else:
            assert pixels.shape == (wrong.height, wrong.width, 3)
            assert pixels.dtype == np.uint8
            is_same = zlib.crc32(pixels.data) == wrong.pixels_crc32
            outcomes["unchanged" if is_same else "another picture"] += 1
            if not is_same:  # which the promise within the file reveals
                with pytest.raises(ReconstructionMismatch):
                    decompress_picture(loaded, pack(wrong))
        assert time.perf_counter() - began < MAX_SECONDS
    assert outcomes["refused"] > 0.5 * count
    assert outcomes["unchanged"] < 0.1 * count


@pytest.mark.parametrize("name", ["patch", "screen", "both"])
def test_a_forged_size_is_refused_soon(name: str, tmp_path: Path) -> None:
    loaded = loaded_codec(name, tmp_path)
    small = unpack(compress_picture(loaded, drawn(64, 64), SideInputs(label=blobs(64, 64, 2))).data)
    sizes = ((8192, 16384), (65536, 2048), (1, 65536))
    before, began = peak_mib(), time.perf_counter()
    for height, width in sizes:
        with pytest.raises(BitstreamError):
            decompress_picture(loaded, pack(replace(small, height=height, width=width)))
    assert peak_mib() - before < 200  # the picture alone has 384 MiB
    # Pixels of one class take two bytes, and what is not exact takes none: here the map fits any size.
    segments = {**small.segments, SEGMENT_CLASSES: b"\0\1"}
    for height, width in sizes:
        with pytest.raises(BitstreamError):
            decompress_picture(loaded, pack(replace(small, height=height, width=width, segments=segments)))
    assert time.perf_counter() - began < MAX_SECONDS


def _a_background(segments: dict[int, bytes], tag: int, rng: np.random.Generator) -> None:
    """Where there was none, the pixels are read in another way."""
    segments[SEGMENT_BACKGROUND] = bytes([int(rng.choice([0, 1, 8, 255])), 0, int(rng.integers(4)), 0])
