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
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import CorruptBitstream
from pipeline.codecs.interface import AbstractCodec, CodecOutput, Coded, SideInputs
from pipeline.codecs.seec.class_map import decode_class_map, encode_class_map
from pipeline.codecs.seec.classes import IGNORE, cheapest_classes, checked_classes, sampled, tried
from pipeline.codecs.seec.config import PATCH, SeecConfig
from pipeline.codecs.seec.features import packed, unpacked
from pipeline.codecs.seec.fields import patch_counts
from pipeline.codecs.seec.frozen_pixels import FrozenPixels
from pipeline.codecs.seec.frozen_side import FrozenSide
from pipeline.codecs.seec.networks import PixelNetworks
from pipeline.codecs.seec.patches import padded, to_patches
from pipeline.codecs.seec.pixel_bits import PixelCosts, Pixels, seen_in_patches, seen_in_picture
from pipeline.codecs.seec.roi import parse_background, write_background
from pipeline.codecs.seec.side import SideCodec
from pipeline.codecs.seec.walk import Features, StepDecoder, StepEncoder, Walk
from pipeline.codecs.threads import on_threads, torch_threads

_PRICED_PIXELS = 1 << 18
"""Pixels of a picture that are priced at a time."""

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

        Pixels without a label (255, or no `labels_NHW`) are of the class that prices their block of 16x16 least; in
        training some blocks are of any.
        """
        config = self._config
        num_pictures, _, height, width = pictures_N3HW.shape
        shape = (num_pictures, height, width)
        labels = np.full(shape, IGNORE, dtype=np.uint8) if labels_NHW is None else labels_NHW.cpu().numpy()
        unknown = (labels == IGNORE) & (config.num_classes > 1)
        classes = checked_classes(labels, config.num_classes)
        seen = self.seen(pictures_N3HW, copies_NHW=(classes == config.copying_class) | unknown)
        if unknown.any():
            cheapest = cheapest_classes(self.prices(seen, unknown & sampled(unknown.shape)))
            if self.training:
                rng = np.random.default_rng(int(torch.randint(1 << 62, ()).item()))
                cheapest = tried(cheapest, config.num_classes, rng)
            classes[unknown] = cheapest[unknown]
        classes_P = torch.from_numpy(classes.reshape(-1))[seen.index_P]
        there_P = seen.index_P >= 0
        repeats = 1
        if self.training and config.priced_pixels > 1:
            # Neighbours say much the same; a part of them from more pictures teaches more.
            repeats = config.priced_pixels
            there_P &= torch.rand(there_P.shape) < 1.0 / repeats
            there_P[0] = True
        bits = [
            self.costs(seen.pixels, which, of_class, seen.features_PF)
            for of_class in range(config.num_classes)
            if len(which := ((classes_P == of_class) & there_P).nonzero()[:, 0])
        ]
        # 64 bits a pixel at the very most: within a float's range.
        likelihoods = {**seen.likelihoods, "x": torch.exp2(-torch.cat(bits)).repeat(repeats)}
        return CodecOutput(reconstruction=pictures_N3HW, likelihoods=likelihoods)

    def seen(self, pictures_N3HW: Tensor, *, copies_NHW: NDArray[np.bool_]) -> "Seen":
        """Return what pixels are predicted from; `copies_NHW` are those that are told what they may copy."""
        config = self._config
        num_pictures, _, height, width = pictures_N3HW.shape
        features_PF: Tensor | None = None
        likelihoods: dict[str, Tensor] = {}
        if self.side is not None:
            features_BFPP, likelihoods = self.side(to_patches(padded(pictures_N3HW)))
            features_PF = features_BFPP.permute(0, 2, 3, 1).flatten(0, 2)
        index_N1HW = torch.arange(num_pictures * height * width).view(num_pictures, 1, height, width)
        fill = (0, -width % PATCH, 0, -height % PATCH)
        in_patches_P = to_patches(nn.functional.pad(index_N1HW, fill, value=-1)).reshape(-1)
        if config.context == "patch":
            # Beyond the picture a pixel is not there, as in coding.
            there = to_patches(nn.functional.pad((pictures_N3HW * 255.0).round(), fill))
            pixels, index_P = seen_in_patches(there), in_patches_P
        else:
            pictures = (pictures_N3HW.detach() * 255.0).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
            pixels, index_P = seen_in_picture(np.ascontiguousarray(pictures), copies_NHW, config), index_N1HW.view(-1)
            if features_PF is not None:
                order_P = torch.empty_like(index_P)
                order_P[in_patches_P[in_patches_P >= 0]] = (in_patches_P >= 0).nonzero()[:, 0]
                features_PF = features_PF[order_P.to(features_PF.device)]
        return Seen(
            pixels=pixels,
            index_P=index_P,
            features_PF=features_PF,
            likelihoods=likelihoods,
        )

    @torch.no_grad()
    def prices(self, seen: "Seen", wanted_NHW: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return (classes, N, H, W): the bits of each wanted pixel by each class, 0 elsewhere."""
        wanted_P = torch.from_numpy(wanted_NHW.reshape(-1))[seen.index_P] & (seen.index_P >= 0)
        which = wanted_P.nonzero()[:, 0]
        prices = np.zeros((self._config.num_classes, wanted_NHW.size), dtype=np.float32)
        for of_class, row in enumerate(prices):
            bits = self.costs(seen.pixels, which, of_class, seen.features_PF)
            row[seen.index_P[which].numpy()] = bits.cpu().numpy()
        return prices.reshape(-1, *wanted_NHW.shape)

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
        for name, plane in (("label map", side.label), ("exact region", side.exact)):
            if plane is not None and plane.shape != picture.shape[:2]:
                raise ValueError(f"the {name} is {plane.shape}, the picture {picture.shape[:2]}")
        classes = self._cheapest(picture) if side.label is None else checked_classes(side.label, config.num_classes)
        exact = np.ones(classes.shape, dtype=np.bool_) if side.exact is None else side.exact
        if side.exact_classes is not None:
            exact = exact & np.isin(classes, side.exact_classes)
        segments: dict[int, bytes] = {}
        if config.num_classes > 1:
            segments[SEGMENT_CLASSES] = encode_class_map(classes, config.num_classes)
        y_hat = None
        if self.side is not None and self.frozen_side is not None:
            x = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].to(self.device)
            latents, y_hat = self.frozen_side.encode(self.side, to_patches(padded(x.float() / 255.0)))
            segments |= {SEGMENT_Y: latents["y"], SEGMENT_Z: latents["z"]}
        chosen = self._encode(picture, classes, np.ones_like(exact), 0, y_hat)
        details = {"bytes_lossless": float(chosen.num_bytes(segments)), "pixels_inexact": 0.0}
        # A step of 1 rounds to what is there.
        if not exact.all() and side.background_step != 1:
            inexact = self._encode(picture, classes, exact, side.background_step, y_hat)
            # A few pixels' savings may be less than what others lose by seeing them.
            if inexact.num_bytes(segments) < chosen.num_bytes(segments):
                chosen = inexact
                details["pixels_inexact"] = float((~exact).sum())
        segments |= chosen.segments
        names = {SEGMENT_CLASSES: "classes", SEGMENT_Y: "y", SEGMENT_Z: "z", SEGMENT_PIXELS: "pixels"}
        details |= {f"bytes_{name}": float(len(segments[tag])) for tag, name in names.items() if tag in segments}
        for of_class, bits in enumerate(chosen.bits):
            details[f"bytes_class_{of_class}"] = bits / 8
            details[f"pixels_class_{of_class}"] = float((classes == of_class).sum())
        return Coded(segments=segments, reconstruct=lambda: chosen.decoded, details=details)

    def _encode(
        self,
        picture: NDArray[np.uint8],
        classes: NDArray[np.uint8],
        exact: NDArray[np.bool_],
        background_step: int,
        y_hat: Tensor | None,
    ) -> "_Encoded":
        """Code the pixels, and say which are inexact."""
        segments = {} if exact.all() else {SEGMENT_BACKGROUND: write_background(exact, classes, background_step)}
        colours = packed(picture)
        coder = StepEncoder(self._config.num_classes)
        walk = self._walk(classes, exact, background_step, y_hat, threads=torch.get_num_threads())
        # A step's products are too small to share among torch's threads.
        with torch_threads(1):
            walk.run(colours, coder)
        segments[SEGMENT_PIXELS] = coder.writer.data()
        return _Encoded(segments=segments, decoded=unpacked(colours), bits=coder.bits)

    @torch.no_grad()
    def decompress(self, segments: Mapping[int, bytes], *, height: int, width: int) -> NDArray[np.uint8]:
        config = self._config
        wanted = {SEGMENT_PIXELS}
        wanted |= {SEGMENT_CLASSES} if config.num_classes > 1 else set()
        wanted |= {SEGMENT_Y, SEGMENT_Z} if config.num_channels else set()
        if set(segments) - {SEGMENT_BACKGROUND} != wanted:
            raise CorruptBitstream(f"seec needs the segments {sorted(wanted)}, got {sorted(segments)}")
        y_hat = None
        if self.frozen_side is not None:
            # First: a stream of patches' latents cannot claim a size that it does not have.
            num_patches = int(np.prod(patch_counts(height, width)))
            y_hat = self.frozen_side.decode(segments[SEGMENT_Y], segments[SEGMENT_Z], num_patches)
        classes = np.zeros((height, width), dtype=np.uint8)
        if config.num_classes > 1:
            data = segments[SEGMENT_CLASSES]
            classes = decode_class_map(data, height=height, width=width, num_classes=config.num_classes)
        exact, background_step = np.ones(classes.shape, dtype=np.bool_), 0
        if SEGMENT_BACKGROUND in segments:
            exact, background_step = parse_background(segments[SEGMENT_BACKGROUND], classes)
        coder = StepDecoder(segments[SEGMENT_PIXELS])
        colours = np.zeros((height, width), dtype=np.int32)
        walk = self._walk(classes, exact, background_step, y_hat, threads=torch.get_num_threads())
        with torch_threads(1):
            walk.run(colours, coder)
        coder.reader.finish()
        return unpacked(colours)

    def _cheapest(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the cheapest classes (H, W) of an unlabelled picture.

        Priced by the float networks, so another machine may choose otherwise; whatever is chosen is sent.
        """
        height, width, _ = picture.shape
        if self._config.num_classes == 1:
            return np.zeros((height, width), dtype=np.uint8)
        rows = max(1, _PRICED_PIXELS // width // PATCH) * PATCH

        @torch.no_grad()
        def priced(top: int) -> NDArray[np.uint8]:
            part = torch.from_numpy(np.ascontiguousarray(picture[top : top + rows])).permute(2, 0, 1)[None]
            everywhere = np.ones((1, part.shape[2], width), dtype=np.bool_)
            seen = self.seen(part.to(self.device).float() / 255.0, copies_NHW=everywhere)
            classes: NDArray[np.uint8] = cheapest_classes(self.prices(seen, sampled(everywhere.shape)))[0]
            return classes

        # One torch thread each, so that the choice does not depend on how many there are.
        return np.concatenate(on_threads(priced, range(0, height, rows)))

    def _walk(
        self,
        classes: NDArray[np.uint8],
        exact: NDArray[np.bool_],
        background_step: int,
        y_hat: Tensor | None,
        *,
        threads: int,
    ) -> Walk:
        features: Features | None = None
        frozen_side = self.frozen_side
        if frozen_side is not None and y_hat is not None:

            def features(first: int, count: int) -> NDArray[np.int16]:
                assert frozen_side is not None and y_hat is not None
                with torch_threads(threads):
                    parts = frozen_side.features(y_hat[first : first + count].to(self.device))
                    return np.concatenate([part.permute(0, 2, 3, 1).cpu().numpy() for part in parts])

        return Walk(
            config=self._config,
            frozen=self.frozen_pixels,
            kinds=(2 * classes + exact).astype(np.uint8),
            background_step=background_step,
            features=features,
            # With the picture as context a step has too few pixels to share.
            threads=threads if self._config.context == "patch" else 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encoded:
    """One way of coding a picture's pixels."""

    segments: dict[int, bytes]
    decoded: NDArray[np.uint8]
    bits: NDArray[np.float64]
    """By class."""

    def num_bytes(self, others: Mapping[int, bytes]) -> int:
        """Return the bytes of these segments and the others."""
        return sum(map(len, (*self.segments.values(), *others.values())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the pixels of a batch are predicted from."""

    pixels: Pixels
    index_P: Tensor
    """(P,) each pixel's place in (N, H, W); -1 for padding."""
    features_PF: Tensor | None
    likelihoods: dict[str, Tensor]
    """Of the side codec's latents."""
