"""Thresholded blocks, beside all that a block could be."""

from itertools import product

import numpy as np
import pytest

from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.msroi_jpeg import trellis


def bits_of(block: np.ndarray, costs: np.ndarray) -> float:
    """Return what the AC levels of a block (64,), natural order, cost: straight from the standard's definition."""
    bits, run = 0.0, 0
    for place in range(1, 64):
        level = abs(int(block[trellis.ZIGZAG[place]]))
        if level == 0:
            run += 1
            continue
        while run > 15:
            bits += costs[0xF0]
            run -= 16
        size = level.bit_length()
        bits += costs[run << 4 | size] + size
        run = 0
    return bits + (costs[0] if run else 0.0)


def cost_of(block: np.ndarray, coefficients: np.ndarray, weight: float, costs: np.ndarray) -> float:
    ac = np.arange(64) > 0
    return float(((coefficients - block)[ac] ** 2).sum()) + weight * bits_of(block, costs)


def run(coefficients: np.ndarray, weight: float, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    blocks = coefficients.reshape(-1, 64).astype(np.float32)
    out = np.empty(blocks.shape, np.int16)
    lambdas = np.full(len(blocks), weight, np.float32)
    counts = compile_kernel(trellis.threshold)(blocks, np.ones(64, np.float32), lambdas, costs, out)
    return out, counts


def test_zigzag_is_the_standards() -> None:
    assert trellis.ZIGZAG[:12].tolist() == [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25]
    assert trellis.ZIGZAG[-4:].tolist() == [47, 55, 62, 63]
    assert sorted(trellis.ZIGZAG) == list(range(64))


def test_without_a_price_levels_are_rounded() -> None:
    coefficients = np.random.default_rng(0).normal(0, 3, (50, 64))
    out, _ = run(coefficients, 0.0, trellis.first_costs())
    assert np.array_equal(out, np.sign(coefficients) * np.floor(np.abs(coefficients) + 0.5))


@pytest.mark.parametrize("weight", [0.02, 0.1, 0.4])
def test_the_cheapest_of_all_combinations_is_found(weight: float) -> None:
    rng = np.random.default_rng(1)
    costs = trellis.first_costs()
    for _ in range(20):
        coefficients = np.zeros(64)
        places = rng.choice(np.arange(1, 64), 5, replace=False)
        coefficients[places] = rng.normal(0, 4, 5)
        options = []
        for place in places:
            level = int(abs(coefficients[place]) + 0.5)
            sign = int(np.sign(coefficients[place]))
            shorter = (1 << level.bit_length() - 1) - 1 if level else 0
            options.append({0, sign * level, sign * max(level - 1, 0), sign * shorter})
        best = min(cost_of(_block(places, levels), coefficients, weight, costs) for levels in product(*options))
        out, _ = run(coefficients, weight, costs)
        assert cost_of(out[0], coefficients, weight, costs) == pytest.approx(best, rel=1e-5)


def _block(places: np.ndarray, levels: tuple[int, ...]) -> np.ndarray:
    block = np.zeros(64)
    block[places] = levels
    return block


def test_a_higher_price_leaves_fewer_bits_and_symbols_are_counted() -> None:
    coefficients = np.random.default_rng(2).laplace(0, 1.5, (200, 64))
    costs = trellis.first_costs()
    bits = []
    for weight in (0.0, 0.05, 0.1, 0.3):
        out, counts = run(coefficients, weight, costs)
        sizes = np.arange(256) & 15
        total = sum(bits_of(block, costs) for block in out)
        assert total == pytest.approx(float((counts * (costs + sizes)).sum()), rel=1e-5)
        bits.append(total)
    assert bits == sorted(bits, reverse=True) and bits[-1] < 0.85 * bits[0]


def test_levels_stay_within_what_jpeg_holds() -> None:
    coefficients = np.full((1, 64), 5000.0)
    out, _ = run(coefficients, 0.0, trellis.first_costs())
    assert out.max() == 1023
    assert run(-coefficients, 0.0, trellis.first_costs())[0].min() == -1024


def test_costs_follow_counts() -> None:
    counts = np.zeros(256, np.int64)
    counts[0x01], counts[0x02] = 1000, 250
    costs = trellis.costs_of(counts)
    assert costs[0x01] < costs[0x02] < costs[0x33] <= 16
    assert costs.min() >= 1
