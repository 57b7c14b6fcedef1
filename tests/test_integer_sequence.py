"""Frozen sequences of layers, and the functions between them: near the float network, and exact."""

import math

import pytest
import torch
from torch import nn

from pipeline.codecs.blocks import Gdn, HalfTanh, conv, deconv
from pipeline.codecs.integer_net import FRACTION, MAX_ACTIVATION
from pipeline.codecs.integer_pointwise import IntegerFunction, Kind, leaky_relu
from pipeline.codecs.integer_sequence import IntegerSequence

KINDS: dict[Kind, nn.Module] = {"gelu": nn.GELU(), "sigmoid": nn.Sigmoid(), "half_tanh": HalfTanh()}


@pytest.mark.parametrize("kind", KINDS)
def test_functions_are_within_2_to_the_minus_16(kind: Kind) -> None:
    function = IntegerFunction(kind)
    function.store()
    x = torch.cat([torch.linspace(-20, 20, 400_001), torch.tensor([-1023.0, 1023.0])]).double()
    integers = (x * 2**FRACTION).round()
    expected = KINDS[kind](integers * 2.0**-FRACTION)
    result = function(integers)
    assert torch.equal(result, result.round())
    assert float((result * 2.0**-FRACTION - expected).abs().max()) < 2.0**-16 + 2.0 ** -(FRACTION + 1)


@pytest.mark.parametrize("kind", KINDS)
def test_functions_interpolate_in_exact_integers(kind: Kind) -> None:
    function = IntegerFunction(kind)
    function.store()
    torch.manual_seed(0)
    x = torch.randint(-int(MAX_ACTIVATION), int(MAX_ACTIVATION) + 1, (20_000,))
    x[:5000] = torch.randint(-(20 << FRACTION), 20 << FRACTION, (5000,))
    log2_range = 4 if kind == "sigmoid" else 3
    bits = FRACTION + log2_range - 11
    u = x.abs().clamp(max=(1 << (bits + 11)) - 1)
    table = function.table.long()
    low, high = table[u >> bits], table[(u >> bits) + 1]
    total = (low << bits) + (high - low) * (u & ((1 << bits) - 1))
    shift = bits + 24 - FRACTION
    half = 1 << (shift - 1)
    # Halves to the even side, as IEEE 754 rounds.
    value = (total + half) >> shift
    value -= ((total & ((1 << shift) - 1)) == half).long() & value & 1
    if kind == "gelu":
        expected = x.clamp(min=0) - value
    elif kind == "sigmoid":
        expected = torch.where(x < 0, (1 << FRACTION) - value, value)
    else:
        expected = torch.where(x < 0, -value, value)
    assert torch.equal(function(x.double()).long(), expected)


def test_leaky_relu_divides_negatives_by_ten() -> None:
    x = torch.tensor([-25.0, -15.0, -4.0, -1.0, 0.0, 7.0]).double()
    assert leaky_relu(x).tolist() == [-2.0, -2.0, -0.0, -0.0, 0.0, 7.0]


def networks() -> list[nn.Sequential]:
    torch.manual_seed(7)
    return [
        nn.Sequential(conv(4, 9, kernel=5, stride=1), nn.ReLU(), conv(9, 3, kernel=1, stride=1)),
        nn.Sequential(conv(4, 8, kernel=3, stride=1), nn.GELU(), conv(8, 12, kernel=3, stride=1), nn.PixelShuffle(2)),
        nn.Sequential(deconv(4, 6), nn.ReLU(), deconv(6, 5), nn.ReLU(), conv(5, 3, kernel=3, stride=1), nn.ReLU()),
        nn.Sequential(conv(4, 6, kernel=1, stride=1), Gdn(6, inverse=True), conv(6, 2, kernel=1, stride=1)),
        nn.Sequential(conv(4, 6, kernel=1, stride=1), nn.LeakyReLU(0.1), conv(6, 2, kernel=1, stride=1), nn.Sigmoid()),
        nn.Sequential(conv(4, 6, kernel=3, stride=1), nn.GELU(), conv(6, 5, kernel=3, stride=1), HalfTanh()),
    ]


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize(("in_fraction", "out_fraction"), [(FRACTION, FRACTION), (8, 10)])
def test_frozen_network_is_near_the_float_one(place: int, in_fraction: int, out_fraction: int) -> None:
    net = networks()[place]
    frozen = IntegerSequence(net, in_fraction=in_fraction, out_fraction=out_fraction)
    frozen.store(net)
    x = (torch.randn(4, 11, 9) * 3 * 2**in_fraction).round().double()
    with torch.no_grad():
        expected = net((x * 2.0**-in_fraction).float()[None])[0]
    result = frozen(x)
    assert torch.equal(result, result.round()), "integers"
    error = float((result * 2.0**-out_fraction - expected).abs().max())
    assert error < 1e-3 + 2.0 ** -(out_fraction + 1)


@pytest.mark.parametrize("place", range(6))
def test_frozen_network_is_the_same_in_any_layout_and_number_of_threads(place: int) -> None:
    net = networks()[place]
    frozen = IntegerSequence(net)
    frozen.store(net)
    x = torch.randint(-(9 << FRACTION), 9 << FRACTION, (4, 13, 10)).double()
    expected = frozen(x)
    before = torch.get_num_threads()
    for num_threads in (1, 3):
        torch.set_num_threads(num_threads)
        assert torch.equal(frozen(x.permute(1, 2, 0).contiguous().permute(2, 0, 1)), expected)
    torch.set_num_threads(before)


def test_stored_weights_travel_in_the_state_dict() -> None:
    for net in networks():
        frozen, other = IntegerSequence(net), IntegerSequence(net)
        frozen.store(net)
        other.load_state_dict(frozen.state_dict())
        x = torch.randint(-(9 << FRACTION), 9 << FRACTION, (4, 5, 6)).double()
        assert torch.equal(other(x), frozen(x))


@pytest.mark.parametrize(
    "net",
    [
        nn.Sequential(nn.Linear(3, 3)),
        nn.Sequential(conv(3, 3)),
        nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=2)),
        nn.Sequential(nn.ReLU(), conv(3, 3, kernel=3, stride=1)),
        nn.Sequential(conv(3, 3, kernel=3, stride=1), nn.ReLU(), nn.ReLU()),
        nn.Sequential(conv(3, 3, kernel=3, stride=1), nn.Tanh()),
        nn.Sequential(conv(3, 3, kernel=3, stride=1), nn.LeakyReLU(0.2)),
        nn.Sequential(conv(3, 3, kernel=3, stride=1), Gdn(3)),
    ],
)
def test_what_has_no_integer_form_is_refused(net: nn.Sequential) -> None:
    with pytest.raises(TypeError, match="integer"):
        IntegerSequence(net)


def test_half_tanh_is_half_a_tanh() -> None:
    assert float(HalfTanh()(torch.tensor(0.7))) == pytest.approx(0.5 * math.tanh(0.7))
