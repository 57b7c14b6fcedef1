"""Tables: probabilities become the integers that cost least, and impossible integers are refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.base.errors import CheckpointError
from pipeline.codecs.cdf_tables import CdfTables
from pipeline.codecs.entropy import StoredTables, gaussian_tables, pack_tables, prior_tables, quantise_pmf, scale_table
from pipeline.codecs.rans import decode, encode


@pytest.mark.parametrize(
    "changes",
    [
        {"cdfs": np.array([[0, 5, 5, 65536]], dtype=np.int32)},
        {"cdfs": np.array([[1, 5, 6, 65536]], dtype=np.int32)},
        {"cdfs": np.array([[0, 5, 6, 65535]], dtype=np.int32)},
        {"cdfs": np.array([[0, 70000, 6, 65536]], dtype=np.int32)},
        {"cdfs": np.array([[0, 5, 6, 65536]], dtype=np.int64)},
        {"cdfs": np.array([0, 5, 6, 65536], dtype=np.int32)},
        {"lengths": np.array([5], dtype=np.int32)},
        {"lengths": np.array([2], dtype=np.int32)},
        {"lengths": np.array([4, 4], dtype=np.int32)},
        {"offsets": np.array([1 << 21], dtype=np.int32)},
        {"offsets": np.array([-(1 << 31)], dtype=np.int32)},
    ],
)
def test_impossible_tables_are_refused(changes: dict[str, NDArray[np.int32]]) -> None:
    good = {
        "cdfs": np.array([[0, 5, 6, 65536]], dtype=np.int32),
        "lengths": np.array([4], dtype=np.int32),
        "offsets": np.array([0], dtype=np.int32),
    }
    CdfTables(**good)
    with pytest.raises(ValueError, match=r"must|fit"):
        CdfTables(**{**good, **changes})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=300).filter(lambda pmf: sum(pmf) > 1e-300))
def test_quantised_pmf_rises_strictly_to_the_end(pmf: list[float]) -> None:
    cdf = quantise_pmf(np.array(pmf))
    assert cdf[0] == 0
    assert cdf[-1] == 65536
    assert (np.diff(cdf) >= 1).all()


def test_quantised_pmf_is_close_in_bits() -> None:
    pmf = np.exp(-np.arange(1000) / 37.0)
    pmf /= pmf.sum()
    entropy = -float(np.sum(pmf * np.log2(pmf)))
    cost = float(np.sum(pmf * (16 - np.log2(np.diff(quantise_pmf(pmf))))))
    assert cost < entropy * 1.003


def test_prior_table_of_a_density_far_outside_keeps_one_symbol() -> None:
    tables = prior_tables(np.full((1, 11), 1e-9), first=-5)
    assert tables.lengths[0] == 3
    symbols = np.array([-5, 0, 5, 100], dtype=np.int32)
    zeros = np.zeros(4, dtype=np.int32)
    assert (decode(encode(symbols, zeros, tables), zeros, tables) == symbols).all()


def test_normal_tables_are_normal() -> None:
    tables = gaussian_tables()
    scales = scale_table()
    assert (scales[0], scales[-1], len(scales)) == (pytest.approx(0.11), pytest.approx(256.0), 64)
    for index in (0, 20, 40, 63):
        freqs = np.diff(tables.cdfs[index, : tables.lengths[index]])[:-1]
        values = np.arange(len(freqs)) + tables.offsets[index]
        assert values[0] == -values[-1]
        for value in (0, 1, int(2 * scales[index])):
            edges = [(value + side) / scales[index] / math.sqrt(2) for side in (-0.5, 0.5)]
            expected = (math.erf(edges[1]) - math.erf(edges[0])) / 2 * 65536
            assert freqs[values == value].sum() == pytest.approx(expected, rel=0.05, abs=1.5)


def test_stored_tables_come_back_whatever_their_width() -> None:
    tables = pack_tables([np.array([0.2, 0.7, 0.1]), np.array([0.5, 0.2, 0.2, 0.1])], [-1, 3])
    stored = StoredTables(2, 9)
    with pytest.raises(CheckpointError, match="frozen"):
        stored.load()
    stored.store(tables)
    back = stored.load()
    assert (back.cdfs[:, :5] == tables.cdfs).all()
    assert (back.lengths == tables.lengths).all()
    assert (back.offsets == tables.offsets).all()
