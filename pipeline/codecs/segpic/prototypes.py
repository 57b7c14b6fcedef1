"""Prototypes of regions, coded: every region's mean feature goes through a small bottleneck with a factorised prior.

Shapes: R regions, C feature channels, P bottleneck channels. Prototypes are (R, C) outside and, for the 1x1
convolutions, (1, C, R, 1) inside.
"""

from itertools import pairwise

from torch import Tensor, nn

from pipeline.codecs.blocks import Gdn
from pipeline.codecs.priors import FactorisedPrior


class PrototypeCodec(nn.Module):
    """1x1 convolutions with GDN down to P channels, and back with inverse GDN (Liu et al. 2024, as released)."""

    def __init__(self, down: tuple[int, ...], up: tuple[int, ...]) -> None:
        super().__init__()
        self.analysis = _pointwise(down, inverse=False)
        self.synthesis = _pointwise(up, inverse=True)
        self.prior = FactorisedPrior(down[-1])

    def forward(self, prototypes_RC: Tensor) -> tuple[Tensor, Tensor]:
        """Return the decoded prototypes (R, C) and the likelihoods of what was coded."""
        coded, likelihoods = self.prior(self.analyse(prototypes_RC))
        return self.synthesis(coded)[0, :, :, 0].T, likelihoods

    def analyse(self, prototypes_RC: Tensor) -> Tensor:
        """Return what is coded, (1, P, R, 1), not yet quantised."""
        coded: Tensor = self.analysis(prototypes_RC.T[None, :, :, None])
        return coded


def _pointwise(widths: tuple[int, ...], *, inverse: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for place, (inputs, outputs) in enumerate(pairwise(widths)):
        layers.append(nn.Conv2d(inputs, outputs, 1))
        last = place == len(widths) - 2
        if not last:
            layers.append(Gdn(outputs, inverse=inverse))
    return nn.Sequential(*layers)
