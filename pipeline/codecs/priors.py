"""Likelihoods of latents, for training; the integer tables of coding are frozen from them (entropy.py).

The models and their parametrisation are those of CompressAI's `EntropyBottleneck` and `GaussianConditional`, and a test
holds the likelihoods to theirs. They stand here because importing CompressAI takes 10 seconds of CPU a process.

Shapes: N batch, C channels, V values a channel; D, E inputs and outputs of one layer of the prior's density network.
"""

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

_LIKELIHOOD_MIN = 1e-9
_WIDTHS = (1, 3, 3, 3, 3, 1)
_INIT_SCALE = 10.0
# Logit of the quantiles that `aux_loss` looks for: a mass of 5e-10 outside on each side, and the median.
_QUANTILE_LOGIT = math.log(2.0 / 1e-9 - 1.0)


class _LowerBound(torch.autograd.Function):
    """max(x, bound) whose gradient still passes where it would raise an x that lies below."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bound: float) -> Tensor:
        ctx.save_for_backward(x)
        ctx.bound = bound
        return x.clamp(min=bound)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        passes = (x >= ctx.bound) | (grads[0] < 0)
        return grads[0] * passes, None


def lower_bound(x: Tensor, bound: float) -> Tensor:
    """Return max(x, bound); where x is below, a gradient that would raise it still passes."""
    result: Tensor = _LowerBound.apply(x, bound)
    return result


def quantise(x: Tensor, *, training: bool, medians: Tensor | None = None) -> Tensor:
    """Return x plus uniform noise in [-0.5, 0.5) in training, else rounded (about the medians); float32 or wider.

    In mixed precision too: bfloat16 has no halves beyond 128.
    """
    x = x if x.dtype == torch.float64 else x.float()
    if training:
        return x + torch.empty_like(x).uniform_(-0.5, 0.5)
    return torch.round(x) if medians is None else torch.round(x - medians) + medians


def normal_likelihood(y: Tensor, scales: Tensor) -> Tensor:
    """Return the probability that a zero-mean normal of standard deviation `scales` falls within 0.5 of y.

    At least 1e-9. Source: Balle et al., arXiv:1802.01436, eq. (11).
    """
    distance = y.abs()
    # Both differences are taken in the lower tail, where erfc is precise.
    inverse = math.sqrt(0.5) / (scales if scales.dtype == torch.float64 else scales.float())
    upper = torch.erfc((distance - 0.5) * inverse)
    lower = torch.erfc((distance + 0.5) * inverse)
    return lower_bound(0.5 * (upper - lower), _LIKELIHOOD_MIN)


class FactorisedPrior(nn.Module):
    """A learnt density for each channel, the sigmoid of a monotone network (Balle et al., arXiv:1802.01436, 6.1)."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        num_layers = len(_WIDTHS) - 1
        scale = _INIT_SCALE ** (1.0 / num_layers)
        self.matrices, self.biases, self.factors = nn.ParameterList(), nn.ParameterList(), nn.ParameterList()
        for layer, (inputs, outputs) in enumerate(pairwise(_WIDTHS)):
            start = math.log(math.expm1(1.0 / scale / outputs))
            self.matrices.append(nn.Parameter(torch.full((num_channels, outputs, inputs), start)))
            self.biases.append(nn.Parameter(torch.empty(num_channels, outputs, 1).uniform_(-0.5, 0.5)))
            if layer < num_layers - 1:
                self.factors.append(nn.Parameter(torch.zeros(num_channels, outputs, 1)))
        quantiles = torch.tensor([-_INIT_SCALE, 0.0, _INIT_SCALE])
        self.quantiles = nn.Parameter(quantiles.repeat(num_channels, 1, 1))

    @property
    def medians(self) -> Tensor:
        """(C,), detached: only `aux_loss` moves them."""
        return self.quantiles.detach()[:, 0, 1]

    def forward(self, z_NCHW: Tensor) -> tuple[Tensor, Tensor]:
        """Return z quantised (noise in training) and the likelihoods of that, both (N, C, H, W)."""
        z_hat = quantise(z_NCHW, training=self.training, medians=self.medians[:, None, None])
        values_C1V = z_hat.transpose(0, 1).flatten(1)[:, None]
        likelihoods_C1V = self.likelihood(values_C1V)
        num_pictures, num_channels, height, width = z_NCHW.shape
        shape = (num_channels, num_pictures, height, width)
        return z_hat, likelihoods_C1V.view(shape).transpose(0, 1)

    def likelihood(self, values_C1V: Tensor) -> Tensor:
        """Return the mass within 0.5 of each value, (C, 1, V), at least 1e-9; in full precision always."""
        with torch.autocast(values_C1V.device.type, enabled=False):
            lower = self._logits(values_C1V - 0.5)
            upper = self._logits(values_C1V + 0.5)
        # Taken on the side where both sigmoids are small, where their difference keeps its precision.
        sign = -torch.sign(lower + upper).detach()
        return lower_bound((torch.sigmoid(sign * upper) - torch.sigmoid(sign * lower)).abs(), _LIKELIHOOD_MIN)

    def aux_loss(self) -> Tensor:
        """Return how far the quantiles are from theirs, as a sum of logit distances; trains nothing else."""
        target = self.quantiles.new_tensor([-_QUANTILE_LOGIT, 0.0, _QUANTILE_LOGIT])
        return (self._logits(self.quantiles, detached=True) - target).abs().sum()

    def _logits(self, values_CDV: Tensor, *, detached: bool = False) -> Tensor:
        """Return the logit of the cumulative distribution at each value."""
        logits = values_CDV
        for layer, (matrix_CED, bias_CE1) in enumerate(zip(self.matrices, self.biases, strict=True)):
            factor_CE1 = self.factors[layer] if layer < len(self.factors) else None
            if detached:
                matrix_CED, bias_CE1 = matrix_CED.detach(), bias_CE1.detach()  # noqa: PLW2901
                factor_CE1 = None if factor_CE1 is None else factor_CE1.detach()
            logits = torch.matmul(nn.functional.softplus(matrix_CED), logits) + bias_CE1
            if factor_CE1 is not None:
                logits = logits + torch.tanh(factor_CE1) * torch.tanh(logits)
        return logits
