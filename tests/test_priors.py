"""Priors: the same likelihoods and auxiliary loss as CompressAI's, and the gradients training relies on."""

import types
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.codecs.blocks import Gdn
from pipeline.codecs.priors import FactorisedPrior, lower_bound, normal_likelihood, quantise


@pytest.fixture(scope="module")
def compressai() -> Any:
    """Import CompressAI's entropy models and layers; the package imports libraries that warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from compressai import entropy_models, layers
    return types.SimpleNamespace(models=entropy_models, layers=layers)


def test_factorised_prior_is_that_of_compressai(compressai: Any) -> None:
    torch.manual_seed(0)
    ours, theirs = FactorisedPrior(5).eval(), compressai.models.EntropyBottleneck(5).eval()
    with torch.no_grad():
        for mine, yours in zip(
            (*ours.matrices, *ours.biases, *ours.factors, ours.quantiles),
            (*theirs.matrices, *theirs.biases, *theirs.factors, theirs.quantiles),
            strict=True,
        ):
            mine.add_(torch.randn_like(mine) * 0.3)
            yours.copy_(mine)
        z = torch.randn(2, 5, 3, 4) * 6
        expected_z, expected = theirs(z)
        z_hat, likelihoods = ours(z)
    torch.testing.assert_close(z_hat, expected_z)
    torch.testing.assert_close(likelihoods, expected, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(ours.aux_loss(), theirs.loss())


def test_normal_likelihood_is_that_of_compressai(compressai: Any) -> None:
    scales = torch.tensor([0.11, 0.5, 3.0, 40.0, 256.0])[:, None, None, None]
    y = torch.linspace(-30, 30, 61)[None, None, None, :].expand(5, 1, 1, 61)
    theirs = compressai.models.GaussianConditional([0.11, 256.0]).eval()
    torch.testing.assert_close(normal_likelihood(y, scales), theirs(y, scales)[1], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("inverse", [False, True])
def test_gdn_is_that_of_compressai(compressai: Any, inverse: bool) -> None:
    torch.manual_seed(1)
    ours, theirs = Gdn(6, inverse=inverse), compressai.layers.GDN(6, inverse=inverse)
    with torch.no_grad():
        ours.gamma.add_(torch.rand(6, 6) * 0.2)
        ours.beta.add_(torch.randn(6) * 0.1)
        theirs.gamma.copy_(ours.gamma)
        theirs.beta.copy_(ours.beta)
    x = torch.randn(2, 6, 5, 7)
    torch.testing.assert_close(ours(x), theirs(x))


def test_likelihoods_of_all_integers_sum_to_one() -> None:
    torch.manual_seed(0)
    prior = FactorisedPrior(3)
    with torch.no_grad():
        masses = prior.likelihood(torch.arange(-300.0, 301.0).expand(3, 1, -1)).sum(dim=2)
    np.testing.assert_allclose(masses.numpy(), 1.0, atol=1e-4)
    everywhere = normal_likelihood(torch.arange(-300.0, 301.0), torch.tensor(7.3)).sum()
    assert float(everywhere) == pytest.approx(1.0, abs=1e-4)


def test_lower_bound_passes_only_gradients_that_raise() -> None:
    x = torch.tensor([0.5, 0.5, 2.0, 2.0], requires_grad=True)
    bounded = lower_bound(x, 1.0)
    assert bounded.tolist() == [1.0, 1.0, 2.0, 2.0]
    bounded.backward(torch.tensor([1.0, -1.0, 1.0, -1.0]))
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, -1.0, 1.0, -1.0]


def test_quantiser_adds_noise_in_training_and_rounds_otherwise() -> None:
    torch.manual_seed(0)
    x = torch.linspace(-3, 3, 1000)
    noise = quantise(x, training=True) - x
    assert float(noise.abs().max()) <= 0.5
    assert float(noise.std()) == pytest.approx(12**-0.5, rel=0.1)
    assert torch.equal(quantise(x, training=False), x.round())
    median = torch.tensor(0.3)
    assert torch.equal(quantise(x, training=False, medians=median), (x - median).round() + median)
