"""Checkpoints: what was saved is what loads, and everything else is refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from pipeline.base.errors import CheckpointError, ConfigError
from pipeline.base.store import Store, sha256_file
from pipeline.codecs.checkpoint import PROVENANCE, WEIGHTS, build_codec, load, read_provenance, save
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.codecs.interface import AbstractCodec
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from tests.test_coding import make_picture

CONFIG = MtlSciConfig(num_channels=6, num_latents=8)


def make_codec(seed: int = 0) -> AbstractCodec:
    torch.manual_seed(seed)
    return build_codec("mtl_sci", CONFIG)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(Store(tmp_path), "mtl_sci", make_codec(), provenance={"step": 3})
    return tmp_path


def test_what_is_saved_is_what_loads(tmp_path: Path) -> None:
    codec = make_codec()
    digest = save(Store(tmp_path), "mtl_sci", codec, provenance={"step": 3})
    loaded = load(tmp_path)
    assert loaded.weights_sha256 == digest == sha256_file(tmp_path / WEIGHTS)
    assert loaded.weights_digest.hex() == digest[:16]
    assert loaded.codec.config == CONFIG
    assert not loaded.codec.training
    assert read_provenance(tmp_path) == {"step": 3, "codec": "mtl_sci", "weights_sha256": digest}
    expected = codec.state_dict()
    state = loaded.codec.state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[key], value) for key, value in expected.items())


def test_saving_the_same_weights_gives_the_same_file(tmp_path: Path) -> None:
    digests = {save(Store(tmp_path / str(i)), "mtl_sci", make_codec(), provenance={"run": i}) for i in range(2)}
    assert len(digests) == 1
    assert save(Store(tmp_path / "other"), "mtl_sci", make_codec(seed=1), provenance={}) not in digests


def test_loaded_codec_gives_the_same_bytes_each_time(folder: Path, tmp_path: Path) -> None:
    picture = make_picture(50, 60)
    first, second = load(folder), load(folder / WEIGHTS)  # a folder, or the weights file that an archive keeps
    data = compress_picture(first, picture).data
    assert compress_picture(second, picture).data == data
    assert save(Store(tmp_path / "again"), "mtl_sci", first.codec, provenance={}) == first.weights_sha256
    assert (decompress_picture(second, data) == decompress_picture(load(tmp_path / "again"), data)).all()


def test_training_may_go_on_from_a_loaded_checkpoint(folder: Path) -> None:
    codec = load(folder).codec.train()
    output = codec(torch.rand(1, 3, 32, 32))
    output.reconstruction.sum().backward()
    assert all(np.isfinite(float(value.detach().sum())) for value in output.likelihoods.values())


def rewrite_header(folder: Path, header: object) -> None:
    """Write the weights anew with another header, and a provenance that fits."""
    with safetensors.safe_open(folder / WEIGHTS, framework="pt") as reader:
        tensors = {key: reader.get_tensor(key) for key in reader.keys()}  # noqa: SIM118 - not a dict
    metadata = {} if header is None else {"diptych": header if isinstance(header, str) else json.dumps(header)}
    safetensors.torch.save_file(tensors, folder / WEIGHTS, metadata=metadata)
    (folder / PROVENANCE).write_text(json.dumps({"weights_sha256": sha256_file(folder / WEIGHTS)}))


def claim(**changes: object) -> dict[str, object]:
    """Return a header with a config that differs from CONFIG."""
    return {"codec": "mtl_sci", "config": {"num_channels": 6, "num_latents": 8, **changes}}


def flip_byte(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(data))


def cut(folder: Path) -> None:
    data = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(data[: len(data) // 2])
    (folder / PROVENANCE).write_text(json.dumps({"weights_sha256": sha256_file(folder / WEIGHTS)}))


def garbage(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"PK\x03\x04 not safetensors at all")
    (folder / PROVENANCE).write_text(json.dumps({"weights_sha256": sha256_file(folder / WEIGHTS)}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / WEIGHTS).unlink(), "no checkpoint here"),
        (lambda f: (f / PROVENANCE).unlink(), "no readable checkpoint.json"),
        (lambda f: (f / PROVENANCE).write_text("{"), "no readable checkpoint.json"),
        (lambda f: (f / PROVENANCE).write_text("[]"), "expected a JSON object"),
        (lambda f: (f / PROVENANCE).write_text("{}"), "sha256 is"),
        (flip_byte, "sha256 is"),
        (cut, "not a safetensors file"),
        (garbage, "not a safetensors file"),
        (lambda f: rewrite_header(f, None), "not one of Diptych's"),
        (lambda f: rewrite_header(f, "{"), "not one of Diptych's"),
        (lambda f: rewrite_header(f, [1]), "not one of Diptych's"),
        (lambda f: rewrite_header(f, {"codec": "mtl_sci"}), "not one of Diptych's"),
        (lambda f: rewrite_header(f, {"codec": "mtl_sci", "config": 5}), "a name and a table"),
        (lambda f: rewrite_header(f, {"codec": "another", "config": {}}), "'another' is not in the table"),
        (lambda f: rewrite_header(f, claim(num_channels=7)), "size mismatch"),
        (lambda f: rewrite_header(f, claim(num_channel=7)), "did you mean 'num_channels'"),
        (lambda f: rewrite_header(f, claim(num_channels="6")), "must be int"),
        (lambda f: rewrite_header(f, claim(segmentation_head=False)), "Unexpected key"),
    ],
)
def test_damage_is_reported_in_one_line(folder: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(folder)
    with pytest.raises(CheckpointError, match=message) as caught:
        load(folder)
    text = str(caught.value)
    assert "\n" not in text
    assert str(folder) in text
    assert len(text) < 500


def test_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        load(tmp_path / "nowhere")


def test_tables_that_are_no_tables_are_refused_before_they_are_used(folder: Path) -> None:
    loaded = load(folder)
    loaded.codec.get_buffer("frozen.y_tables.cdfs")[3, 1] = 0
    save_as_is = {key: value.contiguous() for key, value in loaded.codec.state_dict().items()}
    with safetensors.safe_open(folder / WEIGHTS, framework="pt") as reader:
        header = reader.metadata()
    safetensors.torch.save_file(save_as_is, folder / WEIGHTS, metadata=header)
    with pytest.raises(CheckpointError, match="tables"):
        compress_picture(load(folder / WEIGHTS), make_picture(20, 20))


def test_config_of_a_codec_is_checked() -> None:
    assert build_codec("mtl_sci", {"num_channels": 4, "num_latents": 4}).config.num_channels == 4
    with pytest.raises(ConfigError, match="num_latents"):
        build_codec("mtl_sci", {"num_latent": 4})
    with pytest.raises(ConfigError, match="'nothing'"):
        build_codec("nothing", {})
