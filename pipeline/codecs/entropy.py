"""From probabilities to the integer tables of the entropy coder, and back from buffers to tables.

Done once, when a codec is frozen; what coding uses are the stored integers, so nothing here has to be reproducible to
the last bit elsewhere.
"""

import heapq
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import CheckpointError
from pipeline.codecs.cdf_tables import PRECISION, CdfTables

SCALE_MIN = 0.11
SCALE_MAX = 256.0
NUM_SCALES = 64
# Two-sided mass left to the escape. At 16 bits a symbol costs at most 16 bits, an escape about 24.
_TAIL_MASS = 1e-6
_NORMAL_TAIL = 4.892  # standard deviations that leave _TAIL_MASS outside
NORMAL_TABLE_WIDTH = 2509
"""Columns of the widest normal's table."""


def scale_table() -> NDArray[np.float64]:
    """Return the 64 standard deviations, log-spaced from 0.11 to 256 (Balle et al. 2018, as released)."""
    scales: NDArray[np.float64] = np.geomspace(SCALE_MIN, SCALE_MAX, NUM_SCALES)
    return scales


def scales_at(indexes: Tensor) -> Tensor:
    """Return the standard deviations at (unrounded) indexes of the scale table."""
    table = scale_table()
    log_step = float(np.log(table[-1] / table[0])) / (NUM_SCALES - 1)
    return float(table[0]) * torch.exp(log_step * indexes.clamp(0.0, NUM_SCALES - 1.0))


def quantise_pmf(pmf: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the CDF, integers from 0 to 65536, that costs least for symbols distributed as `pmf`.

    `pmf` is (S,), S at most 65536, not negative, of any positive sum. Every symbol gets at least 1 / 65536.
    Starting from rounded frequencies, units move one by one where they cost least (or gain most) bits.
    """
    total = 1 << PRECISION
    share = pmf / pmf.sum() * total
    freqs = np.maximum(np.rint(share), 1.0)
    surplus = int(freqs.sum()) - total
    step = -1 if surplus > 0 else 1

    def price(symbol: int) -> float:
        """Bits that the next step at `symbol` costs (negative: gains), weighted by its probability."""
        freq = float(freqs[symbol])
        if freq + step < 1.0:
            return math.inf
        return float(share[symbol]) * math.log2(freq / (freq + step))

    heap = [(price(symbol), symbol) for symbol in range(len(freqs))]
    heapq.heapify(heap)
    for _ in range(abs(surplus)):
        _, symbol = heap[0]
        freqs[symbol] += step
        heapq.heapreplace(heap, (price(symbol), symbol))
    cdf: NDArray[np.int32] = np.concatenate([[0], np.cumsum(freqs)]).astype(np.int32)
    return cdf


def gaussian_tables() -> CdfTables:
    """Return the tables of rounded zero-mean normals, one for each of the 64 scales."""
    pmfs, offsets = [], []
    for scale in scale_table():
        half = math.ceil(scale * _NORMAL_TAIL)
        edges = (np.arange(-half, half + 2) - 0.5) / (scale * math.sqrt(2.0))
        # erfc keeps its precision in the tails, where differences of erf lose theirs.
        upper_tail = np.array([math.erfc(abs(edge)) / 2.0 for edge in edges])
        cdf_below_0 = edges < 0
        inner = np.abs(np.diff(upper_tail))
        middle = np.flatnonzero(cdf_below_0[:-1] & ~cdf_below_0[1:])
        inner[middle] = 1.0 - upper_tail[middle] - upper_tail[middle + 1]
        pmfs.append(np.append(inner, 2.0 * upper_tail[0]))
        offsets.append(-half)
    return pack_tables(pmfs, offsets)


def prior_tables(pmfs_CS: NDArray[np.float64], *, first: int) -> CdfTables:
    """Return a table for each pmf over the symbols first, first + 1, ...; rare tails are left to the escape."""
    pmfs, offsets = [], []
    for pmf in pmfs_CS:
        low = int(np.searchsorted(np.cumsum(pmf), _TAIL_MASS / 2.0))
        high = len(pmf) - int(np.searchsorted(np.cumsum(pmf[::-1]), _TAIL_MASS / 2.0))
        # A density that lies wholly outside leaves nothing between; one symbol has to remain.
        low = min(low, len(pmf) - 1)
        inner = pmf[low : max(high, low + 1)]
        pmfs.append(np.append(inner, max(1.0 - float(inner.sum()), 0.0)))
        offsets.append(first + low)
    return pack_tables(pmfs, offsets)


def pack_tables(pmfs: list[NDArray[np.float64]], offsets: list[int]) -> CdfTables:
    """Quantise one pmf a table, the escape's mass last."""
    cdfs = [quantise_pmf(pmf) for pmf in pmfs]
    packed = np.full((len(cdfs), max(map(len, cdfs))), 1 << PRECISION, dtype=np.int32)
    for row, cdf in zip(packed, cdfs, strict=True):
        row[: len(cdf)] = cdf
    lengths = np.array([len(cdf) for cdf in cdfs], dtype=np.int32)
    return CdfTables(cdfs=packed, lengths=lengths, offsets=np.array(offsets, dtype=np.int32))


class StoredTables(nn.Module):
    """CDF tables as buffers: saved with the weights, of a shape that the config alone decides."""

    cdfs: Tensor
    lengths: Tensor
    offsets: Tensor

    def __init__(self, num_tables: int, width: int) -> None:
        super().__init__()
        self.register_buffer("cdfs", torch.zeros(num_tables, width, dtype=torch.int32))
        self.register_buffer("lengths", torch.zeros(num_tables, dtype=torch.int32))
        self.register_buffer("offsets", torch.zeros(num_tables, dtype=torch.int32))

    def store(self, tables: CdfTables) -> None:
        """Copy `tables` into the buffers."""
        width = tables.cdfs.shape[1]
        self.cdfs[:, :width] = torch.from_numpy(tables.cdfs).to(self.cdfs.device)
        self.cdfs[:, width:] = 1 << PRECISION
        self.lengths.copy_(torch.from_numpy(tables.lengths))
        self.offsets.copy_(torch.from_numpy(tables.offsets))

    def load(self) -> CdfTables:
        """Return the tables. Raises: CheckpointError: the buffers hold none (never frozen, or made up)."""
        try:
            return CdfTables(
                cdfs=self.cdfs.cpu().numpy(), lengths=self.lengths.cpu().numpy(), offsets=self.offsets.cpu().numpy()
            )
        except ValueError as error:
            raise CheckpointError(f"the weights hold no tables for coding (was the codec frozen?): {error}") from error
