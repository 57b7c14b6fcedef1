"""SEEC's pixels: the order they are coded in, that none sees what comes later, and their networks in integers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.base.errors import TrainingError
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.seec import fields, integer_linear, walk
from pipeline.codecs.seec.codec import Seec
from pipeline.codecs.seec.features import packed, scan
from pipeline.codecs.seec.fields import bands, groups
from pipeline.codecs.seec.integer_linear import HIDDEN_FRACTION, IntegerLinear
from pipeline.codecs.seec.walk import StepEncoder, Walk
from pipeline.codecs.seec.wavefront import REACH, TAPS, num_steps, steps
from pipeline.codecs.threads import torch_threads
from tests.tiny_seec import Pixels, blobs, drawn, frozen_codec, noise

NAMES = ("patch", "screen", "both", "three classes", "no copies")
LARGEST = 8127  # of two digits


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with torch_threads(1):
        yield


@pytest.fixture
def _small_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small pictures have several bands, and several groups of patches."""
    monkeypatch.setattr(fields, "BAND_PIXELS", 64 * 70)
    monkeypatch.setattr(fields, "GROUP", 2)


# --- the schedule ---------------------------------------------------------------------------------------------------


def test_a_patch_takes_190_steps_of_at_most_32_pixels_each_pixel_in_one() -> None:
    seen = np.full((64, 64), -1)
    count = 0
    for count, (rows, columns) in enumerate(steps(64, 64), start=1):
        assert 1 <= len(rows) <= 32
        assert (seen[rows, columns] == -1).all()
        assert (np.diff(rows) > 0).all()
        seen[rows, columns] = count - 1
    rows, columns = np.indices((64, 64))
    assert np.array_equal(seen, 2 * rows + columns)
    assert count == num_steps(64, 64) == 190


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2), (5, 40), (40, 5), (7, 8)])
def test_steps_of_any_size_cover_every_pixel_once(size: tuple[int, int]) -> None:
    seen = np.zeros(size, dtype=int)
    count = 0
    for number, (rows, columns) in enumerate(steps(*size)):
        assert (2 * rows + columns == number).all()
        np.add.at(seen, (rows, columns), 1)
        count += 1
    assert (seen == 1).all()
    assert count == num_steps(*size)


def test_all_taps_are_of_earlier_steps() -> None:
    assert len(TAPS) == len(set(TAPS)) == 22
    assert all(2 * row + column <= -1 for row, column in TAPS)
    assert max(max(-row, abs(column)) for row, column in TAPS) == REACH
    within_reach = {(row, column) for row in range(-REACH, 1) for column in range(-REACH, REACH + 1)}
    assert set(TAPS) == {(row, column) for row, column in within_reach if 2 * row + column <= -1}


