"""The mixture of logistics that a network gives for a pixel, and what the pixel costs by it, for training.

Shapes: P pixels, K components. Levels are 0..255.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.codecs.cdf_tables import PRECISION

# Coding gives each of 256 values one of 2^16 slots for certain, and shares out the rest.
_FLOOR = 2.0**-PRECISION
_SHARED = 1.0 - 256 * _FLOOR
MIN_LOG_SCALE, MAX_LOG_SCALE = -2.77, 5.0
"""Natural logarithms of the scales that the coder's tables hold, in levels: 1/16 to about 150."""
MIN_MEAN, MAX_MEAN = -64.0, 320.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where each parameter stands among a head's outputs.

    Means, log scales and weights for each channel and component; three coefficients a component. With
    `multichannel = False` the weights are shared by the channels.
    """

    num_mixtures: int
    multichannel: bool = True
    num_copies: int = 0
    """Outputs ahead of the mixture: a logit for each source of a copy and one for none of them; 0 without copies."""

    @property
    def num_outputs(self) -> int:
        return self.num_copies + self.num_mixtures * (12 if self.multichannel else 10)

    def beside_means(self, means_PM: Tensor) -> Tensor:
        """Return outputs (P, O) that are zero but for the means (P, 3 K)."""
        return functional.pad(means_PM, (self.num_copies, self.num_outputs - self.num_copies - means_PM.shape[1]))

    def split(self, outputs_PO: Tensor) -> tuple[Tensor, ...]:
        """Return means, log scales, coefficients ahead of tanh, and weights' logits, each (P, 3, K)."""
        k = self.num_mixtures
        num_groups = (self.num_outputs - self.num_copies) // k
        groups = outputs_PO[:, self.num_copies :].float().view(len(outputs_PO), num_groups, k)
        weights = groups[:, 9:] if self.multichannel else groups[:, 9:].expand(-1, 3, -1)
        return groups[:, :3], groups[:, 3:6], groups[:, 6:9], weights


def mixture_bits(split: tuple[Tensor, ...], base_P3: Tensor, colours_P3: Tensor) -> Tensor:
    """Return the bits (P,) of colours, levels 0..255, by the coder's law: open tails, a floor for each value.

    Means and colours count from `base_P3`; channel order R, G, B, each mean moved by tanh(coefficient) times the
    earlier channels' distance from their base (SEEC, arXiv:2509.07704; the base is 0 there).
    """
    means, log_scales, coefficients, logits = split
    coefficients = torch.tanh(coefficients)
    distance = (colours_P3 - base_P3)[:, :, None]
    moved = torch.stack(
        [
            means[:, 0],
            means[:, 1] + coefficients[:, 0] * distance[:, 0],
            means[:, 2] + coefficients[:, 1] * distance[:, 0] + coefficients[:, 2] * distance[:, 1],
        ],
        dim=1,
    )
    centres = (moved + base_P3[:, :, None]).clamp(MIN_MEAN, MAX_MEAN)
    inverse = torch.exp(-log_scales.clamp(MIN_LOG_SCALE, MAX_LOG_SCALE))
    x = colours_P3[:, :, None]
    upper, lower = (x + 0.5 - centres) * inverse, (x - 0.5 - centres) * inverse
    # Taken on the side where sigmoids are small, where their difference keeps its precision.
    side = torch.where(upper + lower > 0, -1.0, 1.0).to(upper.dtype)
    inner = (torch.sigmoid(side * upper) - torch.sigmoid(side * lower)).abs()
    mass = torch.where(x < 0.5, torch.sigmoid(upper), torch.where(x > 254.5, torch.sigmoid(-lower), inner))
    likelihood = (functional.softmax(logits, dim=2) * mass).sum(dim=2)
    return -(likelihood * _SHARED + _FLOOR).log2().sum(dim=1)


def copy_bits(logits_PS: Tensor, proposed_PS: Tensor, right_PS: Tensor) -> tuple[Tensor, Tensor]:
    """Return the bits (P,) of the choice among proposed colours and none, and whether none of them is right (P,).

    The last logit is none's. A colour that several sources propose has the sum of their shares.
    """
    logits = logits_PS.float()
    no_colour = logits[:, -1:]
    known = logits[:, :-1].masked_fill(~proposed_PS, -math.inf)
    total = torch.logsumexp(torch.cat([known, no_colour], dim=1), dim=1)
    escapes = ~right_PS.any(dim=1)
    chosen = torch.where(
        escapes,
        no_colour[:, 0],
        # Rows without a right source would give -inf and a gradient of NaN, though they are not chosen.
        torch.logsumexp(torch.where(escapes[:, None], 0.0, known.masked_fill(~right_PS, -math.inf)), dim=1),
    )
    # Coding gives each of the choices one of 2^16 slots for certain.
    share = torch.exp(chosen - total) * (1.0 - _FLOOR) + _FLOOR
    return -share.log2(), escapes
