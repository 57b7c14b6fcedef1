"""Several rates from one set of weights: gains, the segment that names a rate, exactness, training, commands."""

import itertools
import json
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.base.config import load
from pipeline.base.errors import BitstreamError, ConfigError, CorruptBitstream, TrainingError, TruncatedBitstream
from pipeline.base.store import Store
from pipeline.codecs import checkpoint, gains
from pipeline.codecs.gains import FrozenGains, GainUnits, multiply_exactly, rate_number, rate_segment, read_rate
from pipeline.codecs.interface import AbstractCodec, SideInputs, VariableRate
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.codecs.mtl_sci.latent import SEGMENT_CRC, SEGMENT_RATE, SEGMENT_Y, SEGMENT_Z
from pipeline.codecs.table import find_codec, presets_folder
from tests import test_mtl_sci, test_mtl_sci_charm
from tests.test_coding import make_picture

LAMBDAS = (0.005, 0.01, 0.02)
ALTERED = 0.3


def make_codec(base: str = "hyperprior", **changes: Any) -> AbstractCodec:
    """One of the fixed-rate tests' codecs with three rates, whose gains differ from channel to channel."""
    module: Any = test_mtl_sci if base == "hyperprior" else test_mtl_sci_charm
    codec = module.make_codec(replace(module.CONFIG, num_rates=3, **changes), frozen=False)
    codec.start_rates(LAMBDAS)
    with torch.no_grad():
        for table in (codec.gains.y, codec.gains.y_inverse, codec.gains.z, codec.gains.z_inverse):
            table.add_(ALTERED * torch.rand(table.shape))
    codec.freeze()
    return codec.eval()  # type: ignore[no-any-return]


CODECS = {base: make_codec(base) for base in ("hyperprior", "charm")}
RATES = (0.0, 0.5, 1.0, 1.7, 2.0)


pytestmark = pytest.mark.usefixtures("one_thread")


def num_bytes(segments: dict[int, bytes]) -> int:
    return sum(map(len, segments.values()))


# --- gains -----------------------------------------------------------------------------------------------------------


def test_a_frozen_gain_is_the_trained_one_at_every_rate() -> None:
    torch.manual_seed(1)
    trained, frozen = (kind(4, num_latents=5, num_hyper=3) for kind in (GainUnits, FrozenGains))
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.copy_(4 * torch.randn(parameter.shape))
    frozen.store(trained)
    for number in (0, 1, 255, 256, 257, 400, 767, 768):
        wanted, found = trained(torch.tensor([number / 256])), frozen.at(number)
        for name in ("y", "y_inverse", "z", "z_inverse"):
            torch.testing.assert_close(getattr(found, name), getattr(wanted, name)[0].double(), rtol=3e-4, atol=0)


def test_between_two_levels_lies_their_weighted_geometric_mean() -> None:
    units = GainUnits(2, num_latents=1, num_hyper=1)
    with torch.no_grad():
        units.y.copy_(torch.tensor([[1.0], [3.0]]))
    between = units(torch.tensor([0.0, 0.25, 1.0])).y
    assert between.flatten().tolist() == pytest.approx([2.0, 2.0**0.75 * 8.0**0.25, 8.0])


def test_frozen_gains_are_integers_of_few_bits_whose_products_are_exact() -> None:
    codec: Any = CODECS["hyperprior"]
    for number in range(0, 513, 37):
        factors = codec.frozen.gains_at(number).y_inverse.flatten().tolist()
        assert all((factor * 2.0**24).is_integer() for factor in factors)
        assert all(int(factor * 2**24).bit_length() - _trailing_zeros(int(factor * 2**24)) <= 17 for factor in factors)
    gain = torch.full((1, 1, 1), 131071 * 2.0**-9, dtype=torch.float64)
    symbols = torch.tensor([[[(1 << 15) - 1, -3, 0]]])
    exact = [round(symbol * 131071 / 512) for symbol in symbols.flatten().tolist()]
    assert multiply_exactly(symbols, gain).flatten().tolist() == exact
    assert multiply_exactly(symbols, gain, bits=10).flatten().tolist() == [2.0**26, -786426.0, 0.0]
    assert multiply_exactly(symbols, None, bits=10) is symbols


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


def test_gains_that_are_not_finite_cannot_be_frozen() -> None:
    trained, frozen = (kind(2, num_latents=1, num_hyper=1) for kind in (GainUnits, FrozenGains))
    with torch.no_grad():
        trained.z.fill_(float("nan"))
    with pytest.raises(TrainingError, match="diverged"):
        frozen.store(trained)


