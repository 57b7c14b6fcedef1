"""Time and size of the entropy coder beside CompressAI's, on the same symbols in the same process.

    python benchmarks/entropy_coder.py --num-symbols 5000000

Symbols are normal, rounded; each is coded with one of 64 CDFs, about 1.2 bits a symbol. Times are CPU seconds, the
least of three runs. CompressAI's coder takes and gives Python lists; converting arrays to them is timed apart.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs import rans
from pipeline.codecs.cdf_tables import CdfTables
from pipeline.codecs.entropy import pack_tables

NUM_TABLES = 64
REPEATS = 3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num-symbols", type=int, default=5_000_000)
    num_symbols = parser.parse_args().num_symbols
    tables = make_tables()
    rng = np.random.default_rng(0)
    indexes = rng.integers(0, NUM_TABLES, num_symbols, dtype=np.int32)
    symbols = np.rint(rng.normal(0.0, make_scales()[indexes])).astype(np.int32)

    data = rans.encode(symbols, indexes, tables)  # compiles the kernels, too
    if not (rans.decode(data, indexes, tables) == symbols).all():
        raise SystemExit("the round trip failed")
    encode, _ = timed(lambda: rans.encode(symbols, indexes, tables))
    decode, _ = timed(lambda: rans.decode(data, indexes, tables))

    peer = load_compressai_ans()
    lists = [tables.cdfs.tolist(), tables.lengths.tolist(), tables.offsets.tolist()]
    to_lists, (symbol_list, index_list) = timed(lambda: (symbols.tolist(), indexes.tolist()))
    peer_encode, peer_data = timed(lambda: peer.RansEncoder().encode_with_indexes(symbol_list, index_list, *lists))
    peer_decode, decoded = timed(lambda: peer.RansDecoder().decode_with_indexes(peer_data, index_list, *lists))
    to_array, _ = timed(lambda: np.array(decoded, dtype=np.int32))

    print(f"{num_symbols} symbols, {NUM_TABLES} CDFs, {8 * len(data) / num_symbols:.3f} bits a symbol")
    print(f"{'':24}{'diptych':>12}{'compressai':>12}{'ratio':>9}")
    row("bytes", len(data), len(peer_data), digits=0)
    row("encode, CPU s", encode, peer_encode)
    row("  with lists made", encode, peer_encode + to_lists)
    row("decode, CPU s", decode, peer_decode)
    row("  with lists undone", decode, peer_decode + to_array + to_lists / 2)


def row(name: str, ours: float, theirs: float, *, digits: int = 3) -> None:
    """Print one line; the ratio is ours to theirs."""
    print(f"{name:24}{ours:12.{digits}f}{theirs:12.{digits}f}{ours / theirs:9.4f}")


def make_scales() -> NDArray[np.float64]:
    """Return the standard deviations of the 64 kinds of symbols."""
    return np.geomspace(0.2, 1.3, NUM_TABLES)


def make_tables() -> CdfTables:
    """Return their CDFs, from samples of the density; tails go to the escape."""
    values = np.arange(-9, 10)
    pmfs = []
    for scale in make_scales():
        pmf = np.exp(-0.5 * (values / scale) ** 2)
        # Integrated over each unit by Simpson's rule, near enough for a benchmark's tables.
        sides = np.exp(-0.5 * ((values - 0.5) / scale) ** 2) + np.exp(-0.5 * ((values + 0.5) / scale) ** 2)
        mass = (4 * pmf + sides) / 6 / (scale * np.sqrt(2 * np.pi))
        pmfs.append(np.append(mass, 1e-6))
    return pack_tables(pmfs, [-9] * NUM_TABLES)


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return the least CPU time of some runs, in seconds, and the last result."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return min(times), result


def load_compressai_ans() -> Any:
    """Load the peer's extension alone: its package imports for 10 seconds."""
    package = importlib.util.find_spec("compressai")
    if package is None or package.origin is None:
        raise SystemExit("the peer is not installed; pip install compressai==1.2.8")
    (path,) = Path(package.origin).parent.glob("ans.*.so")
    spec = importlib.util.spec_from_file_location("ans", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
