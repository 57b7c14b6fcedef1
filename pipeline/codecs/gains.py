"""Gain units: one set of weights that codes at several rates, and at all between them.

    y -> times gain -> round -> symbols -> times inverse gain -> y_hat,      the same for the hyper-latent z

Each level has a gain and an inverse gain for each channel. A rate between two levels has their geometric means,
weighted by its fraction. Here gains are base-2 logarithms, so that they stay positive, and these means are sums.

Source: Cui et al., "Asymmetric Gained Deep Image Compression With Continuous Rate Adaptation",
CVPR 2021.

Shapes: N batch, R levels, C channels of a latent.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.base.errors import CorruptBitstream, TrainingError, TruncatedBitstream
from pipeline.codecs.integer_net import MAX_ACTIVATION

RATE_STEPS = 256
"""Rates that a bitstream can name from one level to the next."""
_RATE_BYTES = 2

EXPONENT_FRACTION = 12
"""Fraction bits of a frozen gain's logarithm: 0.02 % of the gain."""
POWER_FRACTION = 16
"""Fraction bits of 2^x for x in [0, 1), in the table that frozen gains are read from."""
MAX_EXPONENT = 8
"""Largest magnitude of a frozen gain's logarithm."""

# The lambda whose quantisation the latent's scale at the start suits (LATENT_GAIN); steps go with 1 / sqrt(lambda).
_START_LAMBDA = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """What multiplies each channel of the latents; None stands for 1, and costs nothing."""

    y: Tensor | None = None
    y_inverse: Tensor | None = None
    z: Tensor | None = None
    z_inverse: Tensor | None = None


def default_rate(num_rates: int) -> int:
    """Return the level that is coded at if none is asked for: the middle one, of two the higher."""
    return num_rates // 2


def rate_number(rate: float | None, num_rates: int) -> int:
    """Return a rate, 0..num_rates - 1, or the default one, in steps of 1 / RATE_STEPS.

    Raises: ValueError: it lies outside.
    """
    rate = default_rate(num_rates) if rate is None else rate
    if not 0 <= rate <= num_rates - 1:
        raise ValueError(f"rate must be 0..{num_rates - 1}, got {rate:g}")
    return round(rate * RATE_STEPS)


def rate_segment(number: int) -> bytes:
    """Return the payload that names a rate: u16, little-endian."""
    return number.to_bytes(_RATE_BYTES, "little")


def read_rate(payload: bytes, num_rates: int) -> int:
    """Return what `rate_segment` was given. Raises: CorruptBitstream, TruncatedBitstream: no encoder writes it."""
    if len(payload) < _RATE_BYTES:
        raise TruncatedBitstream(f"the rate has {len(payload)} bytes, expected {_RATE_BYTES}")
    number = int.from_bytes(payload, "little")
    if len(payload) > _RATE_BYTES or number > (num_rates - 1) * RATE_STEPS:
        raise CorruptBitstream(f"rate {payload[: 2 * _RATE_BYTES].hex()}: these weights have {num_rates} levels")
    return number


def multiply(values: Tensor, gain: Tensor | None) -> Tensor:
    """Return float values times their gain."""
    return values if gain is None else values * gain.to(values.device).float()


def multiply_exactly(values: Tensor, gain: Tensor | None, *, bits: int = 0) -> Tensor:
    """Return integers (C, ...), at most MAX_ACTIVATION, times a frozen gain (C, 1, 1), with `bits` more fraction bits.

    Rounded half to even, and saturated; the same on every machine. Without a gain nothing is changed.
    """
    if gain is None:
        return values
    # 27 bits times the 17 of a frozen gain: float64 holds the product whole, and one rounding follows.
    return (values.double() * gain).mul_(2.0**bits).round_().clamp_(-MAX_ACTIVATION, MAX_ACTIVATION)


