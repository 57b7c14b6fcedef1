"""Pictures to bytes and back: every channel count and size, every kind of damage, another process."""

import os
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.base.errors import (
    BitstreamError,
    CorruptBitstream,
    PictureError,
    ReconstructionMismatch,
    UnsupportedBitstream,
)
from pipeline.base.store import Store
from pipeline.codecs.checkpoint import LoadedCodec, build_codec, load, save
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.formats.bitstream import SEGMENT_ALPHA, pack, unpack

CONFIG = MtlSciConfig(num_channels=6, num_latents=8)


def make_picture(height: int, width: int, num_channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    """A smooth ramp, a hard edge and some noise; alpha is never constant."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [(rows * (3 + c) + columns * (5 - c) + 60 * (columns > width // 2)) % 256 for c in range(num_channels)]
    noisy = np.stack(planes, axis=2) + rng.integers(-9, 10, (height, width, num_channels))
    return noisy.clip(0, 255).astype(np.uint8)


def make_checkpoint(folder: Path, seed: int = 0) -> LoadedCodec:
    torch.manual_seed(seed)
    save(Store(folder), "mtl_sci", build_codec("mtl_sci", CONFIG), provenance={})
    return load(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkpoint")


@pytest.fixture(scope="module")
def loaded(folder: Path) -> LoadedCodec:
    return make_checkpoint(folder)


@pytest.fixture(scope="module")
def small(loaded: LoadedCodec) -> bytes:
    return compress_picture(loaded, make_picture(17, 21, 4)).data


@pytest.mark.parametrize("num_channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (16, 16), (17, 33), (100, 90)])
def test_decodes_to_what_the_encoder_promised(loaded: LoadedCodec, size: tuple[int, int], num_channels: int) -> None:
    picture = make_picture(*size, num_channels)
    encoded = compress_picture(loaded, picture)
    decoded = decompress_picture(loaded, encoded.data)
    assert decoded.shape == picture.shape
    assert decoded.dtype == np.uint8
    assert (decoded == encoded.reconstruction).all()


@pytest.mark.parametrize("num_channels", [2, 4])
def test_alpha_is_kept_exactly(loaded: LoadedCodec, num_channels: int) -> None:
    picture = make_picture(40, 30, num_channels)
    decoded = decompress_picture(loaded, compress_picture(loaded, picture).data)
    assert (decoded[:, :, -1] == picture[:, :, -1]).all()


def test_same_picture_gives_same_bytes(loaded: LoadedCodec) -> None:
    picture = make_picture(50, 70)
    assert compress_picture(loaded, picture).data == compress_picture(loaded, picture.copy()).data


def test_every_truncation_is_reported(loaded: LoadedCodec, small: bytes) -> None:
    for size in range(len(small)):
        with pytest.raises(BitstreamError):
            decompress_picture(loaded, small[:size])


def test_every_changed_byte_is_reported(loaded: LoadedCodec, small: bytes) -> None:
    for place in range(len(small)):
        for change in (0x01, 0x10, 0x80, 0xFF):
            damaged = bytearray(small)
            damaged[place] ^= change
            with pytest.raises(BitstreamError):
                decompress_picture(loaded, bytes(damaged))


def test_forged_payload_behind_a_valid_checksum_is_reported(loaded: LoadedCodec, small: bytes) -> None:
    # What a checksum cannot stop: somebody who computes it anew.
    parsed = unpack(small)
    rng = np.random.default_rng(1)
    for tag in parsed.segments:
        for size in (0, 1, 2, 5, 9, 40, 400):
            forged = replace(parsed, segments={**parsed.segments, tag: rng.bytes(size)})
            with pytest.raises(BitstreamError):
                decompress_picture(loaded, pack(forged))


def test_missing_and_extra_segments_are_reported(loaded: LoadedCodec, small: bytes) -> None:
    parsed = unpack(small)
    for tag in parsed.segments:
        fewer = {other: payload for other, payload in parsed.segments.items() if other != tag}
        with pytest.raises(CorruptBitstream):
            decompress_picture(loaded, pack(replace(parsed, segments=fewer)))
    with pytest.raises(CorruptBitstream, match="segments"):
        decompress_picture(loaded, pack(replace(parsed, segments={**parsed.segments, 3: b"x"})))
    opaque = replace(parsed, num_channels=3)
    with pytest.raises(CorruptBitstream, match="alpha"):
        decompress_picture(loaded, pack(opaque))


def test_alpha_plane_that_inflates_beyond_the_picture_is_reported(loaded: LoadedCodec, small: bytes) -> None:
    parsed = unpack(small)
    for plane in (bytes(17 * 21 + 1), bytes(17 * 21 - 1), bytes(10**6)):
        forged = replace(parsed, segments={**parsed.segments, SEGMENT_ALPHA: zlib.compress(plane)})
        with pytest.raises(CorruptBitstream, match="alpha"):
            decompress_picture(loaded, pack(forged))


def test_forged_size_is_refused_before_memory_is_taken(loaded: LoadedCodec, small: bytes) -> None:
    forged = replace(unpack(small), width=1 << 24, height=1 << 24)
    with pytest.raises(UnsupportedBitstream, match="pixels"):
        decompress_picture(loaded, pack(forged))


def test_too_large_a_picture_is_refused(loaded: LoadedCodec) -> None:
    picture = np.broadcast_to(np.zeros((1, 1, 3), dtype=np.uint8), (1 << 14, 1 << 14, 3))
    with pytest.raises(PictureError, match="pixels"):
        compress_picture(loaded, picture)


def test_other_promise_is_reported(loaded: LoadedCodec, small: bytes) -> None:
    with pytest.raises(ReconstructionMismatch, match="promised"):
        decompress_picture(loaded, pack(replace(unpack(small), pixels_crc32=1)))


def test_other_weights_are_refused(small: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedBitstream, match="weights"):
        decompress_picture(make_checkpoint(tmp_path, seed=1), small)


def test_other_codec_number_is_refused(loaded: LoadedCodec, small: bytes) -> None:
    with pytest.raises(UnsupportedBitstream, match="codec 77"):
        decompress_picture(loaded, pack(replace(unpack(small), codec_wire_id=77)))


def test_another_process_with_other_threads_and_instructions_decodes_the_same(
    loaded: LoadedCodec, folder: Path, tmp_path: Path
) -> None:
    pictures = [make_picture(1, 1, 1), make_picture(130, 77, 4), make_picture(64, 300)]
    for number, picture in enumerate(pictures):
        encoded = compress_picture(loaded, picture)
        (tmp_path / f"{number}.bin").write_bytes(encoded.data)
        np.save(tmp_path / f"{number}.npy", encoded.reconstruction)
    script = (
        "import sys, numpy as np, torch\n"
        "from pathlib import Path\n"
        "from pipeline.codecs.checkpoint import load\n"
        "from pipeline.codecs.coding import decompress_picture\n"
        "torch.set_num_threads(int(sys.argv[3]))\n"
        "loaded = load(sys.argv[1])\n"
        "for file in sorted(Path(sys.argv[2]).glob('*.bin')):\n"
        "    pixels = decompress_picture(loaded, file.read_bytes())\n"
        "    assert (pixels == np.load(file.with_suffix('.npy'))).all()\n"
        "    print(file.stem)\n"
    )
    threads = 3 if torch.get_num_threads() != 3 else 2
    command = [sys.executable, "-W", "error", "-c", script, str(folder), str(tmp_path), str(threads)]
    older = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41"}
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **older})
    assert (run.stdout.split(), run.stderr) == (["0", "1", "2"], "")
