"""SEEC's distributions: proper integers, inverted exactly, near the law of training; what training announces."""

import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.base.errors import CheckpointError
from pipeline.base.store import Store
from pipeline.codecs import checkpoint
from pipeline.codecs.coding import compress_picture
from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.seec import logistic
from pipeline.codecs.seec.codec import SEGMENT_CLASSES, SEGMENT_PIXELS, SEGMENT_Y, SEGMENT_Z
from pipeline.codecs.seec.frozen_pixels import MAX_OUTPUT, OUTPUT_FRACTION, LogisticTables
from pipeline.codecs.seec.logistic import cumulative, level_at, mean_level, set_choice, set_mixture
from pipeline.codecs.seec.mixture import MAX_MEAN, MIN_MEAN, Layout, copy_bits, mixture_bits
from pipeline.codecs.seec.neighbours import NUM_SOURCES
from pipeline.codecs.threads import torch_threads
from tests.tiny_seec import (
    CONFIGS,
    as_input,
    bits_of,
    drawn,
    fresh_codec,
    frozen_codec,
    half_drawn,
    noise,
    size_of,
    trained_codec,
)

Int64s = NDArray[np.int64]

ONE = 1 << OUTPUT_FRACTION
LARGEST = int(MAX_OUTPUT)
LEVELS = st.integers(0, 255)
PRESETS = ("patch", "screen", "both")
OUTPUTS = st.one_of(
    st.integers(-LARGEST, LARGEST), st.integers(-40 * ONE, 40 * ONE), st.sampled_from([-LARGEST, -ONE, 0, 1, LARGEST])
)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    # Layers as small as these take many times as long on threads that wait for each other on a busy machine.
    with torch_threads(1):
        yield


@functools.cache
def tables() -> tuple[Int64s, Int64s]:
    stored = LogisticTables()
    stored.store()
    return stored.load()


def _distribution(tables: Any, outputs: Any, layout: Any, coded: Any, out: Any) -> None:
    """Write each channel's cumulative values and mean level, and count the intervals' ends that are not found again."""
    mixtures, cumulatives, means, wrong = out
    for channel in range(3):
        set_mixture(tables, outputs, layout, channel, coded, mixtures[channel])
        means[channel] = mean_level(mixtures[channel])
        for level in range(257):
            cumulatives[channel, level] = cumulative(tables[0], mixtures[channel], level)
        for level in range(256):
            for slot in (cumulatives[channel, level], cumulatives[channel, level + 1] - 1):
                if level_at(tables[0], mixtures[channel], slot) != level:
                    wrong[0] += 1


def distribution(outputs: NDArray[np.int32], layout: Layout, base: list[int], colour: list[int]) -> tuple[Any, ...]:
    """Return mixtures (3, 3, K), cumulatives (3, 257), mean levels (3,), and the number of slots wrongly inverted."""
    k = layout.num_mixtures
    out = (np.zeros((3, 3, k), np.int64), np.zeros((3, 257), np.int64), np.zeros(3, np.int64), np.zeros(1, np.int64))
    coded = np.array([base, colour], dtype=np.int64)
    compile_kernel(_distribution)(tables(), outputs, (layout.num_copies, k, int(layout.multichannel)), coded, out)
    return out


@st.composite
def heads(draw: st.DrawFn) -> tuple[NDArray[np.int32], Layout, list[int], list[int]]:
    layout = Layout(
        num_mixtures=draw(st.sampled_from([1, 2, 5])),
        multichannel=draw(st.booleans()),
        num_copies=draw(st.sampled_from([0, 15])),
    )
    outputs = draw(st.lists(OUTPUTS, min_size=layout.num_outputs, max_size=layout.num_outputs))
    colours = [draw(st.lists(LEVELS, min_size=3, max_size=3)) for _ in range(2)]
    return np.array(outputs, dtype=np.int32), layout, colours[0], colours[1]


