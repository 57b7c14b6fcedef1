"""Integer CDF tables: what the entropy coder codes with. Free of torch and numba."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PRECISION = 16
"""Bits of a probability; every CDF ends at 1 << PRECISION."""
MAX_OFFSET = 1 << 20
"""Largest magnitude of a table's offset, and largest table."""

Int32s = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class CdfTables:
    """T integer CDFs. Table t codes the symbols offsets[t] .. offsets[t] + lengths[t] - 3; its last one is the escape.

    Raises: ValueError: not such tables (strictly increasing from 0 to 65536, at least one symbol beside the escape).
    """

    cdfs: Int32s
    """(T, L); row t holds lengths[t] values, what follows them is not read."""
    lengths: Int32s
    """(T,) number of values of each CDF, 3 .. L."""
    offsets: Int32s
    """(T,) value of each table's first symbol."""

    def __post_init__(self) -> None:
        num_tables = len(self.lengths)
        if self.cdfs.ndim != 2 or self.cdfs.shape[0] != num_tables or self.offsets.shape != (num_tables,):
            raise ValueError(f"tables {self.cdfs.shape}, {self.lengths.shape}, {self.offsets.shape} do not fit")
        for name in ("cdfs", "lengths", "offsets"):
            if getattr(self, name).dtype != np.int32:
                raise ValueError(f"{name} must be int32, got {getattr(self, name).dtype}")
        width = self.cdfs.shape[1]
        if width > MAX_OFFSET or not bool(((self.lengths >= 3) & (self.lengths <= width)).all()):
            raise ValueError(f"lengths must be 3..{width}")
        if not bool((np.abs(self.offsets.astype(np.int64)) <= MAX_OFFSET).all()):
            raise ValueError(f"offsets must be within +-{MAX_OFFSET}")
        inside = np.arange(1, width) < self.lengths[:, None]
        last = np.take_along_axis(self.cdfs, self.lengths[:, None].astype(np.int64) - 1, axis=1)
        rises = bool((np.diff(self.cdfs.astype(np.int64), axis=1)[inside] > 0).all())
        if not rises or not bool((self.cdfs[:, 0] == 0).all() and (last == 1 << PRECISION).all()):
            raise ValueError(f"CDFs must rise strictly from 0 to {1 << PRECISION}")
