"""MTL-SCI: exact decoding, the head that costs nothing, sizes, rates and gradients."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.base.config import load
from pipeline.base.errors import CheckpointError, CorruptBitstream, ReconstructionMismatch, TrainingError
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.mtl_sci.codec import MtlSci
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.codecs.mtl_sci.latent import SEGMENT_CRC, SEGMENT_Y, SEGMENT_Z
from pipeline.codecs.table import find_codec, presets_folder
from tests.test_coding import make_picture

CONFIG = MtlSciConfig(num_channels=8, num_latents=12, num_head_channels=4)


def make_codec(config: MtlSciConfig = CONFIG, *, frozen: bool = True) -> MtlSci:
    """Fresh weights, but latents that vary, and scales that suit them roughly."""
    torch.manual_seed(5)
    codec = MtlSci(config)
    with torch.no_grad():
        codec.hyper_analysis[-1].weight.mul_(6.0)
        codec.hyper_synthesis[-1].weight.mul_(4.0)
        codec.hyper_synthesis[-1].bias.fill_(2.0)
    if frozen:
        codec.freeze()
    return codec.eval()


CODEC = make_codec()


pytestmark = pytest.mark.usefixtures("one_thread")


def as_input(picture: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1), (17, 33), (64, 64), (100, 90), (16, 65)])
def test_decodes_any_size_to_what_the_encoder_promised(size: tuple[int, int]) -> None:
    picture = make_picture(*size)
    coded = CODEC.compress(picture, SideInputs())
    assert coded.reconstruction.shape == picture.shape
    assert set(coded.segments) == {SEGMENT_Y, SEGMENT_Z}
    decoded = CODEC.decompress(coded.segments, height=size[0], width=size[1])
    assert (decoded == coded.reconstruction).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (17, 33), (64, 64), (100, 90)])
def test_forward_gives_the_pictures_size_and_the_latents_shapes(size: tuple[int, int]) -> None:
    output = CODEC(torch.rand(2, 3, *size))
    h, w = math.ceil(size[0] / 16), math.ceil(size[1] / 16)
    assert output.reconstruction.shape == (2, 3, *size)
    assert output.label_logits is not None
    assert output.label_logits.shape == (2, 1, *size)
    assert output.likelihoods["y"].shape == (2, 12, h, w)
    assert output.likelihoods["z"].shape == (2, 8, math.ceil(h / 4), math.ceil(w / 4))


@pytest.mark.parametrize("size", [(256, 256), (100, 333)])
def test_bytes_are_those_that_the_likelihoods_announce(size: tuple[int, int]) -> None:
    picture = make_picture(*size)
    with torch.no_grad():
        likelihoods = CODEC(as_input(picture)).likelihoods
    coded = CODEC.compress(picture, SideInputs())
    for tag, name in ((SEGMENT_Y, "y"), (SEGMENT_Z, "z")):
        announced = float(-likelihoods[name].double().log2().sum()) / 8
        assert abs(len(coded.segments[tag]) - announced) <= 0.02 * announced + 8, name


def test_integer_decoder_agrees_with_the_trained_network() -> None:
    picture = make_picture(150, 170)
    with torch.no_grad():
        expected = CODEC(as_input(picture)).reconstruction[0].permute(1, 2, 0).clamp(0, 1).numpy() * 255
    decoded = CODEC.compress(picture, SideInputs()).reconstruction
    assert np.abs(decoded - expected).max() < 0.51  # 0.5 is the rounding to 8 bits


def test_segmentation_head_changes_neither_bytes_nor_pixels() -> None:
    picture = make_picture(90, 120)
    with_head = CODEC.compress(picture, SideInputs())
    bare = MtlSci(MtlSciConfig(num_channels=8, num_latents=12, segmentation_head=False)).eval()
    assert bare.head is None
    weights = {name: value for name, value in CODEC.state_dict().items() if not name.startswith("head.")}
    bare.load_state_dict(weights, strict=True)
    without = bare.compress(picture, SideInputs())
    assert without.segments == with_head.segments
    assert (without.reconstruction == with_head.reconstruction).all()
    assert bare(as_input(picture)).label_logits is None
    with pytest.raises(CheckpointError, match="no segmentation head"):
        bare.label_probability(picture)


def test_same_seed_gives_the_same_codec_with_and_without_head() -> None:
    torch.manual_seed(3)
    with_head = MtlSci(CONFIG).state_dict()
    torch.manual_seed(3)
    bare = MtlSci(MtlSciConfig(num_channels=8, num_latents=12, segmentation_head=False)).state_dict()
    assert bare
    assert all(torch.equal(with_head[name], value) for name, value in bare.items())


def test_side_inputs_change_nothing() -> None:
    picture = make_picture(40, 40)
    side = SideInputs(label=np.ones((40, 40), dtype=np.uint8), regions=np.ones((40, 40), dtype=np.uint16))
    assert CODEC.compress(picture, side).segments == CODEC.compress(picture, SideInputs()).segments


def test_label_probability_is_the_heads_answer_on_the_coded_latent() -> None:
    picture = make_picture(70, 90)
    probability = CODEC.label_probability(picture)
    with torch.no_grad():
        logits = CODEC(as_input(picture)).label_logits
    assert logits is not None
    assert probability.shape == (70, 90)
    np.testing.assert_allclose(probability, torch.sigmoid(logits)[0, 0].numpy(), atol=1e-5)


def test_segmentation_loss_reaches_the_encoder_through_the_quantiser() -> None:
    codec = make_codec(frozen=False).train()
    output = codec(torch.rand(2, 3, 64, 64))
    assert output.label_logits is not None
    nn.functional.binary_cross_entropy_with_logits(output.label_logits, torch.ones_like(output.label_logits)).backward()
    gradient = codec.analysis[0].weight.grad
    assert gradient is not None
    assert float(gradient.abs().max()) > 0
    assert codec.synthesis[0].weight.grad is None


def test_every_parameter_is_trained_by_one_loss() -> None:
    codec = make_codec(frozen=False).train()
    output = codec(torch.rand(1, 3, 64, 64))
    bits = sum(-likelihood.log2().sum() for likelihood in output.likelihoods.values())
    assert output.label_logits is not None
    (bits + output.reconstruction.square().sum() + output.label_logits.sum()).backward()
    untrained = {name for name, parameter in codec.named_parameters() if parameter.grad is None}
    assert untrained == {"z_prior.quantiles"}
    codec.zero_grad()
    codec.aux_loss().backward()
    trained = [parameter for parameter in codec.parameters() if parameter.grad is not None]
    assert [id(parameter) for parameter in trained] == [id(parameter) for parameter in codec.aux_parameters()]


def test_start_already_reconstructs() -> None:
    # The wavelet start: without it, fresh weights give one grey for everything.
    torch.manual_seed(0)
    rows, columns = np.mgrid[0:128, 0:128]
    picture = as_input(np.stack([rows, columns, 255 - rows - columns // 2], axis=2).astype(np.uint8))
    codec = MtlSci(MtlSciConfig(num_channels=32, num_latents=48)).eval()
    with torch.no_grad():
        error = float((codec(picture).reconstruction - picture).square().mean())
    assert error < 0.1 * float(picture.var())


# --- exactness -----------------------------------------------------------------------------------------------------


def test_threads_and_library_change_nothing() -> None:
    picture = make_picture(200, 180)
    coded = CODEC.compress(picture, SideInputs())
    for num_threads, onednn in ((2, True), (1, False), (2, False)):
        torch.set_num_threads(num_threads)
        # The public context manager sets flags of other devices too, and warns about them.
        torch._C._set_mkldnn_enabled(onednn)
        try:
            decoded = CODEC.decompress(coded.segments, height=200, width=180)
        finally:
            torch._C._set_mkldnn_enabled(True)
        assert (decoded == coded.reconstruction).all()


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 12])
def test_strips_change_nothing(rows: int) -> None:
    generator = torch.Generator().manual_seed(2)
    symbols = torch.randint(-9, 10, (12, 13, 5), generator=generator)
    whole = CODEC.frozen.reconstruct(symbols, 13 * 16, 5 * 16, rows=13)
    assert whole.std() > 0
    assert (CODEC.frozen.reconstruct(symbols, 13 * 16, 5 * 16, rows=rows) == whole).all()


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_strips_of_the_encoder_agree(rows: int) -> None:
    picture = make_picture(13 * 16 - 3, 90)
    with torch.no_grad():
        whole, strips = CODEC._latent(picture, rows=13), CODEC._latent(picture, rows=rows)
    torch.testing.assert_close(strips, whole, atol=1e-4, rtol=1e-5)


def test_diverged_weights_cannot_be_frozen() -> None:
    codec = make_codec(frozen=False)
    with torch.no_grad():
        codec.synthesis[0].weight[0, 0, 0, 0] = math.nan
    with pytest.raises(TrainingError, match="diverged"):
        codec.freeze()


# --- states and streams ----------------------------------------------------------------------------------------------


def test_state_dict_has_one_shape_before_and_after_freezing() -> None:
    fresh = make_codec(frozen=False)
    shapes = {name: value.shape for name, value in fresh.state_dict().items()}
    assert {name: value.shape for name, value in CODEC.state_dict().items()} == shapes
    fresh.load_state_dict(CODEC.state_dict(), strict=True)
    picture = make_picture(33, 47)
    assert fresh.compress(picture, SideInputs()).segments == CODEC.compress(picture, SideInputs()).segments
    fresh.load_state_dict(make_codec(frozen=False).state_dict(), strict=True)
    with pytest.raises(CheckpointError, match="frozen"):
        fresh.compress(picture, SideInputs())


def test_freezing_again_follows_the_weights() -> None:
    codec = make_codec()
    before = codec.frozen.convs[3].bias.clone()
    with torch.no_grad():
        codec.synthesis[6].bias.add_(0.1)
    assert torch.equal(codec.frozen.convs[3].bias, before)
    codec.freeze()
    assert not torch.equal(codec.frozen.convs[3].bias, before)


@pytest.mark.parametrize("tags", [(), (1,), (2,), (1, 2, 3)])
def test_wrong_set_of_segments_is_refused(tags: tuple[int, ...]) -> None:
    coded = CODEC.compress(make_picture(20, 20), SideInputs())
    segments = {tag: coded.segments.get(tag, b"") for tag in tags}
    with pytest.raises(CorruptBitstream, match="segments"):
        CODEC.decompress(segments, height=20, width=20)


def test_segments_of_another_size_are_refused() -> None:
    coded = CODEC.compress(make_picture(100, 100), SideInputs())
    for height, width in ((1, 1), (100, 200), (300, 100)):
        with pytest.raises(CorruptBitstream.__base__):  # type: ignore[arg-type]
            CODEC.decompress(coded.segments, height=height, width=width)


@pytest.mark.parametrize("name", ["tiny", "small", "paper"])
def test_presets_build(name: str) -> None:
    spec = find_codec("mtl_sci")
    config = load(MtlSciConfig, name, presets=presets_folder(spec))
    with torch.device("meta"):
        codec_parameters = sum(parameter.numel() for parameter in MtlSci(config).synthesis.parameters())
    assert codec_parameters > 0
    assert Path(presets_folder(spec) / f"{name}.toml").read_text().startswith("#")


@pytest.mark.parametrize("field", ["num_channels", "num_latents", "num_head_channels"])
def test_config_refuses_impossible_widths(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        MtlSciConfig(**{field: 0})


def test_float_synthesis_keeps_the_latent_exact_and_shows_the_same_picture() -> None:
    codec = make_codec(MtlSciConfig(num_channels=8, num_latents=12, num_head_channels=4, synthesis="float"))
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
