"""MS-ROI JPEG: a network finds what a picture shows, and a JPEG encoder spends its bytes there.

    x -> network -> saliency map (H, W) -> JPEG encoder, steered -> an ordinary JPEG
     \\________________________________________/

The map costs no bit: the decoder is any JPEG decoder.

Source: Prakash et al., "Semantic Perceptual Image Compression using Deep Convolution Networks", arXiv:1612.08712.
"""

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import CorruptBitstream
from pipeline.codecs.interface import AbstractCodec, CodecOutput, Coded, SideInputs
from pipeline.codecs.msroi_jpeg.config import MsRoiConfig
from pipeline.codecs.msroi_jpeg.encode import Request, decode_jpeg, encode_jpeg
from pipeline.codecs.msroi_jpeg.network import MsRoi
from pipeline.codecs.msroi_jpeg.pretrained import load_vgg16
from pipeline.codecs.msroi_jpeg.saliency import saliency_map

SEGMENT_JPEG = 1


def build(config: MsRoiConfig) -> AbstractCodec:
    """Build the codec with fresh weights (torch's global generator). Raises: ConfigError: it names no classes."""
    return MsRoiJpegCodec(config)


class MsRoiJpegCodec(AbstractCodec):
    """The saliency network, and JPEGs that follow its maps."""

    exact_pixels = False
    """Decoders of JPEG may differ in the rounding of the inverse transform."""

    def __init__(self, config: MsRoiConfig) -> None:
        super().__init__()
        self._config = config
        self._default = Request(encoder=config.encoder, quality=config.quality)
        self.network = MsRoi(config)

    @property
    def config(self) -> MsRoiConfig:
        return self._config

    def forward(
        self,
        pictures_N3HW: Tensor,
        regions_NHW: Tensor | None = None,  # noqa: ARG002
        labels_NHW: Tensor | None = None,  # noqa: ARG002
    ) -> CodecOutput:
        """Return class logits. Nothing is coded in training: the reconstruction is the picture, at no rate."""
        _, logits_NC = self.network(pictures_N3HW)
        return CodecOutput(reconstruction=pictures_N3HW, likelihoods={}, class_logits=logits_NC)

    def aux_loss(self) -> Tensor:
        return torch.zeros((), device=self.device)

    def aux_parameters(self) -> list[nn.Parameter]:
        return []

    def freeze(self) -> None:
        """Nothing to freeze: no bit of the decoder depends on the network."""

    def load_trunk(self, path: Path) -> None:
        """Start the VGG-16 trunk from weights in a file. Raises: UsageError, CheckpointError: as `load_vgg16`."""
        load_vgg16(self.network, path)

    def saliency(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (H, W) in [0, 1], multiples of 1/255: how salient each pixel of an RGB picture (H, W, 3) is."""
        return saliency_map(
            self.network,
            picture,
            form=self._config.map_form,
            threshold_share=self._config.threshold_share,
            short_side=self._config.short_side,
        )

    def compress(self, picture: NDArray[np.uint8], side: SideInputs) -> Coded:
        """Code one RGB picture by the given saliency map or else its own.

        Raises: ValueError: the given map has another size; PictureError: a JPEG cannot hold the picture.
        """
        height, width = picture.shape[:2]
        if side.saliency is not None and side.saliency.shape != (height, width):
            raise ValueError(f"saliency map is {side.saliency.shape}, picture {(height, width)}; expected one size")
        saliency = self.saliency(picture) if side.saliency is None else side.saliency
        data = encode_jpeg(picture, saliency, self._default)
        return Coded(
            segments={SEGMENT_JPEG: data},
            reconstruct=functools.cache(lambda: decode_jpeg(data, height=height, width=width)),
            details={"mean_saliency_percent": 100 * float(saliency.mean(dtype=np.float64))},
        )

    def decompress(self, segments: Mapping[int, bytes], *, height: int, width: int) -> NDArray[np.uint8]:
        if set(segments) != {SEGMENT_JPEG}:
            raise CorruptBitstream(f"msroi_jpeg has segment {SEGMENT_JPEG} alone, got {sorted(segments)}")
        return decode_jpeg(segments[SEGMENT_JPEG], height=height, width=width)