# --- levels ---------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(heads())
def test_any_outputs_give_a_distribution_that_rises_with_every_level_and_is_inverted(case: tuple[Any, ...]) -> None:
    mixtures, cumulatives, means, wrong = distribution(*case)
    assert (cumulatives[:, 0] == 0).all()
    assert (cumulatives[:, 256] == 65536).all()
    assert (np.diff(cumulatives, axis=1) >= 1).all()
    assert wrong == 0
    assert ((means >= 0) & (means <= 255)).all()
    assert (mixtures[:, 2] >= 0).all()
    assert (mixtures[:, 2].sum(axis=1) == 65536).all()
    assert mixtures[:, 0].min() >= MIN_MEAN * ONE
    assert mixtures[:, 0].max() <= MAX_MEAN * ONE


@pytest.mark.parametrize("scale", [-LARGEST, 0, LARGEST])
@pytest.mark.parametrize("mean", [-LARGEST, -1, 0, 128 * ONE, 255 * ONE + 128, LARGEST])
def test_extremes_of_means_and_scales(mean: int, scale: int) -> None:
    layout = Layout(num_mixtures=2)
    outputs = np.zeros(layout.num_outputs, dtype=np.int32)
    outputs[:6], outputs[6:12] = mean, scale
    outputs[18::2] = LARGEST  # one component has everything
    _, cumulatives, _, wrong = distribution(outputs, layout, [0, 0, 0], [0, 0, 0])
    assert (np.diff(cumulatives, axis=1) >= 1).all()
    assert wrong == 0
    if scale == LARGEST:  # an inverse scale: all but the floor is at one level or two
        assert np.diff(cumulatives, axis=1).max() > 65536 * 0.49


def test_a_channel_depends_on_earlier_ones_alone() -> None:
    layout = Layout(num_mixtures=2)
    rng = np.random.default_rng(0)
    outputs = rng.integers(-4 * ONE, 4 * ONE, layout.num_outputs).astype(np.int32)
    whole = distribution(outputs, layout, [90, 80, 70], [100, 120, 140])[1]
    for channel in range(3):
        colour = [100, 120, 140]
        colour[channel] = 200
        other = distribution(outputs, layout, [90, 80, 70], colour)[1]
        assert np.array_equal(whole[: channel + 1], other[: channel + 1])
        assert all((whole[later] != other[later]).any() for later in range(channel + 1, 3))


def test_the_interpreter_computes_what_the_compiler_made() -> None:
    layout = Layout(num_mixtures=3)
    outputs = np.random.default_rng(1).integers(-9 * ONE, 9 * ONE, layout.num_outputs)
    _, cumulatives, means, _ = distribution(outputs.astype(np.int32), layout, [9, 8, 7], [30, 20, 10])
    coded = np.array([[9, 8, 7], [30, 20, 10]])
    mixture = np.zeros((3, 3), dtype=np.int64)
    for channel in range(3):
        set_mixture(tables(), outputs, (0, 3, 1), channel, coded, mixture)
        assert mean_level(mixture) == means[channel]
        levels = range(0, 257, 5)
        assert [cumulative(tables()[0], mixture, level) for level in levels] == cumulatives[channel, ::5][:52].tolist()


def test_functions_are_near_their_names() -> None:
    sigmoid, power = tables()
    for x in (-20.0, -3.7, -0.01, 0.0, 0.5, 2.0, 15.9, 40.0):
        assert abs(logistic.logistic(sigmoid, round(x * 65536)) - 65536 / (1 + math.exp(-x))) <= 2
        coefficient = round(x * ONE)
        assert abs(logistic.half_open_tanh(sigmoid, coefficient) - 65536 * math.tanh(coefficient / ONE)) <= 4
    for exponent in (-3000, -700, -256, -1, 0, 1, 300, 1024):
        assert logistic.power_of_2(power, exponent, 16) == pytest.approx(2.0 ** (16 + exponent / ONE), rel=1e-4, abs=1)


@pytest.mark.parametrize(("name", "value"), [("sigmoid", 0), ("sigmoid", 70000), ("power", 0), ("power", 200000)])
def test_tables_that_would_not_rise_are_refused(name: str, value: int) -> None:
    stored = LogisticTables()
    with pytest.raises(CheckpointError):
        stored.load()
    stored.store()
    getattr(stored, name)[100] = value
    with pytest.raises(CheckpointError):
        stored.load()


