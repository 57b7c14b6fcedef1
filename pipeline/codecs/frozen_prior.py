"""A factorised prior frozen for coding: integer tables, and the medians about which symbols are counted.

Shapes: C channels; what is coded is (C, ...).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import CorruptBitstream
from pipeline.codecs import rans
from pipeline.codecs.entropy import StoredTables, prior_tables
from pipeline.codecs.priors import FactorisedPrior

MEDIAN_FRACTION = 8
"""Fraction bits of a median."""
MAX_SYMBOL = 127
"""Largest magnitude of a symbol, counted from its channel's median; the encoder clamps there."""
_MAX_MEDIAN = 1 << 20


class FrozenPrior(nn.Module):
    """Values <-> symbols <-> bytes of one factorised latent."""

    medians: Tensor

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.tables = StoredTables(num_channels, 2 * MAX_SYMBOL + 3)
        self.register_buffer("medians", torch.zeros(num_channels, dtype=torch.int32))

    def store(self, prior: FactorisedPrior) -> None:
        """Quantise a trained prior."""
        medians = (prior.medians * 2.0**MEDIAN_FRACTION).round().clamp(-_MAX_MEDIAN, _MAX_MEDIAN)
        self.medians.copy_(medians.int())
        distances = torch.arange(-MAX_SYMBOL, MAX_SYMBOL + 1, device=medians.device)
        with torch.no_grad():
            pmfs_C1S = prior.likelihood(medians[:, None, None] * 2.0**-MEDIAN_FRACTION + distances)
        self.tables.store(prior_tables(pmfs_C1S[:, 0].double().cpu().numpy(), first=-MAX_SYMBOL))

    def symbols(self, values: Tensor) -> Tensor:
        """Return the symbols, int32, of float values (C, ...)."""
        medians = self._medians(values) * 2.0**-MEDIAN_FRACTION
        return (values.double() - medians).round().clamp(-MAX_SYMBOL, MAX_SYMBOL).int()

    def values(self, symbols: Tensor, *, fraction: int) -> Tensor:
        """Return what symbols (C, ...) stand for: integers of `fraction` bits, at least MEDIAN_FRACTION, float64."""
        total = symbols.double() * 2.0**MEDIAN_FRACTION + self._medians(symbols)
        return total * 2.0 ** (fraction - MEDIAN_FRACTION)

    def encode(self, symbols: Tensor) -> bytes:
        """Return the bytes of symbols (C, ...)."""
        return rans.encode(symbols.cpu().numpy(), channel_indexes(tuple(symbols.shape)), self.tables.load())

    def decode(self, data: bytes, shape: tuple[int, ...], *, name: str) -> Tensor:
        """Return symbols of `shape` (C, ...). Raises: CorruptBitstream, TruncatedBitstream."""
        symbols = rans.decode(data, channel_indexes(shape), self.tables.load())
        check_range(name, symbols, MAX_SYMBOL)
        return torch.from_numpy(symbols).to(self.medians.device)

    def _medians(self, like: Tensor) -> Tensor:
        return self.medians.to(like.device).double().view(-1, *[1] * (like.dim() - 1))


def channel_indexes(shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Return, in `shape` (C, ...), each symbol's channel, which is its table."""
    channels = np.arange(shape[0], dtype=np.int32).reshape(-1, *[1] * (len(shape) - 1))
    return np.broadcast_to(channels, shape)


def check_range(name: str, symbols: NDArray[np.int32], limit: int) -> None:
    """Raise CorruptBitstream if a symbol is beyond +-limit, where no encoder writes."""
    if symbols.size and max(int(symbols.max()), -int(symbols.min())) > limit:
        raise CorruptBitstream(f"a symbol of {name} is beyond +-{limit}, which no encoder writes")
