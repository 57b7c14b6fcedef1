"""What every pixel of a picture costs by the float networks: the objective of training, and the choice of classes.

Shapes: N pictures, H, W; P pixels; F side features.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.codecs.seec.config import SeecConfig
from pipeline.codecs.seec.features import scan
from pipeline.codecs.seec.mixture import copy_bits, mixture_bits
from pipeline.codecs.seec.neighbours import NUM_SOURCES
from pipeline.codecs.seec.networks import TAP_UNIT, PixelNetworks, input_units, output_units
from pipeline.codecs.seec.wavefront import REACH, TAPS
from pipeline.codecs.threads import on_threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """What the pixels of a batch are predicted from, in order of pictures and raster."""

    inputs: Tensor
    """(P, I) float32: those that every class takes."""
    flags: Tensor | None
    """(P, NUM_COPY_FEATURES) int8: those of the copying class."""
    proposed: Tensor | None
    right: Tensor | None
    """(P,) int32, a bit a source."""
    base: Tensor
    """(P, 3) float32."""
    colours: Tensor
    """(P, 3) float32."""


def seen_in_picture(pictures_NHW3: NDArray[np.uint8], copies_NHW: NDArray[np.bool_], config: SeecConfig) -> Pixels:
    """Return what pixels see with the picture as context."""
    parts = on_threads(lambda pair: scan(*pair), list(zip(pictures_NHW3, copies_NHW, strict=True)))
    num_dense = parts[0].dense.shape[1]
    units = input_units(config, -1)[:num_dense].float()

    def joined(name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([getattr(part, name) for part in parts]))

    return Pixels(
        inputs=joined("dense").float() * units,
        flags=joined("flags") if config.copies else None,
        proposed=joined("proposed") if config.copies else None,
        right=joined("right") if config.copies else None,
        base=joined("base").float(),
        colours=torch.from_numpy(pictures_NHW3.reshape(-1, 3)).float(),
    )


def seen_in_patches(patches_B3PP: Tensor) -> Pixels:
    """Return what pixels see within patches, levels 0..255."""
    padded = nn.functional.pad(patches_B3PP, (REACH, REACH, REACH, 0))
    height, width = patches_B3PP.shape[2:]
    taps = [
        padded[:, :, REACH + row : REACH + row + height, REACH + column : REACH + column + width]
        for row, column in TAPS
    ]
    inputs = torch.stack(taps, dim=1).permute(0, 3, 4, 1, 2).reshape(-1, 3 * len(TAPS))
    colours = patches_B3PP.permute(0, 2, 3, 1).reshape(-1, 3)
    return Pixels(
        inputs=inputs * TAP_UNIT,
        flags=None,
        proposed=None,
        right=None,
        base=torch.zeros_like(colours),
        colours=colours,
    )


class PixelCosts(nn.Module):
    """The bits of pixels by each class's head; holds no weights."""

    gains: dict[int, tuple[Tensor, Tensor]]

    def __init__(self, networks: PixelNetworks) -> None:
        super().__init__()
        self._networks = [networks]  # in a list, so that its weights stay the codec's own
        self.gains = {
            of_class: tuple(unit.float() for unit in output_units(networks.config, networks.layout(of_class)))  # type: ignore[misc]
            for of_class in range(networks.config.num_classes)
        }

    def forward(self, pixels: Pixels, which: Tensor, of_class: int, features_PF: Tensor | None = None) -> Tensor:
        """Return the bits (n,) of the pixels `which` (n,) by the head of a class."""
        networks = self._networks[0]
        device = next(networks.parameters()).device
        layout = networks.layout(of_class)
        parts = [pixels.inputs[which].to(device)]
        if layout.num_copies and pixels.flags is not None:
            parts.append(pixels.flags[which].to(device).float())
        if features_PF is not None:
            parts.append(features_PF[which.to(device)])
        gain, offset = (unit.to(device) for unit in self.gains[of_class])
        outputs = networks(torch.cat(parts, dim=1), of_class).float() * gain + offset
        base, colours = pixels.base[which].to(device), pixels.colours[which].to(device)
        if not layout.num_copies or pixels.proposed is None or pixels.right is None:
            return mixture_bits(layout.split(outputs), base, colours)
        sources = torch.arange(NUM_SOURCES, device=device)
        proposed, right = (
            ((mask[which].to(device)[:, None] >> sources) & 1).bool() for mask in (pixels.proposed, pixels.right)
        )
        bits, escapes = copy_bits(outputs[:, : layout.num_copies], proposed, right)
        rest = escapes.nonzero()[:, 0]
        if not len(rest):
            return bits
        return bits.index_add(0, rest, mixture_bits(layout.split(outputs[rest]), base[rest], colours[rest]))
