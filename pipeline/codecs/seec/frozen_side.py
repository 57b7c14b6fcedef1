"""SEEC's side information in integers: bytes <-> latent, and the features that the latent stands for.

All that a decoder computes is exact (integer_net.py, integer_patches.py): the same features with any number of threads,
for one patch or all of them, on any machine. The encoder's analysis is floating point.

Shapes: B patches; C channels; y_hat (B, C, 4, 4); latents to be coded lie side by side, (C, 4, 4 B) and (C, 1, B).
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch
from torch import Tensor, nn

from pipeline.codecs.charm import LATENT_FRACTION
from pipeline.codecs.entropy import NORMAL_TABLE_WIDTH, NUM_SCALES, StoredTables, gaussian_tables, scale_table
from pipeline.codecs.frozen_prior import MEDIAN_FRACTION, FrozenPrior
from pipeline.codecs.integer_net import FRACTION as SCALE_FRACTION
from pipeline.codecs.integer_net import MAX_ACTIVATION as MAX_LATENT
from pipeline.codecs.integer_sequence import IntegerSequence
from pipeline.codecs.seec.integer_patches import (
    FRACTION,
    PatchAttention,
    PatchConv,
    PatchIgdn,
    PatchTables,
    add,
    look_up,
    rounded,
)
from pipeline.codecs.seec.side import SideCodec
from pipeline.codecs.seec.side_layers import SynthesisBlock, WindowGate
from pipeline.codecs.segpic.layers import ResidualUnit
from pipeline.codecs.slice_coding import SliceReader, SliceWriter
from pipeline.codecs.threads import on_threads

T = TypeVar("T")

FEATURE_FRACTION = FRACTION
"""Fraction bits of features, which reach +-LIMIT (integer_patches.py)."""
# Patches that the encoder's analysis takes at once: their number may show in the last bit of a float.
_ANALYSIS_PATCHES = 4


class FrozenSide(nn.Module):
    """Codes the latents of patches, and decodes their features. Its shapes follow from the codec's structure."""

    thresholds: Tensor

    def __init__(self, side: SideCodec) -> None:
        super().__init__()
        self.y_tables = StoredTables(NUM_SCALES, NORMAL_TABLE_WIDTH)
        self.register_buffer("thresholds", torch.zeros(NUM_SCALES - 1, dtype=torch.int64))
        self.z_prior = FrozenPrior(side.num_channels)
        self.hyper_means, self.hyper_scales = (
            IntegerSequence(net, in_fraction=MEDIAN_FRACTION, out_fraction=fraction)
            for net, fraction in ((side.hyper_means, LATENT_FRACTION), (side.hyper_scales, SCALE_FRACTION))
        )
        self.functions = PatchTables()
        self.blocks = nn.ModuleList(_frozen(block) for block in side.decoder)

    def store(self, side: SideCodec) -> None:
        """Quantise the trained codec. Raises: TrainingError: its weights are huge or not finite."""
        self.y_tables.store(gaussian_tables())
        # A scale takes the first table whose standard deviation is not below it.
        self.thresholds.copy_(torch.from_numpy(scale_table()[:-1] * 2.0**SCALE_FRACTION).floor().long())
        self.z_prior.store(side.z_prior)
        self.hyper_means.store(side.hyper_means)
        self.hyper_scales.store(side.hyper_scales)
        self.functions.store()
        for block, source in zip(self.blocks, side.decoder, strict=True):
            _store(block, source)

    @torch.no_grad()
    def encode(self, side: SideCodec, patches_B3PP: Tensor) -> tuple[dict[str, bytes], Tensor]:
        """Return the streams "y" and "z" of at least one RGB patch in [0, 1], and what `decode` gives for them."""
        groups = _split(patches_B3PP, _ANALYSIS_PATCHES)

        @torch.no_grad()
        def analyse(group: Tensor) -> tuple[Tensor, Tensor]:
            y = side.analysis(group)
            return y, side.hyper_encoder(y)

        # One thread each, so that the bytes do not depend on their number.
        analysed = on_threads(analyse, groups) if _is_cpu(patches_B3PP) else [analyse(group) for group in groups]
        y, z = (_side_by_side(torch.cat(parts)) for parts in zip(*analysed, strict=True))
        z_symbols = self.z_prior.symbols(z)
        writer = SliceWriter(y, self.y_tables.load(), self._indexes)
        y_hat = self._latent(z_symbols, writer.put)
        return {"y": writer.data(), "z": self.z_prior.encode(z_symbols)}, y_hat

    def decode(self, y: bytes, z: bytes, num_patches: int) -> Tensor:
        """Return y_hat (B, C, 4, 4), int32 of LATENT_FRACTION (charm.py) bits, of `num_patches` >= 1 patches.

        Raises: CorruptBitstream, TruncatedBitstream: they are not the streams of so many patches.
        """
        shape = (len(self.z_prior.medians), 1, num_patches)
        z_symbols = self.z_prior.decode(z, shape, name="z")
        reader = SliceReader(y, self.y_tables.load(), self._indexes)
        y_hat = self._latent(z_symbols, reader.take)
        reader.finish()
        return y_hat

    def features(self, y_hat_BC44: Tensor, *, chunk: int = 16) -> Iterator[Tensor]:
        """Yield features (`chunk` or fewer patches, F, 64, 64), int16 of FEATURE_FRACTION bits, channels last.

        In the patches' order, from y_hat on the weights' device. They do not depend on `chunk`, which bounds the
        memory: at the published size each of its patches takes some 8 MiB. On a CPU it is shared among torch's threads.
        """
        for part in _split(y_hat_BC44, chunk):
            if _is_cpu(part):
                at_once = min(torch.get_num_threads(), len(part))
                done_BHWC = torch.cat(on_threads(self._synthesise, part.tensor_split(at_once)))
            else:
                done_BHWC = self._synthesise(part)
            yield done_BHWC.permute(0, 3, 1, 2)

    def _latent(self, z_symbols: Tensor, code: Callable[[int, Tensor, Tensor], Tensor]) -> Tensor:
        """Return y_hat; `code` gives or takes the symbols of y."""
        z = self.z_prior.values(z_symbols, fraction=MEDIAN_FRACTION)
        means: Tensor = self.hyper_means(z)
        symbols = code(0, means, self.hyper_scales(z))
        y_hat = (symbols * 2.0**LATENT_FRACTION + means).clamp_(-MAX_LATENT, MAX_LATENT)
        return y_hat.int().view(*y_hat.shape[:2], -1, 4).permute(2, 0, 1, 3).contiguous()

    def _indexes(self, scales: Tensor) -> Tensor:
        """Return the table of each symbol from its scale."""
        return torch.bucketize(scales.long(), self.thresholds)

    def _synthesise(self, y_hat_BC44: Tensor) -> Tensor:
        """Return (B, 64, 64, F)."""
        x_BHWC = rounded(y_hat_BC44.permute(0, 2, 3, 1).double(), LATENT_FRACTION - FRACTION).contiguous()
        for block in self.blocks:
            x_BHWC = block(x_BHWC) if isinstance(block, PatchConv) else block(x_BHWC, self.functions)
        return x_BHWC