# --- bytes and pixels ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", CODECS)
def test_a_higher_rate_takes_more_bytes(base: str) -> None:
    codec, picture = CODECS[base], make_picture(150, 200)
    coded = [codec.compress(picture, SideInputs(rate=rate)) for rate in RATES]
    assert all(num_bytes(low.segments) < num_bytes(high.segments) for low, high in itertools.pairwise(coded))


def test_a_higher_rate_shows_the_picture_better() -> None:
    """The wavelet start is a codec that shows pictures, coarse ones, and better ones with smaller steps."""
    torch.manual_seed(0)
    codec: Any = checkpoint.build_codec("mtl_sci", MtlSciConfig(num_channels=32, num_latents=48, num_rates=3))
    codec.start_rates((0.0001, 0.001, 0.01))
    codec.freeze()
    picture = make_picture(96, 128)
    coded = [codec.eval().compress(picture, SideInputs(rate=rate)) for rate in RATES]
    errors = [float(np.square(each.reconstruction.astype(float) - picture).mean()) for each in coded]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.7 * errors[0]
    sizes = [num_bytes(each.segments) for each in coded]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("base", CODECS)
@pytest.mark.parametrize("size", [(1, 1), (17, 33), (100, 90)])
@pytest.mark.parametrize("rate", [None, *RATES])
def test_decodes_to_what_the_encoder_promised(base: str, size: tuple[int, int], rate: float | None) -> None:
    codec, picture = CODECS[base], make_picture(*size)
    coded = codec.compress(picture, SideInputs(rate=rate))
    assert set(coded.segments) == {SEGMENT_Y, SEGMENT_Z, SEGMENT_RATE}
    assert int.from_bytes(coded.segments[SEGMENT_RATE], "little") == round(256 * (1 if rate is None else rate))
    decoded = codec.decompress(coded.segments, height=size[0], width=size[1])
    assert (decoded == coded.reconstruction).all()


@pytest.mark.parametrize("base", CODECS)
@pytest.mark.parametrize("rate", [0.0, 1.25, 2.0])
def test_likelihoods_announce_the_bytes_and_forward_shows_the_pixels(base: str, rate: float) -> None:
    codec, picture = CODECS[base], make_picture(250, 330)
    with torch.no_grad():
        output = codec(test_mtl_sci.as_input(picture), None, None, torch.tensor([rate]))
    coded = codec.compress(picture, SideInputs(rate=rate))
    for tag, name in ((SEGMENT_Y, "y"), (SEGMENT_Z, "z")):
        announced = float(-output.likelihoods[name].double().log2().sum()) / 8
        assert abs(len(coded.segments[tag]) - announced) <= 0.02 * announced + 12, name
    expected = output.reconstruction[0].permute(1, 2, 0).clamp(0, 1).numpy() * 255
    assert np.mean(np.abs(coded.reconstruction - expected) < 0.55) > 0.97


@pytest.mark.parametrize("base", CODECS)
def test_threads_change_nothing(base: str) -> None:
    codec, picture = CODECS[base], make_picture(200, 180)
    coded = codec.compress(picture, SideInputs(rate=0.4))
    torch.set_num_threads(2)
    assert (codec.decompress(coded.segments, height=200, width=180) == coded.reconstruction).all()


