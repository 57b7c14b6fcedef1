"""SEEC: lossless, each pixel's distribution by the entropy model of its class, the classes sent as a map.

    picture -> patches -> side codec -> features f       (optional; its latents are sent)
    pixels seen before, f -> head of the pixel's class -> mixture of logistics (and shares of copies) -> rANS

Pixels go in wavefront order (wavefront.py), both sides by the same integer networks, so that encoder and decoder agree
to the last bit on any machine. Pixels outside the region of interest may be inexact: their predicted value, or a level
within half a step of the true one.

Source: SEEC, arXiv:2509.07704. What is published is the preset `paper`; context beyond the patch, differences and
copies are ours.

Shapes: N pictures, H, W; B patches of 64x64; F side features; P pixels.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import CorruptBitstream
from pipeline.codecs.interface import AbstractCodec, CodecOutput, Coded, SideInputs
from pipeline.codecs.seec.class_map import decode_class_map, encode_class_map
from pipeline.codecs.seec.classes import IGNORE, cheapest_classes, checked_classes
from pipeline.codecs.seec.config import PATCH, SeecConfig
from pipeline.codecs.seec.features import packed
from pipeline.codecs.seec.fields import patch_counts
from pipeline.codecs.seec.frozen_pixels import FrozenPixels
from pipeline.codecs.seec.frozen_side import FrozenSide
from pipeline.codecs.seec.networks import PixelNetworks
from pipeline.codecs.seec.pixel_bits import PixelCosts, Pixels, seen_in_patches, seen_in_picture
from pipeline.codecs.seec.roi import parse_background, write_background
from pipeline.codecs.seec.side import SideCodec
from pipeline.codecs.seec.walk import Features, StepDecoder, StepEncoder, Walk
from pipeline.codecs.threads import torch_threads

SEGMENT_PIXELS, SEGMENT_CLASSES, SEGMENT_Y, SEGMENT_Z, SEGMENT_BACKGROUND = 1, 2, 3, 4, 5


def build(config: SeecConfig) -> "Seec":
    """Build the codec with fresh weights (torch's global generator)."""
    return Seec(config)


class Seec(AbstractCodec):
    """The networks of one SEEC codec and, once frozen, its bytes."""

    def __init__(self, config: SeecConfig) -> None:
        super().__init__()
        self._config = config
        self.pixels = PixelNetworks(config)
        self.side = (
            SideCodec(config.num_channels, config.num_features, config.num_heads) if config.num_channels else None
        )
        self.costs = PixelCosts(self.pixels)
        self.frozen_pixels = FrozenPixels(config, self.pixels)
        self.frozen_side = None if self.side is None else FrozenSide(self.side)

    @property
    def config(self) -> SeecConfig:
        return self._config

    def forward(
        self,
        pictures_N3HW: Tensor,
        regions_NHW: Tensor | None = None,  # noqa: ARG002
        labels_NHW: Tensor | None = None,
    ) -> CodecOutput:
        """Return the pictures themselves and the likelihoods of `x` (P,) and of the side codec's latents.

        Pixels without a label (255, or no `labels_NHW`) are of the class that prices their block of 16x16 least.
        """
        num_pictures, _, height, width = pictures_N3HW.shape
        shape = (num_pictures, height, width)
        labels = np.full(shape, IGNORE, dtype=np.uint8) if labels_NHW is None else labels_NHW.cpu().numpy()
        classes_NHW = checked_classes(labels, self._config.num_classes)
        if self._config.num_classes > 1:
            unknown_NHW = labels == IGNORE
            for classes_HW, unknown_HW, picture_3HW in zip(classes_NHW, unknown_NHW, pictures_N3HW, strict=True):
                if unknown_HW.any():
                    cheapest_HW = cheapest_classes(self, picture_3HW)
                    classes_HW[unknown_HW] = cheapest_HW[unknown_HW]
        pixels, classes_P, features_PF, likelihoods = self.seen(pictures_N3HW, classes_NHW)
        bits = [
            self.costs(pixels, which, of_class, features_PF)
            for of_class in range(self._config.num_classes)
            if len(which := (classes_P == of_class).nonzero()[:, 0])
        ]
        # 64 bits a pixel at the very most: within a float's range.
        likelihoods["x"] = torch.exp2(-torch.cat(bits))
        return CodecOutput(reconstruction=pictures_N3HW, likelihoods=likelihoods)

    def seen(
        self, pictures_N3HW: Tensor, classes_NHW: NDArray[np.uint8]
    ) -> tuple[Pixels, Tensor, Tensor | None, dict[str, Tensor]]:
        """Return what pixels see, their classes (padding: 255), side features, and the latents' likelihoods."""
        config = self._config
        classes_P = torch.from_numpy(classes_NHW.reshape(-1))
        features_PF: Tensor | None = None
        likelihoods: dict[str, Tensor] = {}
        if self.side is not None:
            patches = to_patches(padded(pictures_N3HW))
            features_BFPP, likelihoods = self.side(patches)
            features_PF = features_BFPP.permute(0, 2, 3, 1).flatten(0, 2)
        if config.context == "patch":
            classes = torch.from_numpy(classes_NHW)[:, None]
            height, width = classes_NHW.shape[1:]
            fill = (0, -width % PATCH, 0, -height % PATCH)
            classes_P = to_patches(nn.functional.pad(classes, fill, value=255)).reshape(-1)
            # Beyond the picture a pixel is not there, as in coding.
            there = to_patches(nn.functional.pad((pictures_N3HW * 255.0).round(), fill))
            return seen_in_patches(there), classes_P, features_PF, likelihoods
        if features_PF is not None:
            features_PF = self._in_raster(features_PF, pictures_N3HW)
        pictures = (pictures_N3HW.detach() * 255.0).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        copies = classes_NHW == config.copying_class
        return seen_in_picture(np.ascontiguousarray(pictures), copies, config), classes_P, features_PF, likelihoods

    def in_picture(self, values: NDArray[np.float32], there: Tensor, size: tuple[int, int]) -> NDArray[np.float32]:
        """Return values of one picture's pixels, in the order of `seen`, as (H, W)."""
        if self._config.context == "picture":
            return values.reshape(size)
        down, across = patch_counts(*size)
        full = np.zeros(len(there), dtype=np.float32)
        full[there.numpy() == 0] = values
        whole = full.reshape(down, across, PATCH, PATCH).transpose(0, 2, 1, 3)
        return whole.reshape(down * PATCH, across * PATCH)[: size[0], : size[1]]

    @staticmethod
    def _in_raster(features_PF: Tensor, pictures_N3HW: Tensor) -> Tensor:
        """Turn features in the order of patches into the order of pictures' rows."""
        num_pictures, _, height, width = pictures_N3HW.shape
        down, across = patch_counts(height, width)
        split = features_PF.view(num_pictures, down, across, PATCH, PATCH, -1).permute(0, 1, 3, 2, 4, 5)
        whole = split.reshape(num_pictures, down * PATCH, across * PATCH, -1)
        return whole[:, :height, :width].reshape(num_pictures * height * width, -1)

    def aux_loss(self) -> Tensor:
        if self.side is None:
            return next(self.pixels.parameters()).new_zeros(())
        return self.side.aux_loss()

    def aux_parameters(self) -> list[nn.Parameter]:
        return [] if self.side is None else self.side.aux_parameters()

    def freeze(self) -> None:
        self.frozen_pixels.store(self.pixels)
        if self.side is not None and self.frozen_side is not None:
            self.frozen_side.store(self.side)

    @torch.no_grad()
    def compress(self, picture: NDArray[np.uint8], side: SideInputs) -> Coded:
        config = self._config
        if side.label is None:
            x_3HW = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)
            classes = cheapest_classes(self, x_3HW.to(self.device).float() / 255.0)
        else:
            classes = checked_classes(side.label, config.num_classes)
        segments: dict[int, bytes] = {}
        if config.num_classes > 1:
            segments[SEGMENT_CLASSES] = encode_class_map(classes, config.num_classes)
        exact = np.ones(classes.shape, dtype=np.bool_) if side.exact is None else side.exact
        if not exact.all():
            segments[SEGMENT_BACKGROUND] = write_background(exact, classes, side.background_step)
        y_hat = None
        if self.side is not None and self.frozen_side is not None:
            x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].to(self.device)
            latents, y_hat = self.frozen_side.encode(self.side, to_patches(padded(x.float() / 255.0)))
            segments |= {SEGMENT_Y: latents["y"], SEGMENT_Z: latents["z"]}
        colours = packed(picture)
        coder = StepEncoder(config.num_classes)
        # A step's products are too small to share among threads.
        with torch_threads(1):
            self._walk(classes, exact, side.background_step, y_hat).run(colours, coder)
        segments[SEGMENT_PIXELS] = coder.writer.data()
        names = {SEGMENT_CLASSES: "classes", SEGMENT_Y: "y", SEGMENT_Z: "z", SEGMENT_PIXELS: "pixels"}
        details = {f"bytes_{name}": float(len(segments[tag])) for tag, name in names.items() if tag in segments}
        for of_class, bits in enumerate(coder.bits):
            details[f"bytes_class_{of_class}"] = bits / 8
            details[f"pixels_class_{of_class}"] = float((classes == of_class).sum())
        details["pixels_inexact"] = float((~exact).sum())
        decoded = unpacked(colours)
        return Coded(segments=segments, reconstruct=lambda: decoded, details=details)

    @torch.no_grad()
    def decompress(self, segments: Mapping[int, bytes], *, height: int, width: int) -> NDArray[np.uint8]:
        config = self._config
        wanted = {SEGMENT_PIXELS}
        wanted |= {SEGMENT_CLASSES} if config.num_classes > 1 else set()
        wanted |= {SEGMENT_Y, SEGMENT_Z} if config.num_channels else set()
        if set(segments) - {SEGMENT_BACKGROUND} != wanted:
            raise CorruptBitstream(f"seec needs the segments {sorted(wanted)}, got {sorted(segments)}")
        classes = np.zeros((height, width), dtype=np.uint8)
        if config.num_classes > 1:
            data = segments[SEGMENT_CLASSES]
            classes = decode_class_map(data, height=height, width=width, num_classes=config.num_classes)
        exact, background_step = np.ones(classes.shape, dtype=np.bool_), 0
        if SEGMENT_BACKGROUND in segments:
            exact, background_step = parse_background(segments[SEGMENT_BACKGROUND], classes)
        y_hat = None
        if self.frozen_side is not None:
            num_patches = int(np.prod(patch_counts(height, width)))
            y_hat = self.frozen_side.decode(segments[SEGMENT_Y], segments[SEGMENT_Z], num_patches)
        coder = StepDecoder(segments[SEGMENT_PIXELS])
        colours = np.zeros((height, width), dtype=np.int32)
        with torch_threads(1):
            self._walk(classes, exact, background_step, y_hat).run(colours, coder)
        coder.reader.finish()
        return unpacked(colours)

    def _walk(
        self, classes: NDArray[np.uint8], exact: NDArray[np.bool_], background_step: int, y_hat: Tensor | None
    ) -> Walk:
        features: Features | None = None
        frozen_side = self.frozen_side
        if frozen_side is not None and y_hat is not None:

            def features(first: int, count: int) -> NDArray[np.int16]:
                assert frozen_side is not None and y_hat is not None
                parts = frozen_side.features(y_hat[first : first + count].to(self.device))
                return np.concatenate([part.permute(0, 2, 3, 1).cpu().numpy() for part in parts])

        return Walk(
            config=self._config,
            frozen=self.frozen_pixels,
            kinds=(2 * classes + exact).astype(np.uint8),
            background_step=background_step,
            features=features,
        )


def padded(pictures_N3HW: Tensor) -> Tensor:
    """Return the pictures continued to whole patches by their last row and column."""
    height, width = pictures_N3HW.shape[2:]
    return nn.functional.pad(pictures_N3HW, (0, -width % PATCH, 0, -height % PATCH), mode="replicate")


def to_patches(pictures_NCHW: Tensor) -> Tensor:
    """Cut pictures of whole patches: (B, C, 64, 64), picture by picture in raster order."""
    num_pictures, channels, height, width = pictures_NCHW.shape
    split = pictures_NCHW.view(num_pictures, channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return split.permute(0, 2, 4, 1, 3, 5).reshape(-1, channels, PATCH, PATCH)


def unpacked(colours: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return (H, W, 3) of R << 16 | G << 8 | B."""
    pixels: NDArray[np.uint8] = np.stack([colours >> 16, colours >> 8, colours], axis=-1).astype(np.uint8)
    return pixels
