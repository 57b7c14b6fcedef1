"""Streams of intervals computed one by one: what was written is read, and nothing that is missing goes unnoticed."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.base.errors import BitstreamError, CorruptBitstream, TruncatedBitstream
from pipeline.codecs import compiled, rans
from pipeline.codecs.cdf_tables import CdfTables
from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.intervals import IntervalReader, IntervalWriter, advance, peek

Intervals = NDArray[np.uint16]


def _read(words: Any, place: Any, intervals: Any, slots: Any) -> None:
    for i in range(len(intervals)):
        slots[i] = peek(place)
        advance(words, place, np.int64(intervals[i, 0]), np.int64(intervals[i, 1]) + 1)


def written(intervals: Intervals, parts: int = 1) -> bytes:
    writer = IntervalWriter()
    for part in np.array_split(intervals, parts):
        writer.add(part)
    return writer.data()


def read(data: bytes, intervals: Intervals) -> tuple[IntervalReader, NDArray[np.int64]]:
    """Return the reader after it has taken the intervals, and the slots that it saw."""
    reader = IntervalReader(data)
    slots = np.empty(len(intervals), dtype=np.int64)
    compile_kernel(_read)(reader.words, reader.place, intervals, slots)
    return reader, slots


def lie_within(slots: NDArray[np.int64], intervals: Intervals) -> bool:
    starts, sizes = intervals[:, 0].astype(np.int64), intervals[:, 1].astype(np.int64) + 1
    return bool(((starts <= slots) & (slots < starts + sizes)).all())


def make_intervals(count: int, seed: int = 0) -> Intervals:
    """Return intervals of all sizes, from one slot to all but one (all of them would say nothing: not to be coded)."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(65535, np.exp2(rng.uniform(0, 16.01, count)).astype(np.int64))
    starts = rng.integers(0, 65537 - sizes)
    return np.stack([starts, sizes - 1], axis=1).astype(np.uint16)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 5000])
def test_what_was_written_is_read(count: int) -> None:
    intervals = make_intervals(count)
    data = written(intervals)
    reader, slots = read(data, intervals)
    assert lie_within(slots, intervals)
    assert not reader.is_exhausted
    reader.finish()
    bits = float((16 - np.log2(intervals[:, 1] + 1.0)).sum())
    # A byte for the state's size, and the state is whole bytes.
    assert bits / 8 - 1 <= len(data) <= bits / 8 + 4


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 65535).flatmap(lambda a: st.tuples(st.just(a), st.integers(0, min(65534, 65535 - a))))))
def test_any_intervals_come_back(pairs: list[tuple[int, int]]) -> None:
    intervals = np.array(pairs, dtype=np.uint16).reshape(-1, 2)
    reader, slots = read(written(intervals), intervals)
    assert lie_within(slots, intervals)
    reader.finish()


def test_nothing_is_one_byte() -> None:
    assert IntervalWriter().data() == b"\0"
    IntervalReader(b"\0").finish()


def test_what_was_added_is_kept_though_its_array_changes_and_parts_do_not_show() -> None:
    intervals = make_intervals(300)
    writer = IntervalWriter()
    writer.add(buffer := intervals.copy())
    buffer[:] = 0
    assert writer.data() == written(intervals, parts=7) == written(intervals)


def test_the_bytes_are_those_of_a_table_coded_stream() -> None:
    cdf = np.array([[0, 1, 500, 40000, 65535, 65536]], dtype=np.int32)
    tables = CdfTables(cdfs=cdf, lengths=np.array([6], dtype=np.int32), offsets=np.array([0], dtype=np.int32))
    symbols = np.random.default_rng(0).integers(0, 4, 1000)  # the fifth is the escape
    intervals = np.stack([cdf[0, symbols], cdf[0, symbols + 1] - cdf[0, symbols] - 1], axis=1).astype(np.uint16)
    assert written(intervals) == rans.encode(symbols, np.zeros_like(symbols), tables)


def test_a_stream_that_goes_on_is_noticed() -> None:
    intervals = make_intervals(200)
    for last in (0, 1, 199):
        reader, _ = read(written(intervals), intervals[:last])
        with pytest.raises(CorruptBitstream):
            reader.finish()
    reader, _ = read(written(intervals) + bytes(4), intervals)
    with pytest.raises(CorruptBitstream):
        reader.finish()


def test_a_stream_that_lacks_words_is_noticed_at_once_and_read_no_further() -> None:
    intervals = make_intervals(200)
    data = written(intervals)
    for lost in range(4, len(data) - 9, 4):
        reader, _ = read(data[:-lost], intervals)
        with pytest.raises(CorruptBitstream):
            reader.finish()
    # Uniform 16 bits each: with 2 words, a state of 3 bytes or so and nothing else 8 symbols are too many.
    uniform = np.tile(np.array([[7, 0]], dtype=np.uint16), (8, 1))
    reader, _ = read(data[: 1 + data[0] + 8], uniform)
    assert reader.is_exhausted


def test_more_than_one_lane_is_refused() -> None:
    for lanes in (1, 2):
        states = np.full(1 << lanes, 1 << 31, dtype="<i8").tobytes()
        with pytest.raises(CorruptBitstream, match="lanes"):
            IntervalReader(bytes([lanes << 4]) + states)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", TruncatedBitstream),
        (b"\1", TruncatedBitstream),
        (b"\1\0", CorruptBitstream),  # zero is written in no byte
        (b"\0\0\0", TruncatedBitstream),
        (b"\x09" + bytes(9), CorruptBitstream),
        (b"\x08" + b"\xff" * 8, CorruptBitstream),
        (b"\0" + bytes(4), CorruptBitstream),  # a state as low as this has taken no words yet
    ],
)
def test_what_no_writer_gives_is_refused(data: bytes, error: type[BitstreamError]) -> None:
    with pytest.raises(error):
        IntervalReader(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40))
def test_random_bytes_end_in_an_error_or_symbols(data: bytes) -> None:
    try:
        reader = IntervalReader(data)
    except BitstreamError:
        return
    intervals = np.tile(np.array([[0, 65534], [65535, 0]], dtype=np.uint16), (30, 1))
    for number in range(len(intervals)):
        # As a decoder does: it takes the interval that holds the slot.
        slot = int(reader.place[0]) & 65535
        one = intervals[int(slot == 65535)][None]
        compile_kernel(_read)(reader.words, reader.place, one, np.empty(1, dtype=np.int64))
        assert 1 << 16 <= reader.place[0] < 1 << 63, number
        assert 0 <= reader.place[1] <= len(reader.words)


def test_compiled_code_is_stamped_with_all_modules_it_may_take_from(tmp_path: Path) -> None:
    helper = tmp_path / "helper.py"
    helper.write_text("x = 1\n")
    stamp_of = compiled._stamp_of.__wrapped__
    before = stamp_of(tmp_path)
    names = {Path(name).name for name, _, _ in before}
    assert {"helper.py", "compiled.py", "rans.py", "intervals.py"} <= names
    assert stamp_of(tmp_path) == before
    later = helper.stat().st_mtime_ns + 1_000_000_000
    os.utime(helper, ns=(later, later))
    touched = stamp_of(tmp_path)
    assert touched != before
    helper.write_text("x = 22\n")
    os.utime(helper, ns=(later, later))
    assert stamp_of(tmp_path) != touched