def as_parameters(outputs: NDArray[np.int32], layout: Layout) -> torch.Tensor:
    """Return a head's outputs in the units of training: levels, and natural logarithms of scales and weights."""
    k = layout.num_mixtures
    units = np.full(layout.num_outputs, math.log(2.0) / ONE)
    first = layout.num_copies
    units[first : first + 3 * k] = 1 / ONE
    units[first + 3 * k : first + 6 * k] *= -1
    units[first + 6 * k : first + 9 * k] = 1 / ONE
    return torch.from_numpy(outputs * units).float()


@pytest.mark.parametrize("multichannel", [True, False])
def test_integers_cost_what_training_says(multichannel: bool) -> None:
    rng = np.random.default_rng(2)
    layout = Layout(num_mixtures=3, multichannel=multichannel)
    k, count = layout.num_mixtures, 300
    outputs = np.zeros((count, layout.num_outputs), dtype=np.int32)
    outputs[:, : 3 * k] = rng.normal(0, 60 * ONE, (count, 3 * k))
    outputs[:, 3 * k : 6 * k] = rng.uniform(-8 * ONE, 5 * ONE, (count, 3 * k))  # beyond the clamp on either side
    outputs[:, 6 * k :] = rng.normal(0, 2 * ONE, (count, layout.num_outputs - 6 * k))
    base, colours = rng.integers(0, 256, (2, count, 3))
    # Some levels near a mean, whose probability is high, and both ends.
    colours[::2] = (base + outputs[:, [0, k, 2 * k]] // ONE).clip(0, 255)[::2]
    colours[::17], colours[5::17] = 0, 255
    expected = mixture_bits(
        layout.split(as_parameters(outputs, layout)), torch.from_numpy(base).float(), torch.from_numpy(colours).float()
    ).numpy()
    bits = np.zeros(count)
    for pixel in range(count):
        cumulatives = distribution(outputs[pixel], layout, base[pixel].tolist(), colours[pixel].tolist())[1]
        sizes = np.diff(cumulatives, axis=1)[range(3), colours[pixel]]
        bits[pixel] = (16 - np.log2(sizes)).sum()
    # F is off by a unit or two, which shows where an interval has few slots; a mean by some 1/100 level, and scales
    # begin at 1/16.
    assert np.abs(bits - expected).max() < 3.0
    likely = expected < 9  # all three of 2^7 slots or more
    assert likely.sum() > 10
    assert np.abs(bits - expected)[likely].max() < 0.15
    assert abs(bits.sum() / expected.sum() - 1) < 0.003


# --- copies ---------------------------------------------------------------------------------------------------------

SOURCES = st.lists(st.sampled_from([-1, -1, 0, 1, 0xFFFFFF, 0x808080, 77]), min_size=NUM_SOURCES, max_size=NUM_SOURCES)


def _choose(power: Any, outputs: Any, sources: Any, choice: Any) -> Any:
    return set_choice(power, outputs, sources, choice)


def choices(outputs: NDArray[np.int32], sources: NDArray[np.int32]) -> tuple[Int64s, Int64s, Int64s]:
    """Return colours, starts and sizes of all choices, none of the sources last."""
    choice = np.full((3, NUM_SOURCES + 1), -99, dtype=np.int64)
    count = compile_kernel(_choose)(tables()[1], outputs, sources, choice)
    colours, starts, sizes = choice[:, : count + 1]
    return colours, starts, sizes


@settings(max_examples=300, deadline=None)
@given(st.lists(OUTPUTS, min_size=NUM_SOURCES + 1, max_size=NUM_SOURCES + 1), SOURCES)
def test_choices_tile_all_slots_and_every_proposed_colour_has_one(outputs: list[int], sources: list[int]) -> None:
    colours, starts, sizes = choices(np.array(outputs, dtype=np.int32), np.array(sources, dtype=np.int32))
    assert colours.tolist() == [*dict.fromkeys(colour for colour in sources if colour >= 0), -1]
    assert (sizes >= 1).all()
    assert starts[0] == 0
    assert (starts[1:] == (starts + sizes)[:-1]).all()
    assert starts[-1] + sizes[-1] == 65536


def test_choices_cost_what_training_says() -> None:
    rng = np.random.default_rng(3)
    count = 400
    outputs = rng.normal(0, 3 * ONE, (count, NUM_SOURCES + 1)).astype(np.int32)
    sources = rng.choice([-1, 5, 6, 7, 8], (count, NUM_SOURCES)).astype(np.int32)
    sources[0] = -1
    colours = rng.choice([5, 6, 7, 8, 9], count)
    right = torch.from_numpy(sources == colours[:, None])
    logits = torch.from_numpy(outputs * math.log(2.0) / ONE)
    expected, escapes = copy_bits(logits, torch.from_numpy(sources >= 0), right)
    bits = np.zeros(count)
    for pixel in range(count):
        proposed, _, sizes = choices(outputs[pixel], sources[pixel])
        place = int(np.flatnonzero(proposed == (-1 if escapes[pixel] else colours[pixel]))[0])
        bits[pixel] = 16 - np.log2(sizes[place])
    assert bits[0] == expected[0] == 0
    likely = expected.numpy() < 8
    assert likely.sum() > 100
    assert np.abs(bits - expected.numpy())[likely].max() < 0.02
    assert abs(bits.sum() / float(expected.sum()) - 1) < 0.002


def test_gradients_of_the_law_are_finite_at_its_extremes() -> None:
    torch.manual_seed(0)
    layout = Layout(num_mixtures=2, num_copies=NUM_SOURCES + 1)
    outputs = (torch.randn(200, layout.num_outputs) * 200).requires_grad_()
    base, colours = torch.randint(0, 256, (2, 200, 3)).float()
    proposed = torch.rand(200, NUM_SOURCES) < 0.3
    right = proposed & (torch.rand(200, NUM_SOURCES) < 0.3)
    bits, escapes = copy_bits(outputs[:, : layout.num_copies], proposed, right)
    assert 0 < int(escapes.sum()) < 200
    total = bits.sum() + mixture_bits(layout.split(outputs), base, colours).sum()
    assert bool(total.isfinite())
    total.backward()
    assert outputs.grad is not None
    assert bool(outputs.grad.isfinite().all())


# --- what it costs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_the_right_map_costs_least_and_the_codec_finds_one_nearly_as_good(name: str) -> None:
    codec = trained_codec(name)
    picture, label = half_drawn()
    right = size_of(codec, picture, SideInputs(label=label))
    assert right < 0.9 * size_of(codec, picture, SideInputs(label=1 - label))
    for only in (0, 1):
        assert right <= size_of(codec, picture, SideInputs(label=np.full_like(label, only)))
    assert size_of(codec, picture, SideInputs()) <= 1.02 * right


@pytest.mark.parametrize("name", PRESETS)
def test_a_file_has_the_bytes_that_training_announces(name: str, tmp_path: Path) -> None:
    codec = trained_codec(name)
    picture, label = half_drawn()
    with torch.no_grad():
        output = codec(as_input(picture), None, torch.from_numpy(label)[None])
    announced = float(bits_of(output)) / 8
    coded = codec.compress(picture, SideInputs(label=label))
    checkpoint.save(Store(tmp_path), "seec", codec, provenance={})
    whole = len(compress_picture(checkpoint.load(tmp_path), picture, SideInputs(label=label)).data)
    header = whole - sum(map(len, coded.segments.values()))
    assert header < 80
    ends = 24  # of three streams, a state each
    beside = len(coded.segments[SEGMENT_CLASSES]) + header
    assert 0.98 * announced <= whole - beside <= 1.02 * announced + ends
    names = {SEGMENT_PIXELS: "pixels", SEGMENT_Y: "y", SEGMENT_Z: "z", SEGMENT_CLASSES: "classes"}
    for tag, data in coded.segments.items():
        assert coded.details[f"bytes_{names[tag]}"] == len(data)
    by_class = sum(coded.details[f"bytes_class_{each}"] for each in range(2))
    assert by_class == pytest.approx(len(coded.segments[SEGMENT_PIXELS]), abs=9)


# --- training -------------------------------------------------------------------------------------------------------


def test_likelihoods_are_of_every_pixel_and_of_the_latents() -> None:
    for name, names in (("screen", {"x"}), ("patch", {"x", "y", "z"}), ("both", {"x", "y", "z"})):
        pictures = torch.rand(2, 3, 40, 70)
        with torch.no_grad():
            output = frozen_codec(name)(pictures, None, torch.randint(0, 2, (2, 40, 70)))
        assert torch.equal(output.reconstruction, pictures)
        assert set(output.likelihoods) == names
        assert output.likelihoods["x"].shape == (2 * 40 * 70,)
        for likelihood in output.likelihoods.values():
            assert likelihood.dtype == torch.float32
            assert float(likelihood.min()) > 0 and float(likelihood.max()) <= 1


@pytest.mark.parametrize("name", ["patch", "screen", "both", "three classes", "no copies", "one class"])
def test_every_parameter_learns(name: str) -> None:
    codec = fresh_codec(CONFIGS[name]).train()
    picture = np.concatenate([drawn(40, 30), noise(40, 30)], axis=1)
    labels = torch.arange(60).expand(1, 40, 60) // 5 % codec.config.num_classes
    bits = bits_of(codec(as_input(picture), None, labels))
    assert bool(bits.isfinite())
    (bits + codec.aux_loss()).backward()
    for parameter_name, parameter in codec.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.isfinite().all()), parameter_name
    assert {id(one) for one in codec.aux_parameters()} <= {id(one) for one in codec.parameters()}


