"""A latent's slices to one entropy-coded stream and back.

Shapes: M latent channels, W channels of a slice, h, w rows and columns.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from pipeline.codecs import rans
from pipeline.codecs.cdf_tables import CdfTables
from pipeline.codecs.charm import LATENT_FRACTION, MAX_SYMBOL
from pipeline.codecs.frozen_prior import check_range

Indexes = Callable[[Tensor], Tensor]
"""From the scale networks' integers to the tables' numbers."""


class SliceWriter:
    """Quantises a float latent slice by slice, and keeps what is to be coded."""

    def __init__(self, y_Mhw: Tensor, tables: CdfTables, indexes: Indexes) -> None:
        self._y_Mhw = y_Mhw
        self._tables = tables
        self._indexes_of = indexes
        self.symbols: list[Tensor] = []
        self._indexes: list[Tensor] = []

    def put(self, place: int, means_Whw: Tensor, scales_Whw: Tensor) -> Tensor:
        """Return the symbols of slice `place`, float64, about its means."""
        width = len(means_Whw)
        y = self._y_Mhw[place * width : (place + 1) * width].to(means_Whw.device).double()
        symbols = (y - means_Whw * 2.0**-LATENT_FRACTION).round().clamp(-MAX_SYMBOL, MAX_SYMBOL)
        self.symbols.append(symbols.int().cpu())
        self._indexes.append(self._indexes_of(scales_Whw).to(torch.uint8).cpu())
        return symbols

    def data(self) -> bytes:
        """Return the stream of all slices put so far."""
        return rans.encode(torch.cat(self.symbols).numpy(), torch.cat(self._indexes).numpy(), self._tables)


class SliceReader:
    """Reads slices from a stream, each once its tables are known.

    Raises: CorruptBitstream, TruncatedBitstream: the stream is none.
    """

    def __init__(self, data: bytes, tables: CdfTables, indexes: Indexes) -> None:
        self._decoder = rans.RansDecoder(data)
        self._tables = tables
        self._indexes_of = indexes
        self.symbols: list[Tensor] = []

    def take(self, place: int, means_Whw: Tensor, scales_Whw: Tensor) -> Tensor:  # noqa: ARG002 - a CodeSlice
        """Return the next slice's symbols, float64."""
        indexes = self._indexes_of(scales_Whw).to(torch.uint8).cpu().numpy()
        symbols = self._decoder.take(np.ascontiguousarray(indexes), self._tables)
        check_range("y", symbols, MAX_SYMBOL)
        self.symbols.append(torch.from_numpy(symbols))
        return self.symbols[-1].to(scales_Whw.device).double()

    def finish(self) -> None:
        """Check that the stream ends here. Raises: CorruptBitstream."""
        self._decoder.finish()