class GainUnits(nn.Module):
    """The gains while they are trained."""

    def __init__(self, num_rates: int, *, num_latents: int, num_hyper: int) -> None:
        super().__init__()
        self.num_rates = num_rates
        self.y, self.y_inverse = (nn.Parameter(torch.zeros(num_rates, num_latents)) for _ in range(2))
        self.z, self.z_inverse = (nn.Parameter(torch.zeros(num_rates, num_hyper)) for _ in range(2))

    @torch.no_grad()
    def start(self, lambdas: Sequence[float]) -> None:
        """Set each level's quantisation to about what a model of its own lambda would learn."""
        logarithms = torch.tensor([0.5 * math.log2(value / _START_LAMBDA) for value in lambdas])[:, None]
        self.y.copy_(logarithms.expand_as(self.y))
        self.y_inverse.copy_(-logarithms.expand_as(self.y))

    def forward(self, rates_N: Tensor) -> Gains:
        """Return the gains (N, C, 1, 1) at rates in 0..R - 1, whole or between."""
        below_N = rates_N.floor().clamp(0, self.num_rates - 1).long()
        above_N = (below_N + 1).clamp(max=self.num_rates - 1)
        share_N1 = (rates_N - below_N)[:, None]

        def at(logarithms_RC: Tensor) -> Tensor:
            between_NC = torch.lerp(logarithms_RC[below_N], logarithms_RC[above_N], share_N1)
            return torch.exp2(between_NC)[:, :, None, None]

        return Gains(y=at(self.y), y_inverse=at(self.y_inverse), z=at(self.z), z_inverse=at(self.z_inverse))


class FrozenGains(nn.Module):
    """The gains of coding, from integer tables: the same numbers on every machine, at every rate."""

    y: Tensor
    y_inverse: Tensor
    z: Tensor
    z_inverse: Tensor
    powers: Tensor

    def __init__(self, num_rates: int, *, num_latents: int, num_hyper: int) -> None:
        super().__init__()
        self.num_rates = num_rates
        for name, width in _widths(num_latents, num_hyper):
            self.register_buffer(name, torch.zeros(num_rates, width, dtype=torch.int32))
        self.register_buffer("powers", torch.zeros(1 << EXPONENT_FRACTION, dtype=torch.int32))

    def store(self, trained: GainUnits) -> None:
        """Quantise trained gains. Raises: TrainingError: they are not finite."""
        for name, _ in _widths(0, 0):
            logarithms = getattr(trained, name).detach().double().cpu()
            if not bool(logarithms.isfinite().all()):
                raise TrainingError("the gains are not finite: training has diverged")
            exponents = (logarithms.clamp(-MAX_EXPONENT, MAX_EXPONENT) * 2.0**EXPONENT_FRACTION).round()
            getattr(self, name).copy_(exponents.int())
        steps = range(1 << EXPONENT_FRACTION)
        powers = [round(2.0 ** (step / len(steps) + POWER_FRACTION)) for step in steps]
        self.powers.copy_(torch.tensor(powers, dtype=torch.int32))

    def at(self, number: int) -> Gains:
        """Return the gains (C, 1, 1), float64, at a rate in steps of 1 / RATE_STEPS."""
        found = {name: self._gain(getattr(self, name), number) for name, _ in _widths(0, 0)}
        return Gains(**found)

    def _gain(self, exponents_RC: Tensor, number: int) -> Tensor:
        below, share = divmod(number, RATE_STEPS)
        above = min(below + 1, self.num_rates - 1)
        # Integers from here on: a sum, a shift, a look-up, a shift. Only then float64, whose last scaling is exact.
        sums_C = exponents_RC[below].long() * (RATE_STEPS - share) + exponents_RC[above].long() * share
        exponents_C = torch.div(sums_C + RATE_STEPS // 2, RATE_STEPS, rounding_mode="floor")
        whole_C = torch.div(exponents_C, 1 << EXPONENT_FRACTION, rounding_mode="floor")
        power_C = self.powers.long()[exponents_C - (whole_C << EXPONENT_FRACTION)]
        gain_C = (power_C << (whole_C + MAX_EXPONENT)).double() * 2.0 ** -(MAX_EXPONENT + POWER_FRACTION)
        return gain_C[:, None, None]


def _widths(num_latents: int, num_hyper: int) -> tuple[tuple[str, int], ...]:
    return (("y", num_latents), ("y_inverse", num_latents), ("z", num_hyper), ("z_inverse", num_hyper))
