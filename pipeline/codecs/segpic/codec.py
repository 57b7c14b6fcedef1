"""SegPIC: a codec whose transforms adapt to regions, told by the decoded mean feature ("prototype") of each region.

    x -> fine -> y' -> RAT(p'_hat) -> coarse -> y          p', p: means of y', y over regions, coded (prototypes.py)
    y -> RAT(p_hat) -> hyper analysis -> z -> round -> two hyper syntheses -> RAT(p_hat) each -> means, scales
    y, means, scales -> slices (charm.py) -> y_hat -> coarse -> RAT(p'_hat) -> fine -> x_hat

Training takes region maps (class-agnostic masks); coding needs none, its regions are the cells of a grid, whose number
is in the bitstream.

Source: Liu et al., "Region-Adaptive Transform with Segmentation Prior for Image Compression", ECCV 2024,
arXiv:2403.00628.

Shapes: N batch, H, W picture; h, w = rows and columns of y, H and W padded to multiples of 64, over 16; M latent
channels; z (N, num_channels, h / 4, w / 4); R regions of the batch.
"""

import functools
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import CorruptBitstream
from pipeline.codecs.charm import LATENT_FRACTION, ChannelSlices
from pipeline.codecs.entropy import SCALE_MIN
from pipeline.codecs.interface import AbstractCodec, CodecOutput, Coded, SideInputs
from pipeline.codecs.latent_check import check_latent, latent_crc
from pipeline.codecs.priors import FactorisedPrior, lower_bound, normal_likelihood
from pipeline.codecs.segpic import regions as region_maps
from pipeline.codecs.segpic.config import MAX_GRID, SegPicConfig
from pipeline.codecs.segpic.frozen import FrozenPrototypes, FrozenSegPic
from pipeline.codecs.segpic.networks import hyper_analysis, hyper_synthesis, prototype_codecs, slice_net
from pipeline.codecs.segpic.prototypes import PrototypeCodec
from pipeline.codecs.segpic.rat import RegionAdaptiveTransform
from pipeline.codecs.segpic.regions import Regions
from pipeline.codecs.segpic.tiles import Cached, Tile, adapted, region_means, tiles
from pipeline.codecs.segpic.transforms import Decoder, Encoder, start
from pipeline.codecs.slice_coding import SliceReader, SliceWriter
from pipeline.codecs.threads import torch_threads

STRIDE = 64
"""Sides are padded to multiples of this: the hyper-latent's stride, and every attention window's."""
LATENT_GAIN = 5.0
PICTURE_MEAN = 0.5
_REDUCTION = 4  # of a picture to y', and of y' to y

SEGMENT_Y, SEGMENT_Z, SEGMENT_FINE, SEGMENT_COARSE, SEGMENT_HEADER = 1, 2, 3, 4, 5
_NAMES = {SEGMENT_Y: "y", SEGMENT_Z: "z", SEGMENT_FINE: "prototypes_fine", SEGMENT_COARSE: "prototypes"}


def build(config: SegPicConfig) -> "SegPic":
    """Build the codec with fresh weights (torch's global generator)."""
    return SegPic(config)


