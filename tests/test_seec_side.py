"""SEEC's side information: the networks' shapes, their integer forms near them, and features that nothing changes."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.base.errors import CorruptBitstream, TrainingError, TruncatedBitstream
from pipeline.codecs.blocks import Gdn, conv
from pipeline.codecs.charm import LATENT_FRACTION
from pipeline.codecs.seec import integer_patches
from pipeline.codecs.seec.frozen_side import FEATURE_FRACTION, FrozenGate, FrozenSide, FrozenSynthesis
from pipeline.codecs.seec.integer_patches import (
    FRACTION,
    LIMIT,
    MAX_ACTIVATION,
    PatchAttention,
    PatchConv,
    PatchIgdn,
    PatchTables,
    softmax,
)
from pipeline.codecs.seec.side import PATCH, SideCodec
from pipeline.codecs.seec.side_layers import SynthesisBlock, WindowGate, saturate, subpixel
from pipeline.codecs.segpic.layers import WindowAttention
from pipeline.codecs.threads import on_threads, torch_threads
from tests.machines import CONDITIONS

CHANNELS, FEATURES = 16, 8


def make_side() -> SideCodec:
    """Return a codec whose every part matters: latents of several units, scales that vary, gates half open."""
    torch.manual_seed(3)
    side = SideCodec(CHANNELS, FEATURES, num_heads=2)
    with torch.no_grad():
        for gate in (module for module in side.modules() if isinstance(module, WindowGate)):
            open_gate(gate)
        for layer in side.encoder:
            if isinstance(layer, nn.Conv2d):
                layer.weight.mul_(30.0)
        side.hyper_encoder[-1].weight.mul_(20.0)
        side.hyper_means[-1].weight.mul_(2.0)
        side.hyper_scales[-1].weight.mul_(4.0)
        side.hyper_scales[-1].bias.fill_(2.6)
    return side.eval()


def open_gate(gate: WindowGate) -> None:
    """Set the weights so that attention is far from uniform and decides about a half of the trunk."""
    with torch.no_grad():
        nn.init.zeros_(gate.last.bias)
        gate.last.weight.mul_(3.0)
        for attention in (gate.attention, gate.shifted_attention):
            attention.qkv.weight.mul_(2.0)
            nn.init.normal_(attention.bias_table, std=1.0)


def make_patches(count: int, *, seed: int = 0) -> Tensor:
    """Return patches (count, 3, 64, 64): smooth, with edges, some noise."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 4, 4, generator=generator)
    smooth = nn.functional.interpolate(coarse, size=(PATCH, PATCH), mode="bilinear")
    blocks = nn.functional.interpolate(coarse.flip(0), size=(PATCH, PATCH))
    return (0.5 * smooth + 0.4 * blocks + 0.1 * torch.rand(smooth.shape, generator=generator)).clamp(0, 1)


SIDE = make_side()
FROZEN = FrozenSide(SIDE)
FROZEN.store(SIDE)
TABLES = PatchTables()
TABLES.store()


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    # Layers as small as these take many times as long on threads that wait for each other on a busy machine.
    with torch_threads(1):
        yield


def features(y_hat: Tensor, *, chunk: int = 16, frozen: FrozenSide = FROZEN) -> Tensor:
    return torch.cat(list(frozen.features(y_hat, chunk=chunk)))


def random_latent(count: int) -> Tensor:
    return (torch.randn(count, CHANNELS, 4, 4) * 3 * 2**LATENT_FRACTION).round().int()


# --- in floating point ----------------------------------------------------------------------------------------------


def test_the_published_size_has_the_published_number_of_parameters() -> None:
    # Counted: every parameter, z's prior and its quantiles among them.
    with torch.device("meta"):
        side = SideCodec(192, 256)
    assert sum(parameter.numel() for parameter in side.parameters()) == pytest.approx(21.77e6, rel=0.01)


