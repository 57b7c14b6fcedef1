"""MTL-SCI on the channel-conditional base: what section by section holds for the other base, holds here."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from pipeline.base.config import load
from pipeline.base.errors import BitstreamError, CheckpointError, ConfigError, CorruptBitstream, ReconstructionMismatch
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.mtl_sci.charm import MtlSciCharm
from pipeline.codecs.mtl_sci.codec import build
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.codecs.mtl_sci.latent import SEGMENT_CRC, SEGMENT_Y, SEGMENT_Z
from pipeline.codecs.table import find_codec, presets_folder
from tests.test_coding import make_picture
from tests.tiny_segpic import as_input

SHAPE = {"base": "charm", "num_channels": 8, "num_latents": 12, "num_slices": 4, "num_support_slices": 2}
CONFIG = MtlSciConfig(**SHAPE, slice_widths=(10, 8), num_head_channels=4)  # type: ignore[arg-type]


def make_codec(config: MtlSciConfig = CONFIG, *, frozen: bool = True) -> MtlSciCharm:
    torch.manual_seed(5)
    codec = build(config)
    assert isinstance(codec, MtlSciCharm)
    with torch.no_grad():
        codec.hyper_analysis[-1].weight.mul_(4.0)
        for net in codec.slices.scales:
            net[-1].weight.mul_(2.0)
            net[-1].bias.fill_(3.0)
    if frozen:
        codec.freeze()
    return codec.eval()


CODEC = make_codec()


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (17, 33), (64, 64), (100, 90)])
def test_decodes_any_size_to_what_the_encoder_promised(size: tuple[int, int]) -> None:
    picture = make_picture(*size)
    coded = CODEC.compress(picture, SideInputs())
    assert set(coded.segments) == {SEGMENT_Y, SEGMENT_Z}
    assert (CODEC.decompress(coded.segments, height=size[0], width=size[1]) == coded.reconstruction).all()


@pytest.mark.parametrize("size", [(1, 1), (17, 33), (100, 90)])
def test_forward_gives_the_pictures_size_and_the_latents_shapes(size: tuple[int, int]) -> None:
    output = CODEC(torch.rand(2, 3, *size))
    h, w = math.ceil(size[0] / 16), math.ceil(size[1] / 16)
    assert output.reconstruction.shape == (2, 3, *size)
    assert output.label_logits is not None
    assert output.label_logits.shape == (2, 1, *size)
    assert output.likelihoods["y"].shape == (2, 12, h, w)
    assert output.likelihoods["z"].shape == (2, 8, math.ceil(h / 4), math.ceil(w / 4))


def test_forward_announces_the_bytes_and_shows_the_picture() -> None:
    picture = make_picture(250, 330)
    with torch.no_grad():
        output = CODEC(as_input(picture))
    coded = CODEC.compress(picture, SideInputs())
    for tag, name in ((SEGMENT_Y, "y"), (SEGMENT_Z, "z")):
        announced = float(-output.likelihoods[name].double().log2().sum()) / 8
        assert abs(len(coded.segments[tag]) - announced) <= 0.02 * announced + 8, name
    expected = output.reconstruction[0].permute(1, 2, 0).clamp(0, 1).numpy() * 255
    assert np.mean(np.abs(coded.reconstruction - expected) < 0.52) > 0.98


def test_segmentation_head_changes_neither_bytes_nor_pixels() -> None:
    picture = make_picture(90, 120)
    with_head = CODEC.compress(picture, SideInputs())
    bare = make_codec(
        MtlSciConfig(**SHAPE, slice_widths=(10, 8), segmentation_head=False),  # type: ignore[arg-type]
        frozen=False,
    )
    weights = {name: value for name, value in CODEC.state_dict().items() if not name.startswith("head.")}
    bare.load_state_dict(weights, strict=True)
    without = bare.compress(picture, SideInputs())
    assert without.segments == with_head.segments
    assert (without.reconstruction == with_head.reconstruction).all()
    assert bare(as_input(picture)).label_logits is None
    with pytest.raises(CheckpointError, match="no segmentation head"):
        bare.label_probability(picture)


def test_label_probability_is_the_heads_answer_on_the_coded_latent() -> None:
    picture = make_picture(70, 90)
    probability = CODEC.label_probability(picture)
    with torch.no_grad():
        logits = CODEC(as_input(picture)).label_logits
    assert logits is not None
    assert probability.shape == (70, 90)
    difference = np.abs(probability - torch.sigmoid(logits)[0, 0].numpy())
    assert np.quantile(difference, 0.98) < 1e-3


def test_segmentation_loss_reaches_the_encoder_through_the_quantiser() -> None:
    codec = make_codec(frozen=False).train()
    output = codec(torch.rand(2, 3, 64, 64))
    assert output.label_logits is not None
    nn.functional.binary_cross_entropy_with_logits(output.label_logits, torch.ones_like(output.label_logits)).backward()
    gradient = codec.analysis[0].weight.grad
    assert gradient is not None
    assert float(gradient.abs().max()) > 0
    assert codec.synthesis[0].weight.grad is None


def test_state_dict_carries_all_that_decodes() -> None:
    other = make_codec(frozen=False)
    other.load_state_dict(CODEC.state_dict(), strict=True)
    picture = make_picture(33, 47)
    coded = CODEC.compress(picture, SideInputs())
    assert other.compress(picture, SideInputs()).segments == coded.segments
    assert (other.decompress(coded.segments, height=33, width=47) == coded.reconstruction).all()


def test_wrong_segments_and_sizes_are_refused() -> None:
    coded = CODEC.compress(make_picture(100, 100), SideInputs())
    for tags in ((), (1,), (2,), (1, 2, 3)):
        with pytest.raises(CorruptBitstream, match="segments"):
            CODEC.decompress({tag: coded.segments.get(tag, b"") for tag in tags}, height=100, width=100)
    for height, width in ((1, 1), (100, 200), (300, 100)):
        with pytest.raises(BitstreamError):
            CODEC.decompress(coded.segments, height=height, width=width)


@pytest.mark.parametrize("name", ["tiny_charm", "small_charm", "paper_charm"])
def test_presets_build(name: str) -> None:
    config = load(MtlSciConfig, name, presets=presets_folder(find_codec("mtl_sci")))
    with torch.device("meta"):
        codec = build(config)
    assert isinstance(codec, MtlSciCharm)
    if name == "paper_charm":
        assert sum(p.numel() for p in codec.parameters()) == pytest.approx(117.5e6, rel=1e-3)


def test_unknown_base_is_refused() -> None:
    with pytest.raises(ConfigError, match="base"):
        load(MtlSciConfig, "tiny", presets=presets_folder(find_codec("mtl_sci")), overrides=["base=cheng"])


def test_float_synthesis_keeps_the_latent_exact_and_shows_the_same_picture() -> None:
    codec = make_codec(
        MtlSciConfig(**SHAPE, slice_widths=(10, 8), synthesis="float")  # type: ignore[arg-type]
    )
    assert CODEC.exact_pixels
    assert not codec.exact_pixels
    picture = make_picture(130, 70)
    coded, exact = codec.compress(picture, SideInputs()), CODEC.compress(picture, SideInputs())
    assert {tag: coded.segments[tag] for tag in exact.segments} == exact.segments
    assert np.abs(coded.reconstruction.astype(int) - exact.reconstruction).max() <= 1
    assert (codec.decompress(coded.segments, height=130, width=70) == coded.reconstruction).all()
    with pytest.raises(ReconstructionMismatch, match="latent"):
        codec.decompress(coded.segments | {SEGMENT_CRC: b"\0\0\0\0"}, height=130, width=70)
    with pytest.raises(CorruptBitstream, match="segments"):
        codec.decompress(exact.segments, height=130, width=70)
