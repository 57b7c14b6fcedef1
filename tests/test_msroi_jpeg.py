"""The codec around the saliency network: ordinary JPEGs, of any size, that follow its map or a given one."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.base.errors import BitstreamError, CorruptBitstream
from pipeline.base.store import Store
from pipeline.codecs.checkpoint import LoadedCodec, build_codec, load, save
from pipeline.codecs.coding import compress_picture, decompress_picture, verify_picture
from pipeline.codecs.interface import AbstractCodec, Pretrainable, SideInputs
from pipeline.codecs.msroi_jpeg.config import MsRoiConfig
from tests.photo_files import scenery

CONFIG = MsRoiConfig(trunk="light", class_names=("photo", "chät", 'a "b"'), width=8, num_channels=4, depth_multiplier=4)


@pytest.fixture(scope="module")
def codec() -> AbstractCodec:
    torch.manual_seed(0)
    return build_codec("msroi_jpeg", CONFIG).eval()


@pytest.fixture(scope="module")
def loaded(codec: AbstractCodec, tmp_path_factory: pytest.TempPathFactory) -> LoadedCodec:
    folder = tmp_path_factory.mktemp("checkpoint")
    save(Store(folder), "msroi_jpeg", codec, provenance={})
    return load(folder)


def test_class_names_are_saved_with_the_weights(loaded: LoadedCodec) -> None:
    assert loaded.codec.config == CONFIG


def test_forward_gives_logits_and_codes_nothing(codec: AbstractCodec) -> None:
    x = torch.rand(2, 3, 40, 50)
    output = codec(x)
    assert output.class_logits.shape == (2, 3)
    assert output.reconstruction is x and output.likelihoods == {} and output.label_logits is None
    assert float(codec.aux_loss()) == 0 and codec.aux_parameters() == []
    assert isinstance(codec, Pretrainable)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (17, 8), (64, 100)])
def test_any_picture_comes_back_as_any_jpeg_decoder_shows_it(loaded: LoadedCodec, size: tuple[int, int]) -> None:
    picture = np.ascontiguousarray(scenery(3)[: size[0], : size[1]])
    encoded = compress_picture(loaded, picture)
    assert compress_picture(loaded, picture).data == encoded.data
    verify_picture(loaded, encoded)
    jpeg = loaded.codec.compress(picture, SideInputs()).segments[1]
    with Image.open(io.BytesIO(jpeg)) as image:
        assert (image.format, image.size) == ("JPEG", size[::-1])
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - encoded.reconstruction).max() <= 2


def test_a_given_map_takes_the_place_of_the_network_s(codec: AbstractCodec) -> None:
    picture = scenery(4)[:96, :128]
    own = codec.saliency(picture)  # type: ignore[operator]
    alone = codec.compress(picture, SideInputs()).segments
    assert codec.compress(picture, SideInputs(saliency=own)).segments == alone
    left = np.zeros(picture.shape[:2], np.float32)
    left[:, :64] = 1
    right = np.ascontiguousarray(left[:, ::-1])
    errors = []
    for saliency in (left, right):
        decoded = codec.compress(picture, SideInputs(saliency=saliency)).reconstruction
        squared = (decoded.astype(float) - picture) ** 2
        errors.append((squared[:, :64].mean(), squared[:, 64:].mean()))
    assert errors[0][0] < errors[1][0] and errors[1][1] < errors[0][1]


def test_a_map_of_another_size_is_refused(codec: AbstractCodec) -> None:
    with pytest.raises(ValueError, match="expected one size"):
        codec.compress(scenery(4)[:20, :30], SideInputs(saliency=np.zeros((30, 20), np.float32)))


def test_damaged_segments_give_typed_errors(codec: AbstractCodec) -> None:
    picture = scenery(5)[:40, :56]
    jpeg = codec.compress(picture, SideInputs()).segments[1]
    for segments in ({}, {2: jpeg}, {1: jpeg, 2: b""}, {1: b""}, {1: b"\xff\xd8\xff"}, {1: jpeg[: len(jpeg) // 3]}):
        with pytest.raises(CorruptBitstream):
            codec.decompress(segments, height=40, width=56)
    with pytest.raises(CorruptBitstream):
        codec.decompress({1: jpeg}, height=56, width=40)


def test_every_truncation_of_a_bitstream_is_reported(loaded: LoadedCodec, tmp_path: Path) -> None:
    data = compress_picture(loaded, scenery(6)[:16, :24]).data
    for size in range(len(data)):
        with pytest.raises(BitstreamError):
            decompress_picture(loaded, data[:size])