@pytest.mark.parametrize("training", [True, False])
def test_shapes_and_likelihoods(training: bool) -> None:
    side = make_side().train(training)
    output, likelihoods = side(make_patches(2))
    assert output.shape == (2, FEATURES, PATCH, PATCH)
    assert likelihoods["y"].shape == (2, CHANNELS, 4, 4)
    assert likelihoods["z"].shape == (2, CHANNELS, 1, 1)
    for likelihood in likelihoods.values():
        assert bool((likelihood > 0.0).all())
        assert bool((likelihood <= 1.0).all())


def test_every_parameter_learns_from_one_of_the_losses() -> None:
    side = make_side().train()
    output, likelihoods = side(make_patches(2))
    bits = sum(-likelihood.log2().sum() for likelihood in likelihoods.values())
    (output.square().sum() + bits + side.aux_loss()).backward()
    without = [name for name, parameter in side.named_parameters() if parameter.grad is None]
    assert without == []
    assert {id(parameter) for parameter in side.aux_parameters()} == {id(side.z_prior.quantiles)}


def test_a_patch_is_64x64() -> None:
    with pytest.raises(ValueError, match="64"):
        SIDE(torch.zeros(1, 3, 32, 32))


def test_patches_know_nothing_of_each_other() -> None:
    patches = make_patches(3)
    with torch.no_grad():
        together, alone = SIDE(patches)[0][1:2], SIDE(patches[1:2])[0]
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


def test_only_a_map_larger_than_its_window_is_shifted() -> None:
    small, large = (WindowGate(16, num_heads=2, window=4, side=side) for side in (4, 8))
    assert (small.attention.shift, small.shifted_attention.shift) == (0, 0)
    assert (large.attention.shift, large.shifted_attention.shift) == (0, 2)


def test_saturation_stops_only_gradients_that_lead_further_out() -> None:
    x = torch.tensor([-50.0, 1.0, 50.0], requires_grad=True)
    y = saturate(x)
    assert y.tolist() == [-LIMIT, 1.0, LIMIT]
    for sign, expected in ((1.0, [0.0, 1.0, 1.0]), (-1.0, [-1.0, -1.0, 0.0])):
        # Descent goes against the gradient: a positive one lowers x.
        (gradient,) = torch.autograd.grad((sign * y).sum(), x, retain_graph=True)
        assert gradient.tolist() == expected


# --- layers in integers ---------------------------------------------------------------------------------------------


def as_integers(x_BCHW: Tensor) -> Tensor:
    return (x_BCHW * 2**FRACTION).round().short().permute(0, 2, 3, 1).contiguous()


