"""The entropy coder: exact round trips, sizes, and typed errors on any bytes at all."""

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.base.errors import BitstreamError, CorruptBitstream, TruncatedBitstream
from pipeline.codecs import rans
from pipeline.codecs.cdf_tables import CdfTables
from pipeline.codecs.entropy import gaussian_tables, pack_tables, scale_table
from pipeline.codecs.rans import decode, encode


def make_tables(num_tables: int = 5, half: int = 6) -> CdfTables:
    scales = np.linspace(0.3, 2.0, num_tables)
    values = np.arange(-half, half + 1)
    pmfs = [np.append(p := np.exp(-np.abs(values) / scale), p.sum() * 1e-4) for scale in scales]
    return pack_tables(pmfs, [-half] * num_tables)


TABLES = make_tables()
RNG = np.random.default_rng(7)
INDEXES = RNG.integers(0, 5, 300).astype(np.uint8)
SYMBOLS = np.rint(RNG.laplace(0, 2.0, 300)).astype(np.int32)
GOLDEN = "05ce866ceb21b0ffbe47"
STREAM = encode(SYMBOLS, INDEXES, TABLES)


def laplace(size: int, seed: int = 0) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    indexes = rng.integers(0, 64, size).astype(np.uint8)
    scales = scale_table()[indexes % 24]
    return np.rint(rng.normal(0, scales)).astype(np.int32), (indexes % 24).astype(np.uint8)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(-(2**30), 2**30) | st.integers(-9, 9), st.integers(0, 4)), max_size=60))
def test_any_symbols_come_back(pairs: list[tuple[int, int]]) -> None:
    symbols = np.array([symbol for symbol, _ in pairs], dtype=np.int32)
    indexes = np.array([index for _, index in pairs], dtype=np.int64)
    assert (decode(encode(symbols, indexes, TABLES), indexes, TABLES) == symbols).all()


@pytest.mark.parametrize("size", [0, 1, 3, 1000, 60_000, 120_000, 200_000])
def test_round_trip_with_each_number_of_lanes(size: int) -> None:
    symbols, indexes = laplace(size)
    tables = gaussian_tables()
    data = encode(symbols, indexes, tables)
    assert data[0] >> 4 == (2 if len(data) >= 1 << 16 else 1 if len(data) >= 1 << 15 else 0)
    assert (decode(data, indexes, tables) == symbols).all()


def test_shape_is_that_of_the_indexes() -> None:
    indexes = INDEXES.reshape(3, 10, 10)
    symbols = decode(encode(SYMBOLS.reshape(3, 10, 10), indexes, TABLES), indexes, TABLES)
    assert symbols.shape == (3, 10, 10)
    assert symbols.dtype == np.int32


def test_stream_bytes_are_fixed() -> None:
    # A change here is a change of the format: it needs a new version of the bitstream.
    symbols = np.array([0, 1, -1, 0, 40, -7, 2, 0], dtype=np.int32)
    indexes = np.array([0, 1, 2, 3, 4, 0, 1, 2])
    uniform = CdfTables(
        cdfs=np.tile(np.array([0, 20000, 40000, 65000, 65536], dtype=np.int32), (5, 1)),
        lengths=np.full(5, 5, dtype=np.int32),
        offsets=np.full(5, -1, dtype=np.int32),
    )
    assert encode(symbols, indexes, uniform).hex() == GOLDEN


def test_symbols_almost_without_information_cost_three_bytes() -> None:
    tables = CdfTables(
        cdfs=np.array([[0, 65535, 65536]], dtype=np.int32),
        lengths=np.array([3], dtype=np.int32),
        offsets=np.array([0], dtype=np.int32),
    )
    zeros = np.zeros(1000, dtype=np.int32)
    assert encode(zeros, zeros, tables) == b"\x02\xe8\x03"


