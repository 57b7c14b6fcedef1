"""Integer tables of the probability arithmetic, the same on every machine.

Probabilities have 16 bits (1..65535 of 65536). `stretch` is ln(p / (1 - p)) with 8 fractional bits, `squash` its
inverse; both come from decimal arithmetic, which is correctly rounded everywhere.
"""

import decimal
import functools

import numpy as np
from numpy.typing import NDArray

ONE = 1 << 16
MAX_STRETCH = 2880
"""Largest magnitude of a stretched probability: 11.25, just over ln(65535)."""


@functools.cache
def squash_table() -> NDArray[np.int32]:
    """Return (2 * MAX_STRETCH + 1,): the probability of each stretched value, from -MAX_STRETCH on."""
    context = decimal.Context(prec=20)
    half = []
    for value in range(MAX_STRETCH + 1):
        power = context.exp(context.divide(decimal.Decimal(-value), decimal.Decimal(256)))
        probability = context.divide(decimal.Decimal(ONE), context.add(decimal.Decimal(1), power))
        half.append(min(int(probability.to_integral_value(decimal.ROUND_HALF_EVEN)), ONE - 1))
    return np.array([ONE - p for p in reversed(half[1:])] + half, dtype=np.int32)


@functools.cache
def stretch_table() -> NDArray[np.int16]:
    """Return (65536,): for each probability the smallest stretched value whose squash is not below it."""
    squash = squash_table()
    places = np.searchsorted(squash, np.arange(ONE), side="left")
    return (np.minimum(places, 2 * MAX_STRETCH) - MAX_STRETCH).astype(np.int16)


@functools.cache
def cost_table() -> NDArray[np.int32]:
    """Return (4097,): the bits, 8 of them fractional, that something of probability p / 4096 takes."""
    context = decimal.Context(prec=20)
    costs = [16 << 8]
    for p in range(1, 4097):
        ratio = context.divide(
            context.ln(context.divide(decimal.Decimal(4096), decimal.Decimal(p))), context.ln(decimal.Decimal(2))
        )
        costs.append(int((ratio * 256).to_integral_value(decimal.ROUND_HALF_EVEN)))
    return np.array(costs, dtype=np.int32)


@functools.cache
def reciprocal_table() -> NDArray[np.int32]:
    """Return (1024,): 65536 / (n + 1.5), how far a counter that has seen n bits moves towards the next."""
    n = np.arange(1024, dtype=np.int64)
    return ((2 * ONE) // (2 * n + 3)).astype(np.int32)


def run_levels() -> NDArray[np.int64]:
    """Return (64,): the level, 0..15, of a run of hits."""
    bounds = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32, 48, 60, 63)
    return np.searchsorted(np.array(bounds), np.arange(64), side="right").astype(np.int64)


def signed_levels() -> NDArray[np.int64]:
    """Return (1024,): the level, 0..8, of a difference d at place d + 512."""
    d = np.arange(-512, 512, dtype=np.int64)
    level = np.searchsorted(np.array((1, 3, 7, 15)), np.abs(d), side="right")
    return (4 + np.sign(d) * level).astype(np.int64)


def energy_levels() -> NDArray[np.int64]:
    """Return (4096,): the level, 0..23, of a sum of weighted absolute errors."""
    bounds = (1, 2, 3, 5, 7, 9, 12, 16, 20, 26, 33, 42, 53, 66, 84, 106, 134, 170, 215, 270, 360, 480, 700)
    return np.searchsorted(np.array(bounds), np.arange(4096), side="right").astype(np.int64)