class FrozenUnit(nn.Module):
    """A residual unit on integers, (B, H, W, C)."""

    def __init__(self, source: ResidualUnit) -> None:
        super().__init__()
        self.first, self.second, self.third = (_frozen_conv(layer) for layer in _convs(source))

    def store(self, source: ResidualUnit) -> None:
        """Quantise a trained unit."""
        for conv, layer in zip((self.first, self.second, self.third), _convs(source), strict=True):
            conv.store(layer)

    def forward(self, x_BHWC: Tensor, functions: PatchTables) -> Tensor:
        y_BHWC = self.third(self.second(self.first(x_BHWC, functions.gelu), functions.gelu))
        return look_up(functions.gelu, add(x_BHWC, y_BHWC))


class FrozenGate(nn.Module):
    """A WindowGate on integers, (B, H, W, C)."""

    def __init__(self, source: WindowGate) -> None:
        super().__init__()
        self.trunk = nn.ModuleList(FrozenUnit(unit) for unit in _units(source))
        self.attention, self.shifted_attention = (
            PatchAttention(attention, side=source.side) for attention in (source.attention, source.shifted_attention)
        )
        self.mix, self.last = _frozen_conv(source.mix), _frozen_conv(source.last)

    def store(self, source: WindowGate) -> None:
        """Quantise a trained module."""
        for unit, trained in zip(_only(FrozenUnit, self.trunk), _units(source), strict=True):
            unit.store(trained)
        self.attention.store(source.attention)
        self.shifted_attention.store(source.shifted_attention)
        self.mix.store(source.mix)
        self.last.store(source.last)

    def forward(self, x_BHWC: Tensor, functions: PatchTables) -> Tensor:
        mixed = self.mix(self.attention(x_BHWC, functions.exponential))
        gate = self.last(self.shifted_attention(mixed, functions.exponential))
        trunk = x_BHWC
        for unit in self.trunk:
            trunk = unit(trunk, functions)
        product = trunk.double() * look_up(functions.sigmoid, gate)
        return add(x_BHWC, rounded(product, functions.SIGMOID_FRACTION))