def information(symbols: NDArray[np.int32], indexes: NDArray[np.uint8], tables: CdfTables) -> float:
    """Bits by the tables; all symbols within them."""
    place = symbols - tables.offsets[indexes]
    freqs = tables.cdfs[indexes, place + 1] - tables.cdfs[indexes, place]
    return float(np.sum(16 - np.log2(freqs)))


@pytest.mark.parametrize("size", [20, 500, 20_000, 300_000])
def test_size_is_the_information_plus_four_bytes_or_a_permille(size: int) -> None:
    symbols, indexes = laplace(size)
    tables = gaussian_tables()
    inside = np.abs(symbols) <= -tables.offsets[indexes]
    symbols, indexes = symbols[inside], indexes[inside]
    num_bytes = len(encode(symbols, indexes, tables))
    assert num_bytes <= information(symbols, indexes, tables) / 8 * 1.001 + 4


@pytest.mark.parametrize("size", [100, 1000, 20_000, 200_000])
def test_size_is_that_of_compressai(size: int) -> None:
    with warnings.catch_warnings():
        # The package imports libraries that warn.
        warnings.simplefilter("ignore")
        from compressai import ans
    symbols, indexes = laplace(size)
    tables = gaussian_tables()
    theirs = ans.RansEncoder().encode_with_indexes(
        symbols.tolist(), indexes.tolist(), tables.cdfs.tolist(), tables.lengths.tolist(), tables.offsets.tolist()
    )
    ours = encode(symbols, indexes, tables)
    assert len(ours) <= len(theirs) * 1.003
    assert len(ours) >= len(theirs) * (0.997 if size >= 20_000 else 0.9)


# Short streams have one lane; the coder itself makes them with any number.
STREAMS = {
    lanes: rans._encode_with(SYMBOLS.astype(np.int64), INDEXES.astype(np.int32), TABLES, lanes) for lanes in (1, 2, 4)
}


@pytest.mark.parametrize("lanes", STREAMS)
def test_every_truncation_is_noticed(lanes: int) -> None:
    assert (decode(STREAMS[lanes], INDEXES, TABLES) == SYMBOLS).all()
    for size in range(len(STREAMS[lanes])):
        with pytest.raises((TruncatedBitstream, CorruptBitstream)):
            decode(STREAMS[lanes][:size], INDEXES, TABLES)


@pytest.mark.parametrize("lanes", STREAMS)
def test_most_changes_are_noticed_and_none_goes_without_trace(lanes: int) -> None:
    missed = 0
    for place in range(len(STREAMS[lanes])):
        for flip in (0x01, 0x80, 0xFF):
            damaged = bytearray(STREAMS[lanes])
            damaged[place] ^= flip
            try:
                symbols = decode(bytes(damaged), INDEXES, TABLES)
            except BitstreamError:
                continue
            missed += 1
            assert not (symbols == SYMBOLS).all()
    # Uniform bits and equal probabilities can be exchanged; the bitstream's checksum is there for those.
    assert missed < 0.03 * 3 * len(STREAMS[lanes])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([1, 2, 4]), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8))
def test_any_mixture_of_changes_ends_in_symbols_or_a_typed_error(lanes: int, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(STREAMS[lanes])
    for place, value in changes:
        damaged[place % len(damaged)] = value
    try:
        symbols = decode(bytes(damaged), INDEXES, TABLES)
    except (TruncatedBitstream, CorruptBitstream):
        return
    assert (bytes(damaged) == STREAMS[lanes]) == bool((symbols == SYMBOLS).all())


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 200))
def test_any_bytes_end_in_symbols_or_a_typed_error(data: bytes, size: int) -> None:
    try:
        symbols = decode(data, INDEXES[:size], TABLES)
    except (TruncatedBitstream, CorruptBitstream):
        return
    # The layout leaves no choice to an encoder, so whatever decodes is what encoding gives.
    assert encode(symbols, INDEXES[:size], TABLES) == data