@pytest.mark.parametrize("name", ["patch", "screen"])
def test_a_class_that_is_not_there_learns_nothing(name: str) -> None:
    codec = fresh_codec(CONFIGS[name]).train()
    bits_of(codec(as_input(drawn(20, 20)), None, torch.ones(1, 20, 20))).backward()
    assert all(parameter.grad is None for parameter in codec.pixels.heads[0].parameters())
    assert all(parameter.grad is not None for parameter in codec.pixels.heads[1].parameters())


@pytest.mark.parametrize("name", ["patch", "screen"])
def test_pixels_without_a_label_take_the_class_that_prices_their_block_least(name: str) -> None:
    codec, (picture, label) = trained_codec(name), half_drawn()

    def bits(labels: NDArray[np.uint8] | None) -> float:
        with torch.no_grad():
            return float(
                bits_of(codec(as_input(picture), None, None if labels is None else torch.from_numpy(labels)[None]))
            )

    right = bits(label)
    unknown = np.full_like(label, 255)
    assert bits(None) == bits(unknown) <= 1.02 * right
    half_known = np.where(label == 1, 255, 1 - label).astype(np.uint8)  # what is labelled is left as it is
    assert bits(half_known) == bits(np.ones_like(label))


@pytest.mark.parametrize("name", ["patch", "both", "one class"])
def test_pictures_of_any_size_and_no_labels_have_a_rate(name: str) -> None:
    for size in ((1, 1), (1, 70), (65, 3)):
        with torch.no_grad():
            assert bool(bits_of(frozen_codec(name)(as_input(noise(*size)))).isfinite())


def test_mixed_precision_keeps_the_rate_in_full_precision() -> None:
    for name in ("patch", "screen"):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = fresh_codec(CONFIGS[name]).train()(as_input(drawn(30, 40)), None, torch.zeros(1, 30, 40))
        assert {likelihood.dtype for likelihood in output.likelihoods.values()} == {torch.float32}
        assert bool(bits_of(output).isfinite())


def test_no_surprise_costs_more_than_a_float_can_tell() -> None:
    codec = fresh_codec(CONFIGS["screen"]).train()
    with torch.no_grad():
        codec.pixels.heads[0].last.bias[NUM_SOURCES] = -200.0  # sure that every pixel is a copy
    picture = noise(30, 30)
    bits = bits_of(codec(as_input(picture), None, torch.zeros(1, 30, 30)))
    assert float(bits.detach()) <= 64 * 900
    bits.backward()
    assert all(bool(p.grad.isfinite().all()) for p in codec.parameters() if p.grad is not None)
