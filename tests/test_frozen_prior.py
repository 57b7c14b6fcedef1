"""A frozen factorised prior: what is written is read, in the bytes that the prior announces."""

import numpy as np
import pytest
import torch

from pipeline.base.errors import BitstreamError, CorruptBitstream
from pipeline.codecs.frozen_prior import MAX_SYMBOL, MEDIAN_FRACTION, FrozenPrior, channel_indexes, check_range
from pipeline.codecs.priors import FactorisedPrior


@pytest.fixture(scope="module")
def priors() -> tuple[FactorisedPrior, FrozenPrior]:
    torch.manual_seed(0)
    prior = FactorisedPrior(6)
    with torch.no_grad():
        prior.quantiles[:, 0, 1] = torch.tensor([0.0, 0.3, -0.77, 0.5, 1e-4, -0.5])
    frozen = FrozenPrior(6)
    frozen.store(prior)
    return prior, frozen


def test_values_come_back_within_half_a_step(priors: tuple[FactorisedPrior, FrozenPrior]) -> None:
    prior, frozen = priors
    values = torch.randn(6, 5, 7) * 9 + prior.medians[:, None, None]
    symbols = frozen.symbols(values)
    decoded = frozen.decode(frozen.encode(symbols), (6, 5, 7), name="z")
    assert torch.equal(decoded, symbols)
    for fraction in (MEDIAN_FRACTION, 12):
        back = frozen.values(decoded, fraction=fraction)
        assert torch.equal(back, back.round())
        assert float((back * 2.0**-fraction - values).abs().max()) <= 0.5 + 1e-5


def test_bytes_are_those_that_the_prior_announces(priors: tuple[FactorisedPrior, FrozenPrior]) -> None:
    prior, frozen = priors
    values = torch.randn(6, 40, 40) * 3 + prior.medians[:, None, None]
    with torch.no_grad():
        _, likelihoods = prior.eval()(values[None])
    announced = float(-likelihoods.double().log2().sum()) / 8
    written = len(frozen.encode(frozen.symbols(values)))
    assert abs(written - announced) < 0.01 * announced + 4


def test_far_values_are_clamped(priors: tuple[FactorisedPrior, FrozenPrior]) -> None:
    _, frozen = priors
    symbols = frozen.symbols(torch.full((6, 2), 1e9))
    assert symbols.tolist() == [[MAX_SYMBOL] * 2] * 6
    assert torch.equal(frozen.decode(frozen.encode(symbols), (6, 2), name="z"), symbols)


def test_forged_bytes_are_refused_or_within_range(priors: tuple[FactorisedPrior, FrozenPrior]) -> None:
    _, frozen = priors
    rng = np.random.default_rng(0)
    refused = 0
    for size in range(200):
        try:
            symbols = frozen.decode(rng.bytes(size), (6, 3, 3), name="z")
            assert int(symbols.abs().max()) <= MAX_SYMBOL
        except BitstreamError:
            refused += 1
    assert refused > 190
    with pytest.raises(CorruptBitstream, match="of y is beyond"):
        check_range("y", np.array([3, -9], np.int32), 8)


def test_each_channel_has_its_table() -> None:
    assert channel_indexes((3, 2)).tolist() == [[0, 0], [1, 1], [2, 2]]