class FrozenSynthesis(nn.Module):
    """A SynthesisBlock on integers, (B, H, W, C) -> (B, 2H, 2W, C)."""

    def __init__(self, source: SynthesisBlock) -> None:
        super().__init__()
        layers = [_frozen_conv(layer) for layer in _layers(source)]
        self.first, self.second, self.upsample, self.last, self.skip = layers
        self.normalise = PatchIgdn(len(source.normalise.beta))

    def store(self, source: SynthesisBlock) -> None:
        """Quantise a trained block."""
        convs = (self.first, self.second, self.upsample, self.last, self.skip)
        for conv, layer in zip(convs, _layers(source), strict=True):
            conv.store(_conv(layer))
        self.normalise.store(source.normalise)

    def forward(self, x_BHWC: Tensor, functions: PatchTables) -> Tensor:
        x_BHWC = add(x_BHWC, self.second(self.first(x_BHWC, functions.leaky), functions.leaky))
        upsampled = self.last(self.normalise(self.upsample(x_BHWC)), functions.leaky)
        return add(upsampled, self.skip(x_BHWC))


def _frozen(block: nn.Module) -> nn.Module:
    """Return the integer form of one of the decoder's blocks."""
    if isinstance(block, WindowGate):
        return FrozenGate(block)
    if isinstance(block, SynthesisBlock):
        return FrozenSynthesis(block)
    return _frozen_conv(block)


def _store(block: nn.Module, source: nn.Module) -> None:
    if isinstance(block, PatchConv):
        block.store(_conv(source))
    elif isinstance(block, FrozenGate):
        assert isinstance(source, WindowGate)
        block.store(source)
    elif isinstance(block, FrozenSynthesis):
        assert isinstance(source, SynthesisBlock)
        block.store(source)


def _frozen_conv(layer: nn.Module) -> PatchConv:
    """Return the integer form of a convolution or of a subpixel convolution (side_layers.py)."""
    conv, upscale = _conv(layer), 2 if isinstance(layer, nn.Sequential) else 1
    return PatchConv(conv.in_channels, conv.out_channels // upscale**2, kernel=conv.kernel_size[0], upscale=upscale)


def _conv(layer: nn.Module) -> nn.Conv2d:
    (conv,) = _only(nn.Conv2d, layer.modules())
    return conv


def _layers(block: SynthesisBlock) -> tuple[nn.Module, ...]:
    return block.residual.first, block.residual.second, block.upsample, block.last, block.skip


def _convs(unit: ResidualUnit) -> list[nn.Conv2d]:
    return _only(nn.Conv2d, unit.net)


def _units(gate: WindowGate) -> list[ResidualUnit]:
    return _only(ResidualUnit, gate.trunk)


def _only(kind: type[T], modules: Iterable[nn.Module]) -> list[T]:
    """Return the modules of a kind, typed."""
    return [module for module in modules if isinstance(module, kind)]


def _split(x: Tensor, count: int) -> list[Tensor]:
    return [x[first : first + count] for first in range(0, len(x), count)]


def _is_cpu(x: Tensor) -> bool:
    return x.device.type == "cpu"


def _side_by_side(x_BChw: Tensor) -> Tensor:
    """Return (C, h, B w)."""
    return x_BChw.permute(1, 2, 0, 3).flatten(2)