@pytest.mark.parametrize("base", CODECS)
def test_another_process_decodes_the_same_pixels(base: str, tmp_path: Path) -> None:
    checkpoint.save(Store(tmp_path), "mtl_sci", CODECS[base], provenance={})
    CODECS[base].eval()
    loaded = checkpoint.load(tmp_path)
    assert loaded.codec.num_rates == 3
    coded = loaded.codec.compress(make_picture(70, 90), SideInputs(rate=1.7))
    (tmp_path / "segments").write_text(json.dumps({tag: data.hex() for tag, data in coded.segments.items()}))
    script = (
        "import json, sys, zlib\n"
        "from pipeline.codecs import checkpoint\n"
        "codec = checkpoint.load(sys.argv[1]).codec\n"
        "table = json.load(open(sys.argv[1] + '/segments'))\n"
        "segments = {int(tag): bytes.fromhex(data) for tag, data in table.items()}\n"
        "print(zlib.crc32(codec.decompress(segments, height=70, width=90).data))"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(run.stdout) == zlib.crc32(coded.reconstruction.data)


@pytest.mark.parametrize("base", CODECS)
def test_float_synthesis_checks_the_dequantised_latent(base: str) -> None:
    codec, picture = make_codec(base, synthesis="float"), make_picture(60, 70)
    coded = codec.compress(picture, SideInputs(rate=0.6))
    exact = CODECS[base].compress(picture, SideInputs(rate=0.6))
    assert {tag: coded.segments[tag] for tag in exact.segments} == exact.segments
    assert np.abs(coded.reconstruction.astype(int) - exact.reconstruction).max() <= 1
    assert (codec.decompress(coded.segments, height=60, width=70) == coded.reconstruction).all()
    # Another rate's dequantised latent is another one, and is noticed.
    with pytest.raises(BitstreamError):
        codec.decompress(coded.segments | {SEGMENT_RATE: rate_segment(512)}, height=60, width=70)
    assert SEGMENT_CRC in coded.segments


@pytest.mark.parametrize("base", CODECS)
def test_one_rate_is_coded_as_before_and_has_no_gains(base: str) -> None:
    module: Any = test_mtl_sci if base == "hyperprior" else test_mtl_sci_charm
    fixed = module.CODEC
    assert not [name for name in fixed.state_dict() if "gain" in name]
    assert fixed.num_rates == 1
    # Gains of 1 at all rates are the codec without them, but for the segment.
    level = module.make_codec(replace(module.CONFIG, num_rates=2))
    picture = make_picture(90, 70)
    coded, expected = level.compress(picture, SideInputs(rate=0.5)), fixed.compress(picture, SideInputs())
    assert {tag: data for tag, data in coded.segments.items() if tag != SEGMENT_RATE} == expected.segments
    assert (coded.reconstruction == expected.reconstruction).all()


def test_label_probability_does_not_depend_on_a_rate() -> None:
    for codec in CODECS.values():
        probability = codec.label_probability(make_picture(40, 50))  # type: ignore[operator]
        assert probability.shape == (40, 50)
        assert ((probability >= 0) & (probability <= 1)).all()


# --- the segment -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", CODECS)
def test_a_made_up_rate_is_refused(base: str) -> None:
    codec = CODECS[base]
    segments = codec.compress(make_picture(40, 40), SideInputs(rate=1)).segments
    for payload in (b"", b"\0"):
        with pytest.raises(TruncatedBitstream, match="rate"):
            codec.decompress(segments | {SEGMENT_RATE: payload}, height=40, width=40)
    for payload in (b"\0\0\0", (513).to_bytes(2, "little"), b"\xff\xff", b"\1" * 1000):
        with pytest.raises(CorruptBitstream, match=r"rate .{2,12}: these weights have 3 levels"):
            codec.decompress(segments | {SEGMENT_RATE: payload}, height=40, width=40)
    without = {tag: data for tag, data in segments.items() if tag != SEGMENT_RATE}
    with pytest.raises(CorruptBitstream, match="segments"):
        codec.decompress(without, height=40, width=40)
    fixed = test_mtl_sci.CODEC if base == "hyperprior" else test_mtl_sci_charm.CODEC
    with pytest.raises(CorruptBitstream, match="segments"):
        fixed.decompress(segments, height=40, width=40)


def test_rates_are_named_in_steps_and_refused_outside() -> None:
    assert [rate_number(rate, 6) for rate in (None, 0, 0.001, 2.5, 5)] == [768, 0, 0, 640, 1280]
    assert [gains.default_rate(number) for number in (1, 2, 3, 6)] == [0, 1, 1, 3]
    for rate in (-0.1, 5.01, float("nan")):
        with pytest.raises(ValueError, match=r"rate must be 0\.\.5"):
            rate_number(rate, 6)
    assert all(read_rate(rate_segment(number), 64) == number for number in (0, 1, 255, 256, 63 * 256))


# --- configs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["variable", "variable_tiny"])
def test_presets_build(name: str) -> None:
    config = load(MtlSciConfig, name, presets=presets_folder(find_codec("mtl_sci")))
    with torch.device("meta"):
        codec = checkpoint.build_codec("mtl_sci", config)
    assert isinstance(codec, VariableRate)
    assert codec.num_rates == config.num_rates > 1


@pytest.mark.parametrize("number", ["0", "65"])
def test_an_impossible_number_of_rates_is_one_line(number: str) -> None:
    with pytest.raises(ConfigError, match=r"num_rates must be 1\.\.64") as caught:
        load(MtlSciConfig, "tiny", presets=presets_folder(find_codec("mtl_sci")), overrides=[f"num_rates={number}"])
    assert "\n" not in str(caught.value)
