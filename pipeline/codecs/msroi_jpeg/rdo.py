"""The encoder `rdo`: one DCT of the source, one set of tables, coefficients thresholded by what a block is worth.

Nothing is quantised twice. Salient blocks get what the tables allow; the others lose the coefficients that cost more
bits than their squared error, weighed by saliency, is worth.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.msroi_jpeg import trellis
from pipeline.codecs.msroi_jpeg.blocks import BLOCK, RGB_ERROR, Component
from pipeline.codecs.msroi_jpeg.jpeg_file import STANDARD_LUMA, write_coefficients
from pipeline.codecs.msroi_jpeg.saliency_levels import of_units, weights
from pipeline.codecs.threads import on_threads

BITS_FOR_ERROR = 0.08
"""Lambda of the most salient blocks in squared steps a bit; at high rate the slope of a uniform quantiser is 0.115."""
TABLE_SHAPE = 0.75
"""How far the tables follow what eyes see less (1: as the standard's luma table) and not squared error alone (0: flat).
Flat ones give 1 dB more of PSNR and cost 4 dB of PSNR-HVS-M; docs/codecs.md has the figures."""
DEPTH = 2.0
"""Octaves between what a squared error counts for where saliency is 1 and where it is 0."""
CHROMA_WEIGHT = 0.5
"""What squared error of chroma counts for, beside what it does to RGB: eyes resolve it less."""
_STRIP = 1 << 12
"""Blocks that one thread takes at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A picture ready to be quantised at any step."""

    height: int
    width: int
    parts: list[Component]
    worth: list[NDArray[np.float32]]
    """For each component (R, C): weights of its blocks."""


def source_of(parts: list[Component], saliency: NDArray[np.float32], *, depth: float = DEPTH) -> Source:
    """Return components with their blocks' worth, the same for all blocks of an MCU."""
    height, width = saliency.shape
    largest = max(part.scale for part in parts)
    unit = weights(of_units(saliency, BLOCK * largest), depth)
    worth = []
    for part in parts:
        rows, columns = part.coefficients.shape[:2]
        times = largest // part.scale
        worth.append(np.repeat(np.repeat(unit, times, axis=0), times, axis=1)[:rows, :columns])
    return Source(height=height, width=width, parts=parts, worth=worth)


def encode(source: Source, step: float) -> bytes:
    """Return a JPEG whose luma steps begin at `step` levels; chroma's follow from what its error does to RGB."""
    blocks, tables = [], []
    costs: dict[bool, NDArray[np.float32]] = {}
    for number, (part, worth) in enumerate(zip(source.parts, source.worth, strict=True)):
        wanted = component_step(step, number, part.scale) * (STANDARD_LUMA / STANDARD_LUMA[0, 0]) ** TABLE_SHAPE
        table = np.clip(np.round(wanted), 1, 255).astype(np.uint16)
        # Steps are whole levels; what was wanted beyond that is left to lambda, so that sizes change smoothly.
        lambdas = (BITS_FOR_ERROR * np.mean((wanted / table) ** 2) / worth).astype(np.float32)
        is_chroma = number > 0
        if is_chroma not in costs:
            costs[is_chroma] = _learnt_costs(part, table, lambdas)
        blocks.append(_threshold(part.coefficients, table, lambdas, costs[is_chroma])[0])
        tables.append(table)
    return write_coefficients(blocks, tables, height=source.height, width=source.width)


def component_step(step: float, number: int, scale: int) -> float:
    """Return the step of a component, such that a bit buys as much RGB error in all of them."""
    if number == 0:
        return step
    # A sample of chroma at half resolution stands for four pixels.
    error = CHROMA_WEIGHT * RGB_ERROR[number] / RGB_ERROR[0] * scale**2
    return step / float(np.sqrt(error))


def _learnt_costs(part: Component, table: NDArray[np.uint16], lambdas: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return symbol costs from what thresholding leaves on some of the rows of blocks."""
    rows = part.coefficients.shape[0]
    some = slice(0, rows, max(1, rows // 16))
    costs = trellis.first_costs()
    for _ in range(2):
        _, counts = _threshold(part.coefficients[some], table, lambdas[some], costs)
        costs = trellis.costs_of(counts)
    return costs


def _threshold(
    coefficients: NDArray[np.float32],
    table: NDArray[np.uint16],
    lambdas: NDArray[np.float32],
    costs: NDArray[np.float32],
) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """Return quantised blocks of the same shape, and the counts of their symbols."""
    blocks = np.ascontiguousarray(coefficients).reshape(-1, BLOCK * BLOCK)
    of_block = np.ascontiguousarray(lambdas).reshape(-1)
    inverse = (1.0 / table.reshape(-1)).astype(np.float32)
    out = np.empty(blocks.shape, dtype=np.int16)
    kernel = compile_kernel(trellis.threshold, fast_math=True)
    strips = [slice(first, first + _STRIP) for first in range(0, len(blocks), _STRIP)]
    counts = on_threads(lambda s: kernel(blocks[s], inverse, of_block[s], costs, out[s]), strips)
    return out.reshape(coefficients.shape), np.sum(counts, axis=0)