class SegPic(AbstractCodec):
    """The networks of one SegPIC codec and, once frozen, its bytes."""

    exact_pixels = False

    def __init__(self, config: SegPicConfig) -> None:
        super().__init__()
        self._config = config
        n, m = config.num_channels, config.num_latents
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        self.hyper_analysis = hyper_analysis(n, m)
        self.hyper_means, self.hyper_scales = hyper_synthesis(n, m), hyper_synthesis(n, m)
        self.slices = ChannelSlices(
            slice_net(config.slice_widths),
            num_latents=m,
            num_slices=config.num_slices,
            max_support=config.num_support_slices,
        )
        self.z_prior = FactorisedPrior(n)
        self.fine_prototypes: PrototypeCodec | None
        self.coarse_prototypes: PrototypeCodec | None
        self.fine_prototypes, self.coarse_prototypes = prototype_codecs(config)
        self.hyper_rat, self.means_rat, self.scales_rat = (
            RegionAdaptiveTransform(m) if config.region_adaptive else None for _ in range(3)
        )
        self.frozen = FrozenSegPic(self)
        start(self.encoder, self.decoder, gain=LATENT_GAIN)

    @property
    def config(self) -> SegPicConfig:
        return self._config

    def forward(
        self,
        pictures_N3HW: Tensor,
        regions_NHW: Tensor | None = None,
        labels_NHW: Tensor | None = None,  # noqa: ARG002
    ) -> CodecOutput:
        height, width = pictures_N3HW.shape[2:]
        x_N3HW = padded(pictures_N3HW)
        fine, coarse = self._regions(x_N3HW, regions_NHW)
        likelihoods: dict[str, Tensor] = {}

        y_fine = self.encoder.fine(x_N3HW - PICTURE_MEAN)
        fine_prototypes = _code(self.fine_prototypes, y_fine, fine, likelihoods, "prototypes_fine")
        y = self.encoder.coarse(_adapt(self.encoder.rat, y_fine, fine_prototypes, fine))
        prototypes = _code(self.coarse_prototypes, y, coarse, likelihoods, "prototypes")

        z_hat, likelihoods["z"] = self.z_prior(self.hyper_analysis(_adapt(self.hyper_rat, y, prototypes, coarse)))
        means = _adapt(self.means_rat, self.hyper_means(z_hat), prototypes, coarse)
        scales = _adapt(self.scales_rat, self.hyper_scales(z_hat), prototypes, coarse)
        predicted = self.slices(y, means, scales)
        likelihoods["y"] = normal_likelihood(predicted.symbols, lower_bound(predicted.scales, SCALE_MIN))

        features = self.decoder.coarse(predicted.y_hat)
        picture = self.decoder.fine(_adapt(self.decoder.rat, features, fine_prototypes, fine))
        return CodecOutput(
            reconstruction=picture[:, :, :height, :width] + PICTURE_MEAN,
            likelihoods=likelihoods,
        )

    def _regions(self, x_N3HW: Tensor, regions_NHW: Tensor | None) -> tuple[Regions, Regions]:
        """Return the regions at 1/4 and at 1/16: of the maps, reduced by nearest neighbours, or of the grid."""
        num_pictures, _, height, width = x_N3HW.shape
        if regions_NHW is not None:
            ids = padded(regions_NHW[:, None].float())[:, 0].long()[:, ::_REDUCTION, ::_REDUCTION]
            return region_maps.from_ids(ids), region_maps.from_ids(ids[:, ::_REDUCTION, ::_REDUCTION])
        fine, coarse = (
            region_maps.from_grid(
                (height // reduction, width // reduction),
                self._config.grid,
                device=x_N3HW.device,
                num_pictures=num_pictures,
            )
            for reduction in (_REDUCTION, _REDUCTION**2)
        )
        return fine, coarse

    def aux_loss(self) -> Tensor:
        return torch.stack([prior.aux_loss() for prior in self._priors()]).sum()

    def aux_parameters(self) -> list[nn.Parameter]:
        return [prior.quantiles for prior in self._priors()]

    def _priors(self) -> list[FactorisedPrior]:
        codecs = (self.fine_prototypes, self.coarse_prototypes)
        return [self.z_prior, *(codec.prior for codec in codecs if codec is not None)]

    def freeze(self) -> None:
        self.frozen.store(self)

    @torch.no_grad()
    def compress(self, picture: NDArray[np.uint8], side: SideInputs) -> Coded:  # noqa: ARG002 - the interface's
        height, width, _ = picture.shape
        x_13HW = self._padded_picture(picture)
        fine, coarse = self._regions(x_13HW, None)
        parts = tiles(*x_13HW.shape[2:])
        y_fine = Cached(lambda tile: self.encoder.fine(tile.take(x_13HW, 1) - PICTURE_MEAN))

        segments: dict[int, bytes] = {}
        with torch_threads(1):
            fine_PR = self._send_prototypes(
                SEGMENT_FINE, lambda: region_means(y_fine, parts, fine, _REDUCTION), segments
            )
            y_1Mhw = self._empty_latent(x_13HW)
            for tile, features in self._adapted(self.encoder.rat, y_fine, parts, fine_PR, fine):
                tile.put(y_1Mhw, self.encoder.coarse(features), STRIDE // 4)
            coarse_PR = self._send_prototypes(SEGMENT_COARSE, lambda: coarse.means(y_1Mhw), segments)
            prototypes = None if coarse_PR is None else _as_float(coarse_PR).T
            hyper_input = _adapt(self.hyper_rat, y_1Mhw, prototypes, coarse)
            z_symbols = self.frozen.z_prior.symbols(self.hyper_analysis(hyper_input)[0])
        writer = SliceWriter(y_1Mhw[0], self.frozen.y_tables.load(), self.frozen.indexes)
        y_hat_Mhw = self.frozen.latent(z_symbols, coarse_PR, coarse.index_Nhw[0], writer.put)

        segments |= {SEGMENT_Z: self.frozen.z_prior.encode(z_symbols), SEGMENT_Y: writer.data()}
        segments[SEGMENT_HEADER] = bytes([self._config.grid]) + latent_crc(y_hat_Mhw)

        @functools.cache
        def reconstruct() -> NDArray[np.uint8]:
            return self._synthesise(y_hat_Mhw, fine_PR, fine)[:height, :width].copy()

        return Coded(
            segments=segments,
            reconstruct=reconstruct,
            details={f"bytes_{name}": float(len(segments[tag])) for tag, name in _NAMES.items() if tag in segments},
        )

    @torch.no_grad()
    def decompress(self, segments: Mapping[int, bytes], *, height: int, width: int) -> NDArray[np.uint8]:
        y_hat_Mhw, fine_PR, grid = self.decode_latent(segments, height=height, width=width)
        fine = region_maps.from_grid(
            (padded_side(height) // _REDUCTION, padded_side(width) // _REDUCTION), grid, device=self.device
        )
        return self._synthesise(y_hat_Mhw, fine_PR, fine)[:height, :width].copy()

    @torch.no_grad()
    def decode_latent(
        self, segments: Mapping[int, bytes], *, height: int, width: int
    ) -> tuple[Tensor, Tensor | None, int]:
        """Return y_hat (M, h, w) and the prototypes of y' (C, R), integers of LATENT_FRACTION bits, and the grid.

        These are the same numbers on every machine. Raises: CorruptBitstream, TruncatedBitstream,
        ReconstructionMismatch: they are not those that the encoder had.
        """
        wanted = {SEGMENT_Y, SEGMENT_Z, SEGMENT_HEADER}
        if self._config.region_adaptive:
            wanted |= {SEGMENT_FINE, SEGMENT_COARSE}
        if set(segments) != wanted:
            raise CorruptBitstream(f"segpic needs the segments {sorted(wanted)}, got {sorted(segments)}")
        grid, crc = _parse_header(segments[SEGMENT_HEADER])
        sizes = [(padded_side(height) // reduction, padded_side(width) // reduction) for reduction in (4, 16, 64)]
        fine_PR = self._receive_prototypes(SEGMENT_FINE, segments, sizes[0], grid)
        coarse_PR = self._receive_prototypes(SEGMENT_COARSE, segments, sizes[1], grid)
        z_shape = (self._config.num_channels, *sizes[2])
        z_symbols = self.frozen.z_prior.decode(segments[SEGMENT_Z], z_shape, name="z")
        reader = SliceReader(segments[SEGMENT_Y], self.frozen.y_tables.load(), self.frozen.indexes)
        index_hw = region_maps.grid_ids(sizes[1], grid).to(self.device)
        y_hat_Mhw = self.frozen.latent(z_symbols, coarse_PR, index_hw, reader.take)
        reader.finish()
        check_latent(y_hat_Mhw, crc, codec="segpic")
        return y_hat_Mhw, fine_PR, grid

    def _padded_picture(self, picture: NDArray[np.uint8]) -> Tensor:
        x_3HW = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).to(self.device)
        return padded(x_3HW[None].float() / 255.0)

    def _empty_latent(self, x_13HW: Tensor) -> Tensor:
        height, width = x_13HW.shape[2:]
        return x_13HW.new_empty(1, self._config.num_latents, height // 16, width // 16)

    def _send_prototypes(self, tag: int, means: Callable[[], Tensor], segments: dict[int, bytes]) -> Tensor | None:
        """Code the prototypes (R, C) that `means` gives; return the decoded ones (C, R), LATENT_FRACTION bits."""
        codec, frozen = self._prototypes(tag)
        if codec is None or frozen is None:
            return None
        symbols = frozen.prior.symbols(codec.analyse(means())[0, :, :, 0])
        segments[tag] = frozen.prior.encode(symbols)
        return frozen.values(symbols)

    def _receive_prototypes(
        self, tag: int, segments: Mapping[int, bytes], size: tuple[int, int], grid: int
    ) -> Tensor | None:
        _, frozen = self._prototypes(tag)
        if frozen is None:
            return None
        shape = (self._config.num_prototype_channels, region_maps.num_cells(size, grid))
        return frozen.values(frozen.prior.decode(segments[tag], shape, name=_NAMES[tag]))

    def _prototypes(self, tag: int) -> tuple[PrototypeCodec | None, FrozenPrototypes | None]:
        if tag == SEGMENT_FINE:
            return self.fine_prototypes, self.frozen.fine_prototypes
        return self.coarse_prototypes, self.frozen.coarse_prototypes

    def _adapted(
        self,
        rat: RegionAdaptiveTransform | None,
        features: Callable[[Tile], Tensor],
        parts: list[Tile],
        prototypes_CR: Tensor | None,
        regions: Regions,
    ) -> Iterator[tuple[Tile, Tensor]]:
        if rat is None or prototypes_CR is None:
            return ((tile, features(tile)) for tile in parts)
        return adapted(rat, features, parts, _as_float(prototypes_CR).T, regions)

    @torch.no_grad()
    @torch_threads(1)
    def _synthesise(self, y_hat_Mhw: Tensor, fine_CR: Tensor | None, fine: Regions) -> NDArray[np.uint8]:
        """Return the padded picture (H, W, 3)."""
        y_hat_1Mhw = _as_float(y_hat_Mhw)[None]
        height, width = (16 * side for side in y_hat_Mhw.shape[1:])
        parts = tiles(height, width)
        features = Cached(lambda tile: self.decoder.coarse(tile.take(y_hat_1Mhw, 16)))
        picture_3HW = torch.empty(3, height, width, dtype=torch.uint8)
        for tile, adapted_features in self._adapted(self.decoder.rat, features, parts, fine_CR, fine):
            x_3HW = self.decoder.fine(adapted_features)[0] + PICTURE_MEAN
            tile.put(picture_3HW, (x_3HW * 255.0).round().clamp(0, 255).to(torch.uint8).cpu(), 1)
        return picture_3HW.permute(1, 2, 0).numpy()


def padded_side(side: int) -> int:
    """Return the next multiple of 64."""
    return -(-side // STRIDE) * STRIDE


def _as_float(values: Tensor) -> Tensor:
    """Return integers of LATENT_FRACTION bits as floats, for the float networks."""
    return (values * 2.0**-LATENT_FRACTION).float()


def _parse_header(data: bytes) -> tuple[int, bytes]:
    """Return the grid and the CRC-32 of y_hat."""
    if len(data) != 5 or not 1 <= data[0] <= MAX_GRID:
        raise CorruptBitstream(f"segpic: a header of {len(data)} bytes, expected 5 with a grid of 1..{MAX_GRID}")
    return data[0], data[1:]


def padded(pictures_NCHW: Tensor) -> Tensor:
    """Return the pictures continued to multiples of 64 by their last row and column."""
    height, width = pictures_NCHW.shape[2:]
    return nn.functional.pad(pictures_NCHW, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")


def _code(
    codec: PrototypeCodec | None, features: Tensor, regions: Regions, likelihoods: dict[str, Tensor], name: str
) -> Tensor | None:
    """Return the decoded prototypes (R, C) of features; what they cost goes to `likelihoods`."""
    if codec is None:
        return None
    prototypes: Tensor
    prototypes, likelihoods[name] = codec(regions.means(features))
    return prototypes


def _adapt(
    rat: RegionAdaptiveTransform | None, features: Tensor, prototypes: Tensor | None, regions: Regions
) -> Tensor:
    if rat is None or prototypes is None:
        return features
    adapted: Tensor = rat(features, prototypes, regions)
    return adapted
