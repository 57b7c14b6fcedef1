"""Bitstreams that somebody made up, checksums and all: a typed error or a picture of the promised size, soon.

The default run takes a thousand streams a codec, the `slow` one 20,000.
"""

import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.memory import peak_mib
from pipeline.base.errors import BitstreamError
from pipeline.base.store import Store
from pipeline.codecs import checkpoint
from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.codecs.interface import AbstractCodec
from pipeline.codecs.threads import torch_threads
from pipeline.formats.bitstream import SEGMENT_ALPHA, Bitstream, pack, unpack
from tests import test_mtl_sci, test_mtl_sci_charm, test_variable_rate, tiny_segpic
from tests.forging import forged
from tests.test_coding import make_picture

CODECS: dict[str, tuple[str, AbstractCodec]] = {
    "hyperprior": ("mtl_sci", test_mtl_sci.CODEC),
    "charm": ("mtl_sci", test_mtl_sci_charm.CODEC),
    "several rates": ("mtl_sci", test_variable_rate.CODECS["hyperprior"]),
    "several rates, charm": ("mtl_sci", test_variable_rate.CODECS["charm"]),
    "segpic": ("segpic", tiny_segpic.make_codec()),
}
SIZES = ((1, 1), (1, 90), (33, 20), (64, 64), (70, 100))
MAX_SECONDS = 60.0  # a guard against loops without end; a stream takes milliseconds


@pytest.mark.parametrize("name", CODECS)
def test_a_thousand_hostile_streams(name: str, tmp_path: Path) -> None:
    _attack(name, tmp_path, count=1000)


@pytest.mark.slow
@pytest.mark.parametrize("name", CODECS)
def test_twenty_thousand_hostile_streams(name: str, tmp_path: Path) -> None:
    _attack(name, tmp_path, count=20_000)


@pytest.mark.parametrize("name", CODECS)
def test_a_forged_size_is_refused_before_its_memory_is_taken(name: str, tmp_path: Path) -> None:
    kind, codec = CODECS[name]
    checkpoint.save(Store(tmp_path), kind, codec, provenance={})
    codec.eval()
    loaded = checkpoint.load(tmp_path)
    small = unpack(compress_picture(loaded, make_picture(64, 64)).data)
    before = peak_mib()
    for height, width in ((8192, 16384), (65536, 2048), (1, 65536)):
        with pytest.raises(BitstreamError):
            decompress_picture(loaded, pack(replace(small, height=height, width=width)))
    assert peak_mib() - before < 200  # the picture alone has 384 MiB


def _attack(name: str, folder: Path, *, count: int) -> None:
    kind, codec = CODECS[name]
    checkpoint.save(Store(folder), kind, codec, provenance={})
    codec.eval()
    loaded = checkpoint.load(folder)
    good = [unpack(compress_picture(loaded, make_picture(*size, 3 + seed % 2)).data) for seed, size in enumerate(SIZES)]
    refused = 0
    with torch_threads(1):
        for number in range(count):
            rng = np.random.default_rng([number, zlib.crc32(name.encode())])
            refused += _refused(loaded, forged(good, rng, last=_another_segment, sides=(1, 16, 17, 64, 65, 300)))
    # What is left decodes to some picture: a flipped bit may stand in a part that nothing contradicts.
    assert refused > 0.5 * count


def _refused(loaded: LoadedCodec, forged: Bitstream) -> bool:
    began = time.perf_counter()
    try:
        pixels = decompress_picture(loaded, pack(forged))
    except BitstreamError:
        return True
    else:
        assert pixels.shape == (forged.height, forged.width, forged.num_channels)
        return False
    finally:
        assert time.perf_counter() - began < MAX_SECONDS


def _another_segment(segments: dict[int, bytes], tag: int, rng: np.random.Generator) -> None:
    other = int(rng.integers(1, 9))
    segments[other if other != SEGMENT_ALPHA else 9] = rng.bytes(int(rng.integers(20)))
    if rng.integers(2):
        del segments[tag]