@pytest.mark.usefixtures("_small_sets")
@pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1), (64, 64), (65, 63), (130, 70), (200, 150)])
def test_bands_and_groups_cover_every_pixel_once_and_their_patches_are_theirs(size: tuple[int, int]) -> None:
    across = -(-size[1] // 64)
    for sets in (list(groups(*size)), list(bands(*size, copies=True))):
        seen = np.zeros(size, dtype=int)
        next_patch = 0
        for one in sets:
            assert one.first_patch == next_patch
            next_patch += one.num_patches
            places: set[tuple[int, int]] = set()
            for step in one.steps:
                if not len(step.rows):  # every other step of a single column
                    continue
                np.add.at(seen, (step.rows, step.columns), 1)
                patches = step.rows // 64 * across + step.columns // 64
                assert ((one.first_patch <= patches) & (patches < next_patch)).all()
                assert ((one.limits[0] <= step.places[0]) & (step.places[0] < one.limits[1])).all()
                places |= set(zip(*step.places.tolist(), strict=True))
                height, width = one.canvas.colours.shape
                assert step.places[0].min() >= REACH and step.places[0].max() < height
                assert step.places[1].min() >= REACH and step.places[1].max() < width - REACH
            assert places
        assert next_patch == across * -(-size[0] // 64)
        assert (seen == 1).all()


@pytest.mark.usefixtures("_small_sets")
@pytest.mark.parametrize("name", ["patch", "screen", "both"])
def test_several_bands_and_groups_decode(name: str) -> None:
    codec = frozen_codec(name)
    picture = np.concatenate([drawn(130, 70), drawn(70, 70)])  # glyphs come again in other bands
    coded = codec.compress(picture, SideInputs(label=blobs(200, 70, 2)))
    assert np.array_equal(codec.decompress(coded.segments, height=200, width=70), picture)


def test_threads_that_share_a_step_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    codec, picture = frozen_codec("patch"), drawn(130, 130)
    label = blobs(130, 130, 2)
    coded = codec.compress(picture, SideInputs(label=label))
    monkeypatch.setattr(walk, "_PIXELS_A_THREAD", 5)
    with torch_threads(3):
        assert codec.compress(picture, SideInputs(label=label)).segments == coded.segments
        assert np.array_equal(codec.decompress(coded.segments, height=130, width=130), picture)


# --- causality ------------------------------------------------------------------------------------------------------


class Recorder:
    """Codes, and keeps all that distributions are computed from: in the order of coding, by step."""

    def __init__(self, num_classes: int) -> None:
        self._encoder = StepEncoder(num_classes)
        self.colours: list[NDArray[np.int32]] = []
        self.seen: list[tuple[NDArray[Any], ...]] = []

    def step(self, canvas: Any, places: Any, pixels: Any, model: Any) -> None:
        colours, _, base, keys, sources = pixels
        self.colours.append(colours.copy())
        self.seen.append((model[0].copy(), base.copy(), keys.copy(), sources.copy()))
        self._encoder.step(canvas, places, pixels, model)


def record(codec: Seec, colours: NDArray[np.int32], classes: Pixels) -> Recorder:
    num_features = codec.config.num_features

    def features(first: int, count: int) -> NDArray[np.int16]:
        # Of their patches' places alone: what a side codec says is sent ahead, so that it may know all pixels.
        rng = np.random.default_rng(first)
        return rng.integers(-2000, 2000, (count, 64, 64, num_features), dtype=np.int16)

    recorder = Recorder(codec.config.num_classes)
    Walk(
        config=codec.config,
        frozen=codec.frozen_pixels,
        kinds=(2 * classes + 1).astype(np.uint8),
        background_step=0,
        features=features if codec.config.num_channels else None,
    ).run(colours.copy(), recorder)
    return recorder


def order_of(codec: Seec, classes: Pixels) -> list[NDArray[np.int32]]:
    """Return, by step, the places (in raster order) of its pixels."""
    numbered = np.arange(classes.size, dtype=np.int32).reshape(classes.shape)
    return record(codec, numbered, classes).colours


def are_equal(left: tuple[NDArray[Any], ...], right: tuple[NDArray[Any], ...]) -> bool:
    return all(np.array_equal(*pair) for pair in zip(left, right, strict=True))


@pytest.mark.usefixtures("_small_sets")
@pytest.mark.parametrize("name", NAMES)
def test_no_pixel_sees_its_own_step_or_later_ones(name: str) -> None:
    codec = frozen_codec(name)
    picture, classes = packed(drawn(140, 70)), blobs(140, 70, codec.config.num_classes)
    order = order_of(codec, classes)
    before = record(codec, picture, classes)
    rng = np.random.default_rng(0)
    for step in rng.integers(1, len(order), 5):
        changed = picture.copy()
        later = np.concatenate(order[step:])
        changed.reshape(-1)[later] = rng.integers(0, 1 << 24, len(later))
        after = record(codec, changed, classes)
        assert all(map(are_equal, before.seen[: step + 1], after.seen[: step + 1]))
        assert not all(map(are_equal, before.seen, after.seen))


@pytest.mark.parametrize("name", ["patch", "both", "no copies"])
def test_every_tap_is_seen(name: str) -> None:
    codec = frozen_codec(name)
    picture, classes = packed(noise(20, 30)), blobs(20, 30, codec.config.num_classes)
    order = order_of(codec, classes)
    before = record(codec, picture, classes)
    row, column = 9, 12
    (step,) = (number for number, pixels in enumerate(order) if row * 30 + column in pixels)
    at = order[step].tolist().index(row * 30 + column)
    for tap_row, tap_column in TAPS:
        changed = picture.copy()
        changed[row + tap_row, column + tap_column] ^= 0x808080
        outputs = record(codec, changed, classes).seen[step][0]
        assert (outputs[at] != before.seen[step][0][at]).any(), (tap_row, tap_column)


def test_patches_see_nothing_of_each_other_and_no_further_than_the_taps() -> None:
    codec = frozen_codec("patch")
    picture, classes = packed(noise(64, 130)), np.zeros((64, 130), dtype=np.uint8)
    order = np.concatenate(order_of(codec, classes))
    before = np.concatenate([outputs for outputs, *_ in record(codec, picture, classes).seen])
    for row, column in ((30, 63), (30, 64), (10, 20), (61, 129)):
        changed = picture.copy()
        changed[row, column] ^= 0x808080
        outputs = np.concatenate([outputs for outputs, *_ in record(codec, changed, classes).seen])
        moved = order[(outputs != before).any(axis=1)]
        sees = {(row - tap_row) * 130 + column - tap_column for tap_row, tap_column in TAPS}
        within = {at for at in sees if at < 64 * 130 and at % 130 // 64 == column // 64}
        assert set(moved.tolist()) <= within
        assert len(moved) > 0.5 * len(within)


def test_features_of_training_see_no_later_pixel_either() -> None:
    picture, rng = drawn(40, 50), np.random.default_rng(1)
    rows, columns = np.indices((40, 50))
    step_of = (2 * rows + columns).ravel()
    copies = blobs(40, 50, 2) == 0
    before = scan(picture, copies)
    for step in rng.integers(0, step_of.max() + 1, 10):
        changed = picture.reshape(-1, 3).copy()
        changed[step_of >= step] = rng.integers(0, 256, (int((step_of >= step).sum()), 3))
        after = scan(changed.reshape(picture.shape), copies)
        for name in ("dense", "flags", "base", "proposed"):
            assert np.array_equal(getattr(before, name)[step_of <= step], getattr(after, name)[step_of <= step]), name


# --- integers -------------------------------------------------------------------------------------------------------


def make_linear(inputs: int, outputs: int) -> tuple[nn.Linear, IntegerLinear]:
    torch.manual_seed(0)
    layer = nn.Linear(inputs, outputs)
    with torch.no_grad():
        layer.weight.mul_(torch.logspace(-3, 2, outputs)[:, None])  # each output has a scale of its own
        layer.bias.normal_(std=5.0)
    frozen = IntegerLinear(inputs, outputs)
    frozen.store(layer, in_units=torch.full((inputs,), 2.0**-HIDDEN_FRACTION, dtype=torch.float64))
    return layer, frozen


def make_inputs(limit: int, inputs: int = 70) -> NDArray[np.int16]:
    x = np.random.default_rng(0).integers(-limit, limit + 1, (50, inputs), dtype=np.int16)
    x[0], x[1] = limit, -limit
    return x


def test_digits_and_float64_give_what_whole_numbers_give(monkeypatch: pytest.MonkeyPatch) -> None:
    _, frozen = make_linear(70, 33)
    x, skip = make_inputs(LARGEST), make_inputs(LARGEST, 33)
    sums = torch.from_numpy(x).long() @ frozen.weight.long().T + frozen.bias
    expected = (sums.double() * torch.pow(2.0, (HIDDEN_FRACTION - frozen.shift).double()) + 0.5).floor().long().numpy()
    saturated = expected.clip(-LARGEST, LARGEST)
    leaky = np.where(saturated < 0, (saturated * 6554 + 32768) >> 16, saturated)
    assert (expected != saturated).any() and (leaky != saturated).any()
    for fewest, fast in ((0, True), (1 << 60, True), (0, False)):
        monkeypatch.setattr(integer_linear, "_FEW", fewest)
        monkeypatch.setattr(integer_linear, "is_fast_on", lambda _, fast=fast: fast)
        prepared = frozen.prepared()
        assert np.array_equal(prepared.outputs(x, limit=2.0**20), expected.clip(-(2**20), 2**20))
        assert np.array_equal(prepared.hidden(x), saturated)
        assert np.array_equal(prepared.hidden(x, leaky=True), leaky)
        skipped = (leaky + skip).clip(-LARGEST, LARGEST)
        assert np.array_equal(prepared.hidden(x, leaky=True, skip_PO=skip), skipped)


def test_weights_have_two_digits_and_outputs_are_near_the_float_ones() -> None:
    layer, frozen = make_linear(70, 33)
    assert frozen.weight.dtype == torch.int16
    assert int(frozen.weight.abs().max()) <= LARGEST
    x = make_inputs(2000)
    with torch.no_grad():
        expected = layer.double()(torch.from_numpy(x).double() * 2.0**-HIDDEN_FRACTION).numpy()
    error = np.abs(frozen.prepared().outputs(x, limit=2.0**30) * 2.0**-HIDDEN_FRACTION - expected)
    # Half a unit, and weights of 12 bits below the row's largest.
    assert (error <= 2.0 ** -(HIDDEN_FRACTION + 1) + 2e-3 * expected.std(axis=0) + 1e-9).all()


def test_gain_and_offset_are_taken_in() -> None:
    layer, frozen = make_linear(20, 4)
    gain, offset = torch.tensor([1.0, -3.0, 0.5, 100.0]).double(), torch.tensor([0.0, 7.0, -300.0, 1.0]).double()
    units = torch.full((20,), 2.0**-HIDDEN_FRACTION, dtype=torch.float64)
    frozen.store(layer, in_units=units, gain=gain, offset=offset)
    x = make_inputs(3000, 20)
    with torch.no_grad():
        expected = (gain * layer.double()(torch.from_numpy(x) * units) + offset).numpy()
    error = np.abs(frozen.prepared(out_fraction=8).outputs(x, limit=2.0**30) / 256 - expected)
    assert (error <= 2.0**-9 + 2e-3 * expected.std(axis=0)).all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", ["weight", "bias"])
def test_weights_of_a_diverged_training_are_refused(name: str, value: float) -> None:
    layer, frozen = make_linear(5, 3)
    with torch.no_grad():
        getattr(layer, name).view(-1)[1] = value
    with pytest.raises(TrainingError, match="diverged"):
        frozen.store(layer, in_units=torch.ones(5, dtype=torch.float64))


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e30])
def test_any_finite_weights_have_integers(scale: float) -> None:
    layer, frozen = make_linear(5, 3)
    with torch.no_grad():
        layer.weight.mul_(scale)
        layer.bias.mul_(scale)
    frozen.store(layer, in_units=torch.ones(5, dtype=torch.float64))
    outputs = frozen.prepared().outputs(np.full((2, 5), LARGEST, dtype=np.int16), limit=2.0**20)
    assert np.abs(outputs).max() <= 2**20
    assert int(frozen.weight.abs().max()) <= LARGEST
