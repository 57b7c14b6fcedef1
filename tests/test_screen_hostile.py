"""Screen streams that are damaged or made up: a typed error, or a picture of the promised shape, soon."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.memory import peak_mib
from pipeline.base.errors import BitstreamError, CorruptBitstream, TruncatedBitstream, UnsupportedBitstream
from pipeline.base.store import Store
from pipeline.codecs import checkpoint
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.codecs.screen.codec import SEGMENT_PIXELS, build
from pipeline.codecs.screen.config import EFFORTS, Effort, ScreenConfig
from pipeline.codecs.threads import torch_threads
from pipeline.formats.bitstream import pack, unpack
from tests.test_screen import KINDS, coded, decoded, mixed, noise

MAX_SECONDS = 60.0  # a guard against loops without end; a stream takes milliseconds


def loaded_codec(folder: Path, effort: Effort = "default") -> checkpoint.LoadedCodec:
    checkpoint.save(Store(folder), "screen", build(ScreenConfig(effort=effort)), provenance={})
    return checkpoint.load(folder)


@pytest.mark.parametrize("effort", EFFORTS)
def test_every_truncation_and_changed_byte_of_a_file_is_reported(effort: Effort, tmp_path: Path) -> None:
    loaded = loaded_codec(tmp_path, effort)
    picture = mixed(20, 30, np.random.default_rng(0))
    data = compress_picture(loaded, picture).data
    assert np.array_equal(decompress_picture(loaded, data), picture)
    for size in range(len(data)):
        with pytest.raises(BitstreamError):
            decompress_picture(loaded, data[:size])
    for place in range(len(data)):
        with pytest.raises(BitstreamError):
            decompress_picture(loaded, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])


def test_a_stream_that_ends_early_is_truncated() -> None:
    picture = mixed(40, 50, np.random.default_rng(1))
    data = coded(picture)
    refused = 0
    for size in range(1, len(data)):
        try:
            # What is likeliest takes next to no bits, so a few streams may end in a picture; the file's checksums know.
            assert not np.array_equal(decoded(data[:size], 40, 50), picture)
        except (TruncatedBitstream, CorruptBitstream):
            refused += 1
    assert refused > 0.9 * len(data)


def test_a_stream_that_goes_on_is_corrupt() -> None:
    picture = mixed(40, 50, np.random.default_rng(1))
    for tail in (b"\0", b"\1", bytes(9)):
        with pytest.raises(CorruptBitstream):
            decoded(coded(picture) + tail, 40, 50)


def test_a_stored_picture_has_its_size() -> None:
    data = coded(noise(20, 20, np.random.default_rng(0)))
    assert len(data) == 1201
    with pytest.raises(TruncatedBitstream):
        decoded(data[:-1], 20, 20)
    with pytest.raises(CorruptBitstream):
        decoded(data + b"\0", 20, 20)


def test_an_unknown_effort_and_wrong_segments_are_refused() -> None:
    codec = build(ScreenConfig())
    with pytest.raises(UnsupportedBitstream, match="effort 7"):
        decoded(b"\7abc", 3, 3)
    with pytest.raises(TruncatedBitstream):
        decoded(b"", 3, 3)
    for segments in ({}, {2: b"\0"}, {SEGMENT_PIXELS: b"\0", 2: b""}):
        with pytest.raises(CorruptBitstream):
            codec.decompress(segments, height=3, width=3)


def test_strip_lengths_are_checked() -> None:
    height, width = 2048, 2048
    with pytest.raises(TruncatedBitstream, match="before its 2 strips"):
        decoded(b"\0\1\2\3", height, width)
    with pytest.raises(TruncatedBitstream, match="within strip 0"):
        decoded(b"\0\xff\xff\xff\xff" + bytes(90), height, width)


def test_a_thousand_made_up_streams() -> None:
    rng = np.random.default_rng(4)
    sizes = ((1, 1), (1, 60), (33, 20), (50, 64))
    good = [coded(KINDS[kind](*size, rng)) for size in sizes for kind in ("drawn", "mixed", "smooth")]
    refused = 0
    with torch_threads(1):
        for _number in range(1000):
            data = bytearray(good[rng.integers(len(good))])
            height, width = sizes[rng.integers(len(sizes))]
            wrong = rng.integers(4)
            if wrong == 0:
                data = bytearray(rng.bytes(int(rng.integers(1, 3000))))
            elif wrong == 1:
                data = bytearray(bytes([int(rng.choice([0, 255]))]) * int(rng.integers(1, 3000)))
            elif wrong == 2:
                for _times in range(3):
                    data[rng.integers(len(data))] ^= int(rng.integers(1, 256))
            else:
                data = data[: rng.integers(1, len(data) + 1)]
            data[0] = int(rng.integers(2))
            began = time.perf_counter()
            try:
                assert decoded(bytes(data), height, width).shape == (height, width, 3)
            except BitstreamError:
                refused += 1
            assert time.perf_counter() - began < MAX_SECONDS
    assert refused > 500


def test_a_forged_size_is_refused_before_its_memory_is_taken(tmp_path: Path) -> None:
    loaded = loaded_codec(tmp_path)
    small = unpack(compress_picture(loaded, mixed(64, 64, np.random.default_rng(0))).data)
    before = peak_mib()
    for height, width in ((8192, 16384), (65536, 2048), (1, 65536)):
        with pytest.raises(BitstreamError):
            decompress_picture(loaded, pack(replace(small, height=height, width=width)))
    assert peak_mib() - before < 200  # the picture alone has 384 MiB


def test_memory_is_bounded() -> None:
    # 2^22 pixels: 8 bytes of canvas and 6 of residuals each, and tables that do not grow.
    before = peak_mib()
    picture = np.tile(mixed(64, 64, np.random.default_rng(0)), (32, 32, 1))
    assert np.array_equal(decoded(coded(picture, "fast"), 2048, 2048), picture)
    assert peak_mib() - before < 400