def as_floats(x_BHWC: Tensor) -> Tensor:
    return x_BHWC.permute(0, 3, 1, 2).float() * 2.0**-FRACTION


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(("kernel", "upscale"), [(1, 1), (3, 1), (3, 2)])
def test_a_convolution_is_that_of_int64(kernel: int, upscale: int, fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that even these are cut into blocks, of rows and of patches.
    monkeypatch.setattr(integer_patches, "_BLOCK_ELEMENTS", 1500)
    monkeypatch.setattr(integer_patches, "is_fast_on", lambda _: fast)
    torch.manual_seed(0)
    for size in ((1, 1), (3, 2), (9, 5)):
        layer = PatchConv(12, 5, kernel=kernel, upscale=upscale)
        outputs = 5 * upscale**2
        # As large as a sum can be, and some that are in doubt which way to round.
        layer.weight.copy_(torch.randint(-63, 64, layer.weight.shape))
        layer.weight[:, 0] = 63
        layer.bias.copy_(torch.randint(-(1 << 20), 1 << 20, (outputs,)))
        layer.shift.fill_(11)
        x = torch.randint(-MAX_ACTIVATION, MAX_ACTIVATION + 1, (4, *size, 12)).short()
        x[0] = MAX_ACTIVATION
        weight = (layer.weight[0].long() + 128 * layer.weight[1].long()).view(outputs, kernel, kernel, 12)
        border = kernel // 2
        padded = nn.functional.pad(x.long(), (0, 0, border, border, border, border))
        sums = layer.bias.repeat(4, *size, 1)
        for row in range(kernel):
            for column in range(kernel):
                part = padded[:, row : row + size[0], column : column + size[1]]
                sums += torch.einsum("bhwc,oc->bhwo", part, weight[:, row, column])
        expected = ((sums + (1 << 10)) >> 11).clamp(-MAX_ACTIVATION, MAX_ACTIVATION).permute(0, 3, 1, 2)
        if upscale > 1:  # outputs are stored position by position
            expected = expected.view(4, 4, 5, *size).transpose(1, 2).flatten(1, 2)
            expected = nn.functional.pixel_shuffle(expected, 2)
        assert torch.equal(layer(x).permute(0, 3, 1, 2).long(), expected)
        table = TABLES.leaky.long()[expected + MAX_ACTIVATION]
        assert torch.equal(layer(x, TABLES.leaky).permute(0, 3, 1, 2).long(), table)


@pytest.mark.parametrize("source", [conv(24, 9, kernel=3, stride=1), conv(24, 9, kernel=1, stride=1), subpixel(24, 6)])
def test_a_convolution_is_near_the_float_one(source: nn.Module) -> None:
    torch.manual_seed(0)
    (layer,) = (module for module in source.modules() if isinstance(module, nn.Conv2d))
    upscale = 2 if isinstance(source, nn.Sequential) else 1
    frozen = PatchConv(24, layer.out_channels // upscale**2, kernel=layer.kernel_size[0], upscale=upscale)
    frozen.store(layer)
    x = as_integers(2.0 * torch.randn(3, 24, 6, 6))
    with torch.no_grad():
        error = as_floats(frozen(x)) - source(as_floats(x))
    # Half a unit by rounding the result; weights have 13 bits, so they add less.
    assert float(error.abs().max()) < 2.0 ** -(FRACTION + 1) + 1e-3


def test_an_igdn_is_near_the_float_one_and_saturates() -> None:
    torch.manual_seed(0)
    source = Gdn(16, inverse=True)
    nn.init.uniform_(source.gamma, 0.0, 0.3)
    frozen = PatchIgdn(16)
    frozen.store(source)
    x = as_integers(4.0 * torch.randn(3, 16, 6, 6)).clamp(-MAX_ACTIVATION, MAX_ACTIVATION)
    with torch.no_grad():
        expected = source(as_floats(x)).clamp(-LIMIT, LIMIT)
    assert float(expected.abs().max()) == pytest.approx(LIMIT)
    # Half a unit by rounding.
    torch.testing.assert_close(as_floats(frozen(x)), expected, rtol=1e-3, atol=2.0 ** -(FRACTION + 1) + 1e-4)


@pytest.mark.parametrize(("side", "window", "shift"), [(4, 4, 0), (8, 4, 2), (16, 8, 4)])
def test_attention_is_near_the_float_one(side: int, window: int, shift: int) -> None:
    torch.manual_seed(0)
    source = WindowAttention(16, num_heads=2, window=window, shift=shift)
    with torch.no_grad():
        # Logits reach 10 and more; with a mask of less than infinity hidden positions would show.
        source.qkv.weight[:32].mul_(4.0)
        nn.init.normal_(source.bias_table, std=2.0)
    frozen = PatchAttention(source, side=side)
    frozen.store(source)
    x = as_integers(torch.randn(3, 16, side, side))
    with torch.no_grad():
        error = as_floats(frozen(x, TABLES.exponential)) - source(as_floats(x))
    # Queries and keys are rounded to 2^-9, logits of 10 so to some 2^-6, and the values' mean as much by their shares.
    assert float(error.abs().max()) < 0.05
    assert float(error.square().mean().sqrt()) < 0.01


def test_shares_are_near_a_softmax_and_hidden_positions_have_none() -> None:
    torch.manual_seed(0)
    logits = (3.0 * torch.randn(5, 64)).double()
    logits[:, 7] = -torch.inf
    integers = (logits * 2**10).round()
    shares = softmax(integers.clone(), TABLES.exponential)
    assert torch.equal(shares, shares.round())
    assert bool((shares[:, 7] == 0).all())
    torch.testing.assert_close(shares * 2.0**-14, (integers * 2.0**-10).softmax(-1), rtol=0, atol=2.0**-15 + 1e-6)
    assert torch.equal(softmax(integers + 2.0**30, TABLES.exponential), shares)


@pytest.mark.parametrize(("side", "window"), [(4, 4), (16, 8)])
def test_a_gate_is_near_the_float_one(side: int, window: int) -> None:
    torch.manual_seed(0)
    source = WindowGate(16, num_heads=2, window=window, side=side)
    open_gate(source)
    frozen = FrozenGate(source)
    frozen.store(source)
    x = as_integers(2.0 * torch.randn(2, 16, side, side))
    with torch.no_grad():
        expected = source(as_floats(x))
    error = as_floats(frozen(x, TABLES)) - expected
    # A dozen roundings of 2^-9 one after another, each layer's gain about 1.
    assert float(error.abs().max()) < 0.05
    assert float((expected - as_floats(x)).abs().mean()) > 0.1, "the gate does something"


def test_a_synthesis_block_is_near_the_float_one() -> None:
    torch.manual_seed(0)
    source = SynthesisBlock(16)
    frozen = FrozenSynthesis(source)
    frozen.store(source)
    x = as_integers(2.0 * torch.randn(2, 16, 8, 8))
    with torch.no_grad():
        error = as_floats(frozen(x, TABLES)) - source(as_floats(x))
    # Five roundings of 2^-9, each layer's gain below 2.
    assert float(error.abs().max()) < 0.03


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_weights_of_a_diverged_training_are_refused(value: float) -> None:
    source = conv(4, 4, kernel=3, stride=1)
    with torch.no_grad():
        source.weight[0, 0, 0, 0] = value
    with pytest.raises(TrainingError, match="diverged"):
        PatchConv(4, 4, kernel=3).store(source)


def test_sums_too_long_to_be_exact_are_refused() -> None:
    with pytest.raises(ValueError, match="exact"):
        PatchConv(1 << 15, 1, kernel=3)


# --- features -------------------------------------------------------------------------------------------------------


def test_features_are_near_the_float_ones() -> None:
    torch.manual_seed(1)
    y_hat = random_latent(2)
    result = features(y_hat)
    assert result.shape == (2, FEATURES, PATCH, PATCH)
    assert result.dtype == torch.int16
    assert result.is_contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        expected = saturate(SIDE.decoder(y_hat * 2.0**-LATENT_FRACTION))
    error = result * 2.0**-FEATURE_FRACTION - expected
    # Some 40 roundings of 2^-9 one after another, most layers' gain below 1.
    assert float(error.abs().max()) < 0.03
    assert float(error.std()) < 2.0**-FRACTION
    assert float(expected.std()) > 0.3


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_change_nothing(condition: str) -> None:
    coded, y_hat = FROZEN.encode(SIDE, make_patches(4))
    torch.manual_seed(1)
    latent = random_latent(4) * 4  # large enough that activations saturate
    expected = features(latent)
    assert int(expected.max()) > MAX_ACTIVATION // 2
    with CONDITIONS[condition]():
        assert torch.equal(FROZEN.decode(coded["y"], coded["z"], 4), y_hat)
        assert torch.equal(features(latent), expected)


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_chunks_change_nothing(chunk: int) -> None:
    torch.manual_seed(1)
    latent = random_latent(7)
    parts = list(FROZEN.features(latent, chunk=chunk))
    assert [len(part) for part in parts] == [len(part) for part in latent.split(chunk)]
    assert torch.equal(torch.cat(parts), features(latent))


def test_pictures_at_once_and_other_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    latents = [random_latent(2) for _ in range(3)]
    expected = [features(latent) for latent in latents]
    with torch_threads(3):
        assert all(map(torch.equal, on_threads(features, latents), expected))
    monkeypatch.setattr(integer_patches, "_BLOCK_ELEMENTS", 12_345)
    assert torch.equal(features(latents[0]), expected[0])


def test_what_is_frozen_travels_in_the_state_dict() -> None:
    other = FrozenSide(SideCodec(CHANNELS, FEATURES, num_heads=2))
    other.load_state_dict(FROZEN.state_dict())
    coded, y_hat = FROZEN.encode(SIDE, make_patches(2))
    assert torch.equal(other.decode(coded["y"], coded["z"], 2), y_hat)
    assert torch.equal(features(y_hat, frozen=other), features(y_hat))


@pytest.mark.gpu
def test_a_gpu_changes_nothing() -> None:
    coded, y_hat = FROZEN.encode(SIDE, make_patches(3))
    there = FrozenSide(SIDE)
    there.load_state_dict(FROZEN.state_dict())
    there.cuda()
    decoded = there.decode(coded["y"], coded["z"], 3)
    assert torch.equal(decoded.cpu(), y_hat)
    torch.manual_seed(1)
    latent = random_latent(3) * 4
    assert torch.equal(features(latent.cuda(), frozen=there).cpu(), features(latent))


# --- bytes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_round_trip_gives_the_encoders_latent(count: int) -> None:
    patches = make_patches(count, seed=count)
    coded, y_hat = FROZEN.encode(SIDE, patches)
    assert sorted(coded) == ["y", "z"]
    assert y_hat.shape == (count, CHANNELS, 4, 4)
    assert torch.equal(FROZEN.decode(coded["y"], coded["z"], count), y_hat)
    # The latent is that of the float networks, rounded.
    with torch.no_grad():
        distance = y_hat * 2.0**-LATENT_FRACTION - SIDE.analysis(patches)
    assert float(distance.abs().max()) < 0.5 + 2.0**-LATENT_FRACTION
    assert float(y_hat.double().std()) > 2**LATENT_FRACTION, "there is something to be coded"


def test_threads_change_no_byte() -> None:
    patches = make_patches(9)
    coded = []
    for count in (1, 2, 5):
        with torch_threads(count):
            coded.append(FROZEN.encode(SIDE, patches)[0])
    assert coded[0] == coded[1] == coded[2]


def test_bytes_are_about_what_the_likelihoods_say() -> None:
    patches = make_patches(24)
    coded, _ = FROZEN.encode(SIDE, patches)
    with torch.no_grad():
        _, likelihoods = SIDE(patches)
    for name, likelihood in likelihoods.items():
        bits = float(-likelihood.log2().sum())
        # Scales are rounded to one of 64; a stream's state takes up to 8 bytes.
        assert 8 * len(coded[name]) == pytest.approx(bits, rel=0.03, abs=72)


def test_truncated_streams_are_refused() -> None:
    coded, _ = FROZEN.encode(SIDE, make_patches(2))
    for name, data in coded.items():
        for size in (0, 1, 2, len(data) // 2, len(data) - 4, len(data) - 1):
            with pytest.raises((TruncatedBitstream, CorruptBitstream)):
                FROZEN.decode(**{**coded, name: data[:size]}, num_patches=2)


def test_streams_of_another_number_of_patches_are_refused() -> None:
    coded, _ = FROZEN.encode(SIDE, make_patches(2))
    for count in (1, 3):
        with pytest.raises((TruncatedBitstream, CorruptBitstream)):
            FROZEN.decode(coded["y"], coded["z"], count)


def test_changed_streams_are_refused_or_another_latent() -> None:
    coded, y_hat = FROZEN.encode(SIDE, make_patches(2))
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        changed = {name: bytearray(data) for name, data in coded.items()}
        data = changed["yz"[int(generator.integers(2))]]
        data[int(generator.integers(len(data)))] ^= int(generator.integers(1, 256))
        try:
            other = FROZEN.decode(bytes(changed["y"]), bytes(changed["z"]), 2)
        except (TruncatedBitstream, CorruptBitstream):
            refused += 1
            continue
        assert other.shape == y_hat.shape
        assert other.dtype == y_hat.dtype
    assert refused > 0


def test_any_latent_has_features() -> None:
    extremes = torch.full((1, CHANNELS, 4, 4), -(1 << 26), dtype=torch.int32)
    extremes[:, ::2] = 1 << 26
    assert int(features(extremes).abs().max()) <= MAX_ACTIVATION