def test_long_random_bytes_with_lanes_are_refused() -> None:
    symbols, indexes = laplace(200_000)
    tables = gaussian_tables()
    good = encode(symbols, indexes, tables)
    rng = np.random.default_rng(3)
    for lanes_code in (0x08, 0x10, 0x20):
        noise = bytes([lanes_code]) + b"\xff\xff\xff\xff\xff\xff\xff\x7f" * 4 + rng.bytes(4 * (len(good) // 4))
        size = len(noise) - (len(noise) - 1 - (8 if lanes_code == 8 else 8 << (lanes_code >> 4))) % 4
        with pytest.raises((TruncatedBitstream, CorruptBitstream)):
            decode(noise[:size], indexes, tables)
    with pytest.raises(TruncatedBitstream, match="before its last symbol"):
        decode(good[:-4], indexes, tables)
    with pytest.raises(CorruptBitstream, match="does not end"):
        decode(good + b"\x00\x00\x00\x00", indexes, tables)


@pytest.mark.parametrize("first", [0x30, 0x40, 0x80, 0x11, 0x09, 0xFF])
def test_unknown_first_byte_is_refused(first: int) -> None:
    with pytest.raises(CorruptBitstream, match="lane count"):
        decode(bytes([first]) + STREAM[1:], INDEXES, TABLES)


def test_long_form_of_a_state_is_refused() -> None:
    tables = make_tables(1)
    with pytest.raises(CorruptBitstream, match="impossible state"):
        decode(b"\x02\x05\x00", np.zeros(1, dtype=np.int32), tables)


@pytest.mark.parametrize("index", [-1, 5, 1 << 20, 1 << 40])
def test_index_of_no_table_is_refused(index: int) -> None:
    indexes = np.array([0, index])
    with pytest.raises(ValueError, match=r"index|tables"):
        encode(np.zeros(2, dtype=np.int32), indexes, TABLES)
    with pytest.raises(ValueError, match="index"):
        decode(STREAM, indexes, TABLES)


def test_symbol_beyond_the_range_is_refused() -> None:
    with pytest.raises(ValueError, match="symbol"):
        encode(np.array([rans.MAX_SYMBOL + 1]), np.array([0]), TABLES)
    with pytest.raises(ValueError, match="symbols"):
        encode(np.zeros(3, dtype=np.int32), np.zeros(2, dtype=np.int32), TABLES)


CODE_FIVE = (
    "import numpy as np\n"
    "from pipeline.codecs.cdf_tables import CdfTables\n"
    "from pipeline.codecs.rans import encode, decode\n"
    "one = np.array([[0, 9, 65536]], dtype=np.int32)\n"
    "t = CdfTables(cdfs=one, lengths=np.array([3], dtype=np.int32), offsets=np.array([0], dtype=np.int32))\n"
    "i = np.zeros(5, dtype=np.int32)\n"
    "assert (decode(encode(i + 7, i, t), i, t) == 7).all()\n"
    "print('coded')\n"
)


def test_a_disk_too_full_for_the_compiled_code_still_codes(tmp_path: Path) -> None:
    # Files may not grow beyond 4 KiB here, and numba's cache files are larger.
    script = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n" + CODE_FIVE
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert (run.returncode, run.stdout) == (0, "coded\n"), run.stderr


def test_read_only_install_still_codes(tmp_path: Path) -> None:
    # No folder that numba could keep compiled code in: neither beside the module nor in the user's cache.
    package = tmp_path / "pipeline"
    shutil.copytree(Path(rans.__file__).parents[1], package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "codecs" / "__pycache__").write_text("a file where the cache folder would be")
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    environment = {
        **os.environ,
        "HOME": str(nowhere),
        "XDG_CACHE_HOME": str(nowhere / "x"),
        "PYTHONPATH": str(tmp_path),
    }
    environment.pop("NUMBA_CACHE_DIR", None)
    run = subprocess.run(  # noqa: PLW1510 - its output says more than its code
        [sys.executable, "-B", "-W", "error", "-c", CODE_FIVE],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert (run.stdout, run.stderr) == ("coded\n", "")
