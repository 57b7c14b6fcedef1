"""SegPIC: what is decoded is what was encoded, shapes, rates, regions, batches, weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.base.config import load
from pipeline.base.errors import BitstreamError, CorruptBitstream, ReconstructionMismatch
from pipeline.base.store import Store
from pipeline.codecs import checkpoint
from pipeline.codecs.coding import compress_picture, compress_pictures, decompress_picture, decompress_pictures
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.segpic.codec import (
    SEGMENT_COARSE,
    SEGMENT_FINE,
    SEGMENT_HEADER,
    SEGMENT_Y,
    SEGMENT_Z,
    SegPic,
    padded_side,
)
from pipeline.codecs.segpic.config import SegPicConfig
from pipeline.codecs.segpic.regions import grid_ids
from pipeline.codecs.table import find_codec, presets_folder
from tests.test_coding import make_picture
from tests.tiny_segpic import CONFIG, as_input, make_codec

CODEC = make_codec()
PUBLISHED_PARAMETERS = 83.50e6


# --- what is decoded -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (64, 64), (100, 96), (130, 250)])
def test_decodes_any_size_to_what_the_encoder_promised(size: tuple[int, int]) -> None:
    picture = make_picture(*size)
    coded = CODEC.compress(picture, SideInputs())
    assert coded.reconstruction.shape == picture.shape
    decoded = CODEC.decompress(coded.segments, height=size[0], width=size[1])
    assert (decoded == coded.reconstruction).all()


@pytest.mark.parametrize("changes", [{"region_adaptive": False}, {"scale_affine": False}, {"grid": 16}, {"grid": 1}])
def test_variants_decode(changes: dict[str, bool | int]) -> None:
    codec = make_codec(SegPicConfig(**({name: getattr(CONFIG, name) for name in CONFIG.__slots__} | changes)))
    picture = make_picture(70, 90)
    coded = codec.compress(picture, SideInputs())
    assert (codec.decompress(coded.segments, height=70, width=90) == coded.reconstruction).all()
    assert (SEGMENT_FINE in coded.segments) == codec.config.region_adaptive
    if codec.config.region_adaptive:
        assert coded.segments[SEGMENT_HEADER][0] == codec.config.grid


def test_the_stream_tells_the_grid() -> None:
    # A decoder whose config has another grid follows the stream.
    picture = make_picture(128, 192)
    fine = make_codec(SegPicConfig(**({name: getattr(CONFIG, name) for name in CONFIG.__slots__} | {"grid": 4})))
    coded = fine.compress(picture, SideInputs())
    assert (CODEC.decompress(coded.segments, height=128, width=192) == coded.reconstruction).all()


def test_shapes_are_the_papers() -> None:
    output = CODEC(torch.rand(2, 3, 100, 150))
    assert output.reconstruction.shape == (2, 3, 100, 150)
    assert output.likelihoods["y"].shape == (2, CONFIG.num_latents, 8, 12)
    assert output.likelihoods["z"].shape == (2, CONFIG.num_channels, 2, 3)
    for name in ("prototypes", "prototypes_fine"):
        assert output.likelihoods[name].numel() == 2 * CONFIG.num_prototype_channels * CONFIG.grid**2


def test_forward_announces_the_bytes_and_shows_the_picture() -> None:
    picture = make_picture(250, 330)
    with torch.no_grad():
        output = CODEC(as_input(picture))
    coded = CODEC.compress(picture, SideInputs())
    for tag, name in (
        (SEGMENT_Y, "y"),
        (SEGMENT_Z, "z"),
        (SEGMENT_FINE, "prototypes_fine"),
        (SEGMENT_COARSE, "prototypes"),
    ):
        announced = float(-output.likelihoods[name].double().log2().sum()) / 8
        assert abs(len(coded.segments[tag]) - announced) <= 0.01 * announced + 4, name
        assert coded.details[f"bytes_{name}"] == len(coded.segments[tag])
    expected = output.reconstruction[0].permute(1, 2, 0).clamp(0, 1).numpy() * 255
    # Integer means have 10 fraction bits, so a symbol whose residual lies on a half may round to the other side.
    assert np.mean(np.abs(coded.reconstruction - expected) < 0.55) > 0.98


def test_forged_headers_are_refused() -> None:
    coded = CODEC.compress(make_picture(64, 64), SideInputs())
    good = coded.segments[SEGMENT_HEADER]
    for header in (b"", good[:4], good + b"x", bytes([0]) + good[1:], bytes([17]) + good[1:]):
        with pytest.raises(CorruptBitstream, match="header"):
            CODEC.decompress({**coded.segments, SEGMENT_HEADER: header}, height=64, width=64)
    other = bytes([*good[:4], good[4] ^ 1])
    with pytest.raises(ReconstructionMismatch):
        CODEC.decompress({**coded.segments, SEGMENT_HEADER: other}, height=64, width=64)
    for tag in coded.segments:
        fewer = {kept: data for kept, data in coded.segments.items() if kept != tag}
        with pytest.raises(CorruptBitstream, match="segments"):
            CODEC.decompress(fewer, height=64, width=64)
    for height, width in ((1000, 64), (64, 500)):
        with pytest.raises(BitstreamError):
            CODEC.decompress(coded.segments, height=height, width=width)


# --- regions -------------------------------------------------------------------------------------------------------


def run(pictures: torch.Tensor, regions: torch.Tensor | None) -> torch.Tensor:
    with torch.no_grad():
        output: torch.Tensor = CODEC(pictures, regions).reconstruction
    return output


def test_regions_move_the_picture() -> None:
    pictures = torch.rand(1, 3, 64, 64)
    halves = (torch.arange(64) < 32).long().expand(1, 64, 64)
    assert not torch.equal(run(pictures, halves), run(pictures, torch.zeros(1, 64, 64)))


def test_one_region_for_the_whole_batch() -> None:
    pictures = torch.rand(1, 3, 64, 128)
    assert run(pictures, torch.full((1, 64, 128), 7)).isfinite().all()


def test_permuted_ids_change_nothing() -> None:
    torch.manual_seed(1)
    pictures = torch.rand(2, 3, 64, 64)
    ids = torch.randint(0, 9, (2, 8, 8)).repeat_interleave(8, 1).repeat_interleave(8, 2)
    permuted = torch.tensor([60000, 3, 255, 256, 65535, 1, 0, 17, 1000])[ids]
    torch.testing.assert_close(run(pictures, permuted), run(pictures, ids))


def test_ids_that_vanish_cost_nothing_and_regions_may_differ_in_number() -> None:
    pictures = torch.rand(2, 3, 64, 64)
    ids = torch.zeros(2, 64, 64, dtype=torch.long)
    ids[0, 32:] = 5
    speckled = ids.clone()
    speckled[:, 1::4, 1::4] = 9  # seen at no 4th row and column
    with torch.no_grad():
        plain, dotted = CODEC(pictures, ids), CODEC(pictures, speckled)
    torch.testing.assert_close(plain.reconstruction, dotted.reconstruction)
    num_regions = 3
    for output in (plain, dotted):
        assert output.likelihoods["prototypes"].numel() == num_regions * CONFIG.num_prototype_channels


def test_a_mask_that_is_the_grid_gives_what_the_grid_gives() -> None:
    pictures = torch.rand(2, 3, 128, 192)
    ids = grid_ids((128, 192), CONFIG.grid).expand(2, -1, -1)
    torch.testing.assert_close(run(pictures, ids), run(pictures, None))


def test_a_picture_does_not_depend_on_its_batch() -> None:
    torch.manual_seed(2)
    pictures = torch.rand(3, 3, 64, 128)
    ids = torch.randint(0, 3, (3, 2, 4)).repeat_interleave(32, 1).repeat_interleave(32, 2)
    together = run(pictures, ids)
    for number in range(3):
        alone = run(pictures[number : number + 1], ids[number : number + 1])
        torch.testing.assert_close(together[number : number + 1], alone)


def test_every_parameter_is_trained() -> None:
    codec = make_codec(frozen=False).train()
    output = codec(torch.rand(2, 3, 64, 64), torch.randint(0, 3, (2, 64, 64)))
    bits = sum(-likelihood.log2().sum() for likelihood in output.likelihoods.values())
    (bits + output.reconstruction.square().sum()).backward()
    untrained = [name for name, parameter in codec.named_parameters() if parameter.grad is None]
    assert sorted(untrained) == sorted(
        name for name, parameter in codec.named_parameters() if any(parameter is one for one in codec.aux_parameters())
    )
    codec.aux_loss().backward()
    assert all(parameter.grad is not None for parameter in codec.aux_parameters())


def test_mixed_precision_keeps_the_rate_in_full_precision() -> None:
    codec = make_codec(frozen=False).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = codec(torch.rand(1, 3, 64, 64), torch.zeros(1, 64, 64))
    assert {likelihood.dtype for likelihood in output.likelihoods.values()} == {torch.float32}
    output.reconstruction.float().square().sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in codec.parameters())


# --- files, batches, weights ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> checkpoint.LoadedCodec:
    folder = tmp_path_factory.mktemp("segpic")
    checkpoint.save(Store(folder), "segpic", make_codec(frozen=False), provenance={})
    return checkpoint.load(folder)


def test_saved_and_loaded_weights_code_the_same_bytes(loaded: checkpoint.LoadedCodec) -> None:
    picture = make_picture(90, 70)
    coded = CODEC.compress(picture, SideInputs())
    assert loaded.codec.compress(picture, SideInputs()).segments == coded.segments
    assert (loaded.codec.decompress(coded.segments, height=90, width=70) == coded.reconstruction).all()


def test_many_at_once_give_the_bytes_and_pictures_of_one_by_one(loaded: checkpoint.LoadedCodec) -> None:
    pictures = [make_picture(80, 130, num_channels, seed) for seed, num_channels in enumerate((3, 4, 1, 3, 3))]
    together = compress_pictures(loaded, pictures)
    alone = [compress_picture(loaded, picture) for picture in pictures]
    assert [one.data for one in together] == [one.data for one in alone]
    decoded = decompress_pictures(loaded, [one.data for one in together])
    for picture, one in zip(decoded, alone, strict=True):
        assert (picture == one.reconstruction).all()
        assert (picture == decompress_picture(loaded, one.data)).all()
    with pytest.raises(BitstreamError, match="bitstream 1"):
        decompress_pictures(loaded, [together[0].data, together[1].data[:-1]])


@pytest.mark.parametrize("name", ["tiny", "small", "paper"])
def test_presets_build(name: str) -> None:
    spec = find_codec("segpic")
    config = load(SegPicConfig, name, presets=presets_folder(spec))
    with torch.device("meta"):
        codec = SegPic(config)
    assert Path(presets_folder(spec) / f"{name}.toml").read_text().startswith("#")
    if name == "paper":
        number = sum(parameter.numel() for parameter in codec.parameters())
        assert abs(number - PUBLISHED_PARAMETERS) < 0.005e6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_channels": 0}, "num_channels"),
        ({"num_attention_heads": 5}, "num_attention_heads"),
        ({"num_slices": 3}, "num_slices"),
        ({"num_support_slices": 99}, "num_support_slices"),
        ({"slice_widths": ()}, "slice_widths"),
        ({"grid": 17}, "grid"),
    ],
)
def test_impossible_configs_are_refused(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SegPicConfig(**changes)  # type: ignore[arg-type]


def test_sides_are_padded_to_the_hyper_latents_stride() -> None:
    assert [padded_side(side) for side in (1, 64, 65, 128)] == [64, 64, 128, 128]
